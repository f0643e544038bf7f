package openpanel

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// replyState is what Answer needs of the request.
type replyState struct {
	batch bool
	items int // of a batch
}

const jsonType = "application/json; charset=utf-8"

// Answer names the device and a session, which the SDK keeps until the next answer. The
// old addresses answer in words.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	reply, _ := s.State.(replyState)
	if reply.batch {
		return wire.Response{Status: http.StatusAccepted, ContentType: jsonType, Body: batchAnswer(reply, s.Parts)}
	}
	switch r.Route.Path {
	case pathOldEvent:
		return wire.Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8", Body: []byte("ok")}
	case pathProfile, pathIncrement, pathDecrement:
		out := wire.Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8"}
		if len(s.Parts) > 0 && len(s.Parts[0].Events) > 0 {
			out.Body = []byte(s.Parts[0].Events[0].Event.ProfileID)
		}
		return out
	}
	device := ""
	if len(s.Parts) > 0 {
		if device = s.Parts[0].Device; len(s.Parts[0].Events) > 0 {
			device = s.Parts[0].Events[0].Event.DeviceID
		}
	}
	b := jsonscan.AppendString([]byte(`{"deviceId":`), []byte(device))
	b = jsonscan.AppendString(append(b, `,"sessionId":`...), []byte(sessionOf(device)))
	return wire.Response{Status: http.StatusOK, ContentType: jsonType, Body: append(b, '}')}
}

// sessionOf returns the session id in the answer to a device. Visits are computed later, so it
// names none of them: it stays the same for as long as the device's id does. The SDK
// holds its replays back until it has one.
func sessionOf(device string) string {
	if device == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("session\x00" + device))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// batchAnswer says which events of a batch were not taken. A replay is not kept, and
// is no error.
func batchAnswer(reply replyState, parts []wire.Part) []byte {
	var list []byte
	refused, last := 0, -1
	for _, p := range parts {
		for _, j := range p.Rejected {
			if j.Reason == wire.ReasonUnsupported || j.Index == last {
				continue
			}
			if refused++; refused > 1 {
				list = append(list, ',')
			}
			last = j.Index
			why := j.Reason
			if j.Detail != "" {
				why += ": " + j.Detail
			}
			list = strconv.AppendInt(append(list, `{"index":`...), int64(j.Index), 10)
			list = jsonscan.AppendString(append(list, `,"reason":"validation","error":`...), []byte(why))
			list = append(list, '}')
		}
	}
	b := strconv.AppendInt([]byte(`{"accepted":`), int64(reply.items-refused), 10)
	return append(append(append(b, `,"rejected":[`...), list...), "]}"...)
}

// Refuse says what is wrong, as OpenPanel's API does. The SDK looks at the status
// alone: it gives up at 401, and sends thrice more at any other.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	b := strconv.AppendInt([]byte(`{"status":`), int64(status), 10)
	b = jsonscan.AppendString(append(b, `,"error":`...), []byte(http.StatusText(status)))
	b = jsonscan.AppendString(append(b, `,"message":`...), []byte(err.Message))
	return wire.Response{Status: status, ContentType: jsonType, Body: append(b, '}')}
}
