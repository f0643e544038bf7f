package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// openpanelReply is what Answer needs of the request.
type openpanelReply struct {
	batch bool
	items int // of a batch
}

const openpanelJSON = "application/json; charset=utf-8"

// Answer names the device and a session, which the SDK keeps until the next answer. The
// old addresses answer in words.
func (OpenPanel) Answer(r *Request, s *Decoded) Response {
	reply, _ := s.State.(openpanelReply)
	if reply.batch {
		return Response{Status: http.StatusAccepted, ContentType: openpanelJSON, Body: openpanelBatch(reply, s.Parts)}
	}
	switch r.Route.Path {
	case openpanelOldEvent:
		return Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8", Body: []byte("ok")}
	case openpanelProfile, openpanelIncrement, openpanelDecrement:
		out := Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8"}
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
	b := appendQuoted([]byte(`{"deviceId":`), []byte(device))
	b = appendQuoted(append(b, `,"sessionId":`...), []byte(openpanelSession(device)))
	return Response{Status: http.StatusOK, ContentType: openpanelJSON, Body: append(b, '}')}
}

// openpanelSession is the session that a device is told. Visits are cut later, so it
// names none of them: it stays the same for as long as the device's id does. The SDK
// holds its replays back until it has one.
func openpanelSession(device string) string {
	if device == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("session\x00" + device))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// openpanelBatch says which events of a batch were not taken. A replay is not kept, and
// is no error.
func openpanelBatch(reply openpanelReply, parts []Part) []byte {
	var list []byte
	refused, last := 0, -1
	for _, p := range parts {
		for _, j := range p.Rejected {
			if j.Reason == ReasonUnsupported || j.Index == last {
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
			list = appendQuoted(append(list, `,"reason":"validation","error":`...), []byte(why))
			list = append(list, '}')
		}
	}
	b := strconv.AppendInt([]byte(`{"accepted":`), int64(reply.items-refused), 10)
	return append(append(append(b, `,"rejected":[`...), list...), "]}"...)
}

// Refuse says what is wrong, as OpenPanel's API does. The SDK looks at the status
// alone: it gives up at 401, and sends thrice more at any other.
func (OpenPanel) Refuse(_ *Request, status int, err *weir.Error) Response {
	b := strconv.AppendInt([]byte(`{"status":`), int64(status), 10)
	b = appendQuoted(append(b, `,"error":`...), []byte(http.StatusText(status)))
	b = appendQuoted(append(b, `,"message":`...), []byte(err.Message))
	return Response{Status: status, ContentType: openpanelJSON, Body: append(b, '}')}
}
