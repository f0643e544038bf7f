package matomo

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// replyState is what Answer needs of the request.
type replyState struct {
	bulk   bool
	quiet  bool // the sender wants no body
	proven bool // with token_auth
	hits   int  // of a bulk
}

// Answer is an image, or nothing where the sender wants none; of a bulk, how many hits
// were taken. What Weir does not keep counts as taken. If a project could not take its
// hits now, the sender is to send all again: those that were stored have ids.
func (Protocol) Answer(_ *wire.Request, s *wire.Decoded) wire.Response {
	reply, _ := s.State.(replyState)
	switch {
	case reply.bulk:
		return bulkAnswer(reply, s.Parts)
	case reply.quiet:
		return wire.Response{Status: http.StatusNoContent}
	}
	return wire.Response{Status: http.StatusOK, ContentType: "image/gif", Body: []byte(wire.Pixel)}
}

func bulkAnswer(reply replyState, parts []wire.Part) wire.Response {
	var invalid []int
	status, word := http.StatusOK, "success"
	for _, p := range parts {
		for _, j := range p.Rejected {
			if j.Reason != wire.ReasonUnsupported {
				invalid = append(invalid, j.Index)
			}
		}
		if p.Err == nil {
			continue
		}
		if code := weir.ErrorCode(p.Err); code != weir.EUNAUTHORIZED && code != weir.EFORBIDDEN {
			status, word = http.StatusServiceUnavailable, "error"
		}
		for i := range p.Events {
			invalid = append(invalid, p.Events[i].Index)
		}
	}
	slices.Sort(invalid)
	invalid = slices.Compact(invalid)
	if reply.quiet && status == http.StatusOK {
		return wire.Response{Status: http.StatusNoContent}
	}
	b := append(append([]byte(`{"status":"`), word...), `","tracked":`...)
	b = strconv.AppendInt(b, int64(reply.hits-len(invalid)), 10)
	b = strconv.AppendInt(append(b, `,"invalid":`...), int64(len(invalid)), 10)
	if reply.proven {
		b = append(b, `,"invalid_indices":[`...)
		for i, index := range invalid {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(index), 10)
		}
		b = append(b, ']')
	}
	return wire.Response{Status: status, ContentType: "application/json", Body: append(b, '}')}
}

// Refuse is what is wrong: as JSON to a sender of JSON, as text to others.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	if !strings.Contains(r.Header.Get("Content-Type"), "json") {
		return wire.Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(err.Message)}
	}
	b := jsonscan.AppendString([]byte(`{"status":"error","tracked":0,"invalid":0,"message":`), []byte(err.Message))
	return wire.Response{Status: status, ContentType: "application/json", Body: append(b, '}')}
}
