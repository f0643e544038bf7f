package httpd

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	weir "github.com/weir-analytics/weir"
)

// The least pace of a client. A slower client would hold a connection and memory that
// others need.
const (
	slack    = 10 * time.Second // until the first bytes are there
	pace     = 4 << 10          // bytes a second after that, on average
	bodyMost = time.Minute      // for a body in all

	// answerPart is how much of a large answer the client has to read within slack.
	answerPart   = 64 << 10
	writeTimeout = 2 * time.Minute // for an answer in all

	// lingers is how long the rest of a body may take after an answer that did not wait
	// for it. Until then net/http reads the body, so that the client sees the answer.
	lingers = 5 * time.Second
)

// pacedBody is a request's body that has to arrive at the least pace. It sets the
// connection's deadline, which replaces the server's ReadTimeout.
type pacedBody struct {
	io.ReadCloser
	conn   *http.ResponseController
	read   int64
	waited time.Duration // for the client. The time that the server takes between reads does not count
	ended  bool          // the deadline must not change any more
	until  time.Time     // the deadline
}

// paced returns r with a body that has to arrive at the least pace. Call answered after the
// answer.
func paced(w http.ResponseWriter, r *http.Request) (*http.Request, *pacedBody) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	b := &pacedBody{ReadCloser: r.Body, conn: http.NewResponseController(w)}
	b.deadline(time.Now().Add(slack)) // also for a handler that answers without reading it
	r.Body = b
	return r, b
}

// deadline sets the read deadline of the connection, to a tenth of a second: most bodies are there at
// once, and each change of a deadline costs. The writer of a test may have none.
func (b *pacedBody) deadline(t time.Time) {
	if d := t.Sub(b.until); d < -100*time.Millisecond || d > 100*time.Millisecond {
		b.until = t
		_ = b.conn.SetReadDeadline(t)
	}
}

// Read implements io.Reader. Error: ETOOSLOW.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	within := min(slack+time.Duration(b.read/pace)*time.Second, bodyMost)
	began := time.Now()
	b.deadline(began.Add(within - b.waited))
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	b.waited += time.Since(began)
	switch {
	case errors.Is(err, io.EOF):
		// net/http has removed the deadline, and reads in the background to notice if the
		// client leaves. A deadline would end the request.
		b.ended = true
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.ended = true // the deadline stays
		err = weir.Errorf(weir.ETOOSLOW, "the body came too slowly: %d bytes in %d seconds; send at least %d bytes a second, and all within %d seconds",
			b.read, b.waited/time.Second, pace, bodyMost/time.Second)
	}
	return n, err
}

// answered ends the request.
func (b *pacedBody) answered() {
	if b != nil && !b.ended {
		b.deadline(time.Now().Add(lingers))
	}
}
