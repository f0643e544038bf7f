package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	weir "github.com/weir-analytics/weir"
)

// umamiBatched is what Answer needs to know of a batch.
type umamiBatched struct {
	size     int
	faults   []weir.Rejection
	websites []int // of each item, as the index of its part
}

// The replies, in the order of keys that Umami has.
type (
	umamiError struct {
		Error umamiFault `json:"error"`
	}
	umamiFault struct {
		Message string `json:"message"`
		Code    string `json:"code"`
		Status  int    `json:"status"`
	}
	umamiToken struct {
		Cache     string `json:"cache"`
		SessionID string `json:"sessionId"`
		VisitID   string `json:"visitId"`
	}
	umamiDetail struct {
		Index    int        `json:"index"`
		Response umamiError `json:"response"`
	}
	umamiSummary struct {
		Size      int           `json:"size"`
		Processed int           `json:"processed"`
		Errors    int           `json:"errors"`
		Details   []umamiDetail `json:"details"`
		Cache     string        `json:"cache,omitempty"`
	}
)

// Answer is the tracker's token; {"beep":"boop"} to what is no visitor.
func (Umami) Answer(r *Request, s *Decoded) Response {
	switch r.Route.Path {
	case umamiRecord:
		return umamiJSON(http.StatusOK, map[string]any{"ok": false, "reason": "recorder_disabled"})
	case umamiHeartbeat:
		return umamiJSON(http.StatusOK, map[string]any{"ok": true})
	case umamiBatch:
		return umamiJSON(http.StatusOK, umamiSummaryOf(s))
	}
	p := &s.Parts[0]
	switch {
	case p.Err != nil:
		return umamiJSON(http.StatusBadRequest, umamiErrorOf(p.Err))
	case len(p.Events) > 0 && p.Events[0].Event.Bot:
		return umamiJSON(http.StatusOK, map[string]any{"beep": "boop"})
	case len(p.Events) == 0:
		return umamiJSON(http.StatusOK, umamiTokenOf(p.Project, &weir.Event{Time: r.Now}))
	}
	return umamiJSON(http.StatusOK, umamiTokenOf(p.Project, &p.Events[0].Event))
}

// Refuse is {"error":{"message","code","status"}}.
func (Umami) Refuse(_ *Request, status int, err *weir.Error) Response {
	if status == http.StatusUnauthorized {
		status = http.StatusBadRequest
	}
	return umamiJSON(status, umamiError{umamiFault{err.Message, umamiCode(status), status}})
}

func umamiJSON(status int, body any) Response {
	text, _ := json.Marshal(body) // these types always have a form
	return Response{Status: status, ContentType: "application/json", Body: text}
}

// umamiErrorOf is what becomes of the events of a website that was not taken.
func umamiErrorOf(err error) umamiError {
	switch code := weir.ErrorCode(err); code {
	case weir.EUNAUTHORIZED:
		return umamiError{umamiFault{"Website not found.", "bad-request", http.StatusBadRequest}}
	case weir.ERATELIMITED, weir.EQUOTA:
		return umamiError{umamiFault{weir.ErrorMessage(err), umamiCode(http.StatusTooManyRequests), http.StatusTooManyRequests}}
	case weir.EUNAVAILABLE:
		return umamiError{umamiFault{weir.ErrorMessage(err), umamiCode(http.StatusServiceUnavailable), http.StatusServiceUnavailable}}
	}
	return umamiError{umamiFault{"Server error", umamiCode(http.StatusInternalServerError), http.StatusInternalServerError}}
}

func umamiCode(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "bad-request"
	case http.StatusRequestEntityTooLarge:
		return "payload-too-large"
	case http.StatusUnsupportedMediaType:
		return "unsupported-media-type"
	case http.StatusTooManyRequests:
		return "too-many-requests"
	case http.StatusServiceUnavailable:
		return "service-unavailable"
	}
	return "server-error"
}

// umamiSummaryOf tells item by item what was not taken.
func umamiSummaryOf(s *Decoded) umamiSummary {
	b := s.State.(*umamiBatched)
	out := umamiSummary{Size: b.size, Details: []umamiDetail{}}
	for _, j := range b.faults { // goes before what is wrong with all of a website's
		message := j.Reason + ": " + j.Detail
		if j.Reason == ReasonWrongType {
			message = j.Detail
		}
		out.Details = append(out.Details, umamiDetail{j.Index, umamiError{umamiFault{message, "bad-request", http.StatusBadRequest}}})
	}
	for i, website := range b.websites {
		if err := s.Parts[website].Err; err != nil {
			out.Details = append(out.Details, umamiDetail{i, umamiErrorOf(err)})
		}
	}
	slices.SortStableFunc(out.Details, func(a, b umamiDetail) int { return a.Index - b.Index })
	out.Details = slices.CompactFunc(out.Details, func(a, b umamiDetail) bool { return a.Index == b.Index })
	out.Errors = len(out.Details)
	out.Processed = out.Size - out.Errors
	for i := len(s.Parts) - 1; i >= 0 && out.Cache == ""; i-- {
		p := &s.Parts[i]
		for k := len(p.Events) - 1; k >= 0 && p.Err == nil && out.Cache == ""; k-- {
			if e := &p.Events[k].Event; !e.Bot {
				out.Cache = umamiTokenOf(p.Project, e).Cache
			}
		}
	}
	return out
}

// umamiTokenOf names the session and the visit of an event, from what the event says:
// the server keeps nothing for it and reads nothing of it when it comes back. The
// session is the visitor at the website, the visit the session in one hour. Neither
// tells anything of the visitor, whose device is behind a one-way function.
func umamiTokenOf(website string, e *weir.Event) umamiToken {
	who := e.DeviceID
	if who == "" {
		who = e.ProfileID
	}
	session := umamiName("session", website, who)
	visit := umamiName("visit", session.String(), e.Time.UTC().Truncate(time.Hour).Format(time.RFC3339))
	cache := umamiName("cache", session.String(), visit.String())
	return umamiToken{Cache: hex.EncodeToString(cache[:]), SessionID: session.String(), VisitID: visit.String()}
}

// umamiName is a UUID of version 8, from words.
func umamiName(words ...string) uuid.UUID {
	h := sha256.New()
	for _, w := range words {
		_, _ = h.Write([]byte(w)) // it has no error
		_, _ = h.Write([]byte{0})
	}
	var id uuid.UUID
	copy(id[:], h.Sum(nil))
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id
}
