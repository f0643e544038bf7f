package mixpanel

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// reply is what Decode notes for Answer.
type reply struct {
	verbose bool
	strict  bool
	faults  []fault // with strict
}

// fault is a record of an import that was rejected.
type fault struct {
	index int
	id    string
}

// callbackName is a function of a page that may stand in an answer as it is.
var callbackName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$.]{0,127}$`)

// Answer returns 1, which the SDKs look for; {"status":1,"error":null} with verbose=1; an
// image with img=1; a call of the function with callback=NAME. It is 400 if no item was stored, and one
// of them was wrong.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	if r.Route.Path == pathRecord {
		return jsonReply(http.StatusOK, `{"code":200,"status":"OK"}`)
	}
	noted := s.State.(*reply)
	if noted.strict {
		return importReply(&s.Parts[0], noted.faults)
	}
	if wrong := firstWrong(s); wrong != nil {
		return failure(http.StatusBadRequest, fmt.Sprintf("item %d: %s", wrong.Index, explain(wrong)))
	}
	query := r.Query()
	if query.Get("img") == "1" {
		return wire.Response{Status: http.StatusOK, ContentType: "image/gif", Body: []byte(wire.Pixel)}
	}
	text := "1"
	if noted.verbose {
		text = `{"status":1,"error":null}`
	}
	if name := query.Get("callback"); callbackName.MatchString(name) {
		return wire.Response{Status: http.StatusOK, ContentType: "text/javascript; charset=utf-8", Body: []byte(name + "(" + text + ");")}
	}
	return jsonReply(http.StatusOK, text)
}

// firstWrong returns the first item that is wrong, if no item was stored.
func firstWrong(s *wire.Decoded) *weir.Rejection {
	for i := range s.Parts {
		if part := &s.Parts[i]; len(part.Events) == 0 {
			for k := range part.Rejected {
				if part.Rejected[k].Reason != wire.ReasonUnsupported {
					return &part.Rejected[k]
				}
			}
		}
	}
	return nil
}

// importReply returns how many records were stored, and why others were not.
func importReply(part *wire.Part, faults []fault) wire.Response {
	stored := strconv.Itoa(part.Accepted + part.Duplicates)
	if len(part.Rejected) == 0 {
		return jsonReply(http.StatusOK, `{"code":200,"num_records_imported":`+stored+`,"status":"OK"}`)
	}
	ids := make(map[int]string, len(faults))
	for _, f := range faults {
		ids[f.index] = f.id
	}
	b := []byte(`{"code":400,"error":"some data points in the request failed validation","failed_records":[`)
	for i := range part.Rejected {
		if i > 0 {
			b = append(b, ',')
		}
		wrong := &part.Rejected[i]
		b = strconv.AppendInt(append(b, `{"index":`...), int64(wrong.Index), 10)
		b = quote(append(b, `,"insert_id":`...), ids[wrong.Index])
		b = quote(append(b, `,"field":`...), fieldOf(wrong.Reason))
		b = quote(append(b, `,"message":`...), explain(wrong))
		b = append(b, '}')
	}
	return jsonReply(http.StatusBadRequest, string(b)+`],"num_records_imported":`+stored+`,"status":"Bad Request"}`)
}

// fieldOf returns the field that a reason is about, in Mixpanel's words.
func fieldOf(reason string) string {
	switch reason {
	case wire.ReasonNameMissing:
		return "event"
	case wire.ReasonTimeInvalid, wire.ReasonTimeAncient:
		return "properties.time"
	case wire.ReasonIDMissing:
		return "properties.distinct_id"
	}
	return ""
}

func explain(wrong *weir.Rejection) string {
	if wrong.Detail == "" {
		return wrong.Reason
	}
	return wrong.Reason + ": " + wrong.Detail
}

func failure(status int, message string) wire.Response {
	return jsonReply(status, string(quote([]byte(`{"status":0,"error":`), message))+"}")
}

func importFailure(status int, message string) wire.Response {
	b := quote(fmt.Appendf(nil, `{"code":%d,"error":`, status), message)
	b = quote(append(b, `,"status":`...), http.StatusText(status))
	return jsonReply(status, string(b)+"}")
}

func quote(dst []byte, text string) []byte {
	return jsonscan.AppendString(dst, []byte(strings.ToValidUTF8(text, "\ufffd")))
}

func jsonReply(status int, text string) wire.Response {
	return wire.Response{Status: status, ContentType: "application/json", Body: []byte(text)}
}
