package wire

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// matomoReply is what Answer needs of the request.
type matomoReply struct {
	bulk   bool
	quiet  bool // the sender wants no body
	proven bool // with token_auth
	hits   int  // of a bulk
}

// matomoImage is a transparent GIF of one pixel.
const matomoImage = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// Answer is an image, or nothing where the sender wants none; of a bulk, how many hits
// were taken. What Weir does not keep counts as taken. If a project could not take its
// hits now, the sender is to send all again: those that were stored have ids.
func (Matomo) Answer(_ *Request, s *Decoded) Response {
	reply, _ := s.State.(matomoReply)
	switch {
	case reply.bulk:
		return matomoBulk(reply, s.Parts)
	case reply.quiet:
		return Response{Status: http.StatusNoContent}
	}
	return Response{Status: http.StatusOK, ContentType: "image/gif", Body: []byte(matomoImage)}
}

func matomoBulk(reply matomoReply, parts []Part) Response {
	var invalid []int
	status, word := http.StatusOK, "success"
	for _, p := range parts {
		for _, j := range p.Rejected {
			if j.Reason != ReasonUnsupported {
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
		return Response{Status: http.StatusNoContent}
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
	return Response{Status: status, ContentType: "application/json", Body: append(b, '}')}
}

// Refuse is what is wrong: as JSON to a sender of JSON, as text to others.
func (Matomo) Refuse(r *Request, status int, err *weir.Error) Response {
	if !strings.Contains(r.Header.Get("Content-Type"), "json") {
		return Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(err.Message)}
	}
	b := appendQuoted([]byte(`{"status":"error","tracked":0,"invalid":0,"message":`), []byte(err.Message))
	return Response{Status: status, ContentType: "application/json", Body: append(b, '}')}
}
