package amplitude

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// wrongEvents are the events that a request is refused for. An SDK leaves them out and sends
// the others again.
type wrongEvents struct{ missing, invalid map[string][]int } // places in the request, by field

// missingField is a field that a request does not have.
type missingField string

// refuseWrong returns the error of a request with rejected events, or nil. It does not count events
// that Weir does not support: they are no error of the sender.
func refuseWrong(rejected []weir.Rejection) error {
	wrong := wrongEvents{map[string][]int{}, map[string][]int{}}
	for _, j := range rejected {
		switch j.Reason {
		case wire.ReasonUnsupported:
		case wire.ReasonNameMissing:
			wrong.missing["event_type"] = append(wrong.missing["event_type"], j.Index)
		case wire.ReasonIDMissing:
			field := "user_id"
			if strings.HasPrefix(j.Detail, "groups") {
				field = "groups"
			}
			wrong.missing[field] = append(wrong.missing[field], j.Index)
		case wire.ReasonTimeAncient:
			wrong.invalid["time"] = append(wrong.invalid["time"], j.Index)
		default:
			wrong.invalid["event"] = append(wrong.invalid["event"], j.Index)
		}
	}
	if len(wrong.missing)+len(wrong.invalid) == 0 {
		return nil
	}
	err := weir.Errorf(weir.EINVALID, "some events are wrong, and none was stored: %s", explain(rejected))
	err.Details = wrong
	return err
}

func explain(rejected []weir.Rejection) string {
	i := slices.IndexFunc(rejected, func(j weir.Rejection) bool { return j.Reason != wire.ReasonUnsupported })
	j := rejected[i]
	return strings.TrimSuffix("event "+strconv.Itoa(j.Index)+": "+j.Reason+": "+j.Detail, ": ")
}

// Answer returns how many events were stored.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	if isForm(r) {
		return plainText(http.StatusOK, "success")
	}
	part := &s.Parts[0]
	b := strconv.AppendInt([]byte(`{"code":200,"events_ingested":`), int64(part.Accepted+part.Duplicates), 10)
	b = strconv.AppendInt(append(b, `,"payload_size_bytes":`...), int64(s.State.(int)), 10)
	b = strconv.AppendInt(append(b, `,"server_upload_time":`...), r.Now.UnixMilli(), 10)
	return jsonReply(http.StatusOK, append(b, '}'))
}

// Refuse returns what is wrong. The SDKs look at the code in the body rather than at the
// status. After a 400 they send again all events that the answer does not name, unless it has a
// missing field or is about the API key. So an unknown key gets a 400, too.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	message := err.Message
	if status == http.StatusUnauthorized {
		status, message = http.StatusBadRequest, "Invalid API key: "+message
	}
	if isForm(r) {
		return plainText(status, message)
	}
	b := strconv.AppendInt([]byte(`{"code":`), int64(status), 10)
	b = quote(append(b, `,"error":`...), message)
	switch details := err.Details.(type) {
	case missingField:
		b = quote(append(b, `,"missing_field":`...), string(details))
	case wrongEvents:
		b = appendPlaces(append(b, `,"events_with_missing_fields":`...), details.missing)
		b = appendPlaces(append(b, `,"events_with_invalid_fields":`...), details.invalid)
	default:
		if status == http.StatusTooManyRequests {
			b = append(b, `,"eps_threshold":0,"throttled_devices":{},"throttled_users":{},"throttled_events":[]`...)
		}
	}
	return jsonReply(status, append(b, '}'))
}

// appendPlaces appends {"field":[place, …]}.
func appendPlaces(b []byte, places map[string][]int) []byte {
	b = append(b, '{')
	for _, field := range [...]string{"event", "event_type", "groups", "time", "user_id"} {
		if len(places[field]) == 0 {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(b, '"'), field...)
		for i, place := range places[field] {
			b = append(b, [...]string{`":[`, ","}[min(i, 1)]...)
			b = strconv.AppendInt(b, int64(place), 10)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func quote(dst []byte, text string) []byte {
	return jsonscan.AppendString(dst, []byte(strings.ToValidUTF8(text, "\ufffd")))
}

func jsonReply(status int, body []byte) wire.Response {
	return wire.Response{Status: status, ContentType: "application/json", Body: body}
}

func plainText(status int, text string) wire.Response {
	return wire.Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}
