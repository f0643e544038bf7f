package umami

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// batchState is what Answer needs to know of a batch.
type batchState struct {
	size     int
	faults   []weir.Rejection
	websites []int // of each item, as the index of its part
}

// The replies, in the order of keys that Umami has.
type (
	errorReply struct {
		Error errorBody `json:"error"`
	}
	errorBody struct {
		Message string `json:"message"`
		Code    string `json:"code"`
		Status  int    `json:"status"`
	}
	tokenReply struct {
		Cache     string `json:"cache"`
		SessionID string `json:"sessionId"`
		VisitID   string `json:"visitId"`
	}
	batchDetail struct {
		Index    int        `json:"index"`
		Response errorReply `json:"response"`
	}
	batchReply struct {
		Size      int           `json:"size"`
		Processed int           `json:"processed"`
		Errors    int           `json:"errors"`
		Details   []batchDetail `json:"details"`
		Cache     string        `json:"cache,omitempty"`
	}
)

// Answer is the tracker's token; {"beep":"boop"} to what is no visitor.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	switch r.Route.Path {
	case pathRecord:
		return jsonResponse(http.StatusOK, map[string]any{"ok": false, "reason": "recorder_disabled"})
	case pathHeartbeat:
		return jsonResponse(http.StatusOK, map[string]any{"ok": true})
	case pathBatch:
		return jsonResponse(http.StatusOK, batchReplyOf(s))
	}
	p := &s.Parts[0]
	switch {
	case p.Err != nil:
		return jsonResponse(http.StatusBadRequest, errorOf(p.Err))
	case len(p.Events) > 0 && p.Events[0].Event.Bot:
		return jsonResponse(http.StatusOK, map[string]any{"beep": "boop"})
	case len(p.Events) == 0:
		return jsonResponse(http.StatusOK, tokenOf(p.Project, &weir.Event{Time: r.Now}))
	}
	return jsonResponse(http.StatusOK, tokenOf(p.Project, &p.Events[0].Event))
}

// Refuse returns {"error":{"message","code","status"}}. Umami has no 401: it answers 400.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	if status == http.StatusUnauthorized {
		status = http.StatusBadRequest
	}
	return jsonResponse(status, errorReply{errorBody{err.Message, codeOf(status), status}})
}

func jsonResponse(status int, body any) wire.Response {
	text, _ := json.Marshal(body) // cannot fail for the types of this file
	return wire.Response{Status: status, ContentType: "application/json", Body: text}
}

// errorOf is what becomes of the events of a website that was not taken.
func errorOf(err error) errorReply {
	switch code := weir.ErrorCode(err); code {
	case weir.EUNAUTHORIZED:
		return errorReply{errorBody{"Website not found.", "bad-request", http.StatusBadRequest}}
	case weir.ERATELIMITED, weir.EQUOTA:
		return errorReply{errorBody{weir.ErrorMessage(err), codeOf(http.StatusTooManyRequests), http.StatusTooManyRequests}}
	case weir.EUNAVAILABLE:
		return errorReply{errorBody{weir.ErrorMessage(err), codeOf(http.StatusServiceUnavailable), http.StatusServiceUnavailable}}
	}
	return errorReply{errorBody{"Server error", codeOf(http.StatusInternalServerError), http.StatusInternalServerError}}
}

func codeOf(status int) string {
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

// batchReplyOf returns the reply to a batch, with each rejected item.
func batchReplyOf(s *wire.Decoded) batchReply {
	b := s.State.(*batchState)
	out := batchReply{Size: b.size, Details: []batchDetail{}}
	for _, j := range b.faults { // goes before what is wrong with all of a website's
		message := j.Reason + ": " + j.Detail
		if j.Reason == wire.ReasonWrongType {
			message = j.Detail
		}
		out.Details = append(out.Details, batchDetail{j.Index, errorReply{errorBody{message, "bad-request", http.StatusBadRequest}}})
	}
	for i, website := range b.websites {
		if err := s.Parts[website].Err; err != nil {
			out.Details = append(out.Details, batchDetail{i, errorOf(err)})
		}
	}
	slices.SortStableFunc(out.Details, func(a, b batchDetail) int { return a.Index - b.Index })
	out.Details = slices.CompactFunc(out.Details, func(a, b batchDetail) bool { return a.Index == b.Index })
	out.Errors = len(out.Details)
	out.Processed = out.Size - out.Errors
	for i := len(s.Parts) - 1; i >= 0 && out.Cache == ""; i-- {
		p := &s.Parts[i]
		for k := len(p.Events) - 1; k >= 0 && p.Err == nil && out.Cache == ""; k-- {
			if e := &p.Events[k].Event; !e.Bot {
				out.Cache = tokenOf(p.Project, e).Cache
			}
		}
	}
	return out
}

// tokenOf names the session and the visit of an event, from what the event says:
// the server keeps nothing for it and reads nothing of it when it comes back. The
// session is the visitor at the website, the visit the session in one hour. Neither
// identifies the visitor: the device is hashed.
func tokenOf(website string, e *weir.Event) tokenReply {
	who := e.DeviceID
	if who == "" {
		who = e.ProfileID
	}
	session := uuidOf("session", website, who)
	visit := uuidOf("visit", session.String(), e.Time.UTC().Truncate(time.Hour).Format(time.RFC3339))
	cache := uuidOf("cache", session.String(), visit.String())
	return tokenReply{Cache: hex.EncodeToString(cache[:]), SessionID: session.String(), VisitID: visit.String()}
}

// uuidOf is a UUID of version 8, from words.
func uuidOf(words ...string) uuid.UUID {
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
