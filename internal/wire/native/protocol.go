package native

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Protocol is the protocol of Weir's own SDKs: POST /v1/events. The document at
// /openapi.json describes it.
type Protocol struct{}

// Vendor returns "weir".
func (Protocol) Vendor() string { return "weir" }

// Routes returns /v1/events.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{{Method: http.MethodPost, Path: "/v1/events", Project: wire.KeyInHead}}
}

// ProjectNames returns the write key.
func (Protocol) ProjectNames(r *wire.Request, _ []byte) []string { return []string{wire.HeadKey(r)} }

// Decode reads the body. If the sender says when it sent the request, and its
// clock is wrong by more than wire.MaxSkew, Decode corrects the times.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	now, limits, skew := r.Now, r.Limits, time.Duration(0)
	if sent := sentAt(r); !sent.IsZero() && r.Now.Sub(sent).Abs() > wire.MaxSkew {
		now, skew = sent, r.Now.Sub(sent)
		limits.Oldest = limits.Oldest.Add(-skew) // by the sender's clock too
	}
	imported, err := wire.ImportID(r)
	if err != nil {
		return nil, err
	}
	in, rejected, err := Decode(r.Body, now, limits)
	if err != nil {
		return nil, err
	}
	for i := range in {
		in[i].Event.Time, in[i].Event.ImportID = in[i].Event.Time.Add(skew), imported
	}
	d := wire.OnePart(wire.Part{Events: in, Rejected: rejected})
	switch {
	case wire.IsHistorical(r):
		d.From = wire.FromLog
	case r.Header.Get("Origin") != "":
		d.From = wire.FromPage
	}
	return d, nil
}

// maxSentAt is in the year 5138, in milliseconds. No clock is so wrong, and sums of such
// times do not overflow.
const maxSentAt = 1e14

// sentAt returns when the sender's clock says that it sent the request, and zero if the
// sender does not say.
func sentAt(r *wire.Request) time.Time {
	if r.RawQuery == "" {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(r.Query().Get("sent_at"), 10, 64)
	if err != nil || ms <= 0 || ms > maxSentAt {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Answer returns the counts. If every event is defective the status is 400, and the reply
// is an error that also has the counts.
func (Protocol) Answer(_ *wire.Request, s *wire.Decoded) wire.Response {
	p := &s.Parts[0]
	status, b := http.StatusOK, append(make([]byte, 0, 128), '{')
	if allDefective(p) {
		status, b = http.StatusBadRequest, appendRefusal(b, p.Rejected[0])
	}
	b = strconv.AppendInt(append(b, `"accepted":`...), int64(p.Accepted), 10)
	b = strconv.AppendInt(append(b, `,"duplicates":`...), int64(p.Duplicates), 10)
	b = append(b, `,"rejected":`...)
	if len(p.Rejected) == 0 {
		b = append(b, "[]"...)
	} else {
		b = appendMarshaled(b, p.Rejected)
	}
	return wire.Response{Status: status, ContentType: "application/json", Body: append(b, "}\n"...)}
}

// allDefective reports whether every event of the request is defective, so that none was
// stored, now or before. Events that a quota dropped or postponed, or the project filters, are not
// defective.
func allDefective(p *wire.Part) bool {
	return len(p.Rejected) > 0 && p.Accepted+p.Duplicates == 0 &&
		!slices.ContainsFunc(p.Rejected, func(j weir.Rejection) bool {
			return j.Reason == wire.ReasonSampled || j.Reason == wire.ReasonQuota || wire.Filtered(j.Reason)
		})
}

// nativeError is Weir's form of an error.
type nativeError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Details any    `json:"details,omitempty"`
}

func appendRefusal(b []byte, first weir.Rejection) []byte {
	message := "no event was taken; the first one: " + first.Reason
	if first.Detail != "" {
		message += " (" + first.Detail + ")"
	}
	return append(appendMarshaled(append(b, `"error":`...), nativeError{Code: weir.EINVALID, Message: message}), ',')
}

// Refuse returns an error in Weir's form.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	b := appendMarshaled([]byte(`{"error":`), nativeError{err.Code, err.Message, err.Details})
	return wire.Response{Status: status, ContentType: "application/json", Body: append(b, "}\n"...)}
}

// appendMarshaled appends the JSON of a value that always has one.
func appendMarshaled(b []byte, v any) []byte {
	text, _ := json.Marshal(v) // texts and numbers
	return append(b, text...)
}
