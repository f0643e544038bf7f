package httpd

import "errors"

const (
	// maxHead is the largest head of a request, in bytes; net/http adds 4 KiB.
	maxHead = 32 << 10
	// maxHeadLines bounds the lines of a head. In memory a line costs some 90 bytes more
	// than its text: 32 KiB of the shortest lines would take 486 KB.
	maxHeadLines = 256
)

var errHead = errors.New("httpd: the head of a request has too many lines")

// headLines counts the lines of a head while it is read. Each connection has one; its reads are
// never concurrent.
type headLines struct {
	lines int
	blank bool // nothing stands on the line so far
	over  bool // the head has ended
}

// read counts what was read. Error: the head has too many lines.
func (h *headLines) read(p []byte) error {
	for _, c := range p {
		switch {
		case h.over:
			return nil
		case c == '\n' && h.blank && h.lines > 0:
			h.over = true
		case c == '\n':
			h.lines, h.blank = h.lines+1, true
		case c != '\r':
			h.blank = false
		}
	}
	if h.lines > maxHeadLines {
		return errHead
	}
	return nil
}
