package accesslog

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// container parses what a container wrote to its output, out of the lines in which Docker ("json-file")
// and Kubernetes (CRI) store it. Other lines are parsed as they are.
type container struct{ inner Parser }

func (p *container) Parse(line []byte, e *Entry) error {
	text, partial := unwrap(line)
	if partial {
		return syntaxError(0, "a part of a line that was too long for the container's log")
	}
	return p.inner.Parse(text, e)
}

// unwrap returns what a container wrote, or the line itself. partial says that the
// text is not a whole line.
func unwrap(line []byte) (text []byte, partial bool) {
	if bytes.HasPrefix(line, []byte(`{"log":`)) {
		var x struct {
			Log    *string   `json:"log"`
			Stream string    `json:"stream"`
			Time   time.Time `json:"time"`
		}
		if json.Unmarshal(line, &x) != nil || x.Log == nil || x.Stream == "" || x.Time.IsZero() {
			return line, false
		}
		text, ended := bytes.CutSuffix([]byte(*x.Log), []byte("\n"))
		return bytes.TrimSuffix(text, []byte("\r")), !ended
	}
	// 2026-03-01T10:00:00.123456789Z stdout F the line
	stamp, rest, _ := bytes.Cut(line, []byte(" "))
	stream, rest, _ := bytes.Cut(rest, []byte(" "))
	tag, rest, ok := bytes.Cut(rest, []byte(" "))
	if !ok || string(stream) != "stdout" && string(stream) != "stderr" || len(tag) != 1 || len(stamp) < 20 || stamp[4] != '-' {
		return line, false
	}
	return rest, tag[0] == 'P'
}

func isLeftOut(err error) bool {
	s, ok := errors.AsType[*SyntaxError](err)
	return ok && s.LeftOut
}
