package client

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
)

// response sees what a handler answers.
type response struct {
	http.ResponseWriter
	call   *inflight
	status int // 0 until the answer begins
}

// answered returns the status when the handler has returned.
func (w *response) answered() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.wrote(int64(n))
	return n, err
}

// wrote adds to what the handler wrote. A recorded call stays as it was sent.
func (w *response) wrote(n int64) {
	if !w.call.recorded.Load() {
		w.call.written += n
	}
}

// WriteString keeps io.WriteString from copying.
func (w *response) WriteString(s string) (int, error) {
	w.begin(http.StatusOK)
	n, err := io.WriteString(w.ResponseWriter, s)
	w.wrote(int64(n))
	return n, err
}

// FlushError is what http.ResponseController calls.
func (w *response) FlushError() error {
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if err == nil {
		w.begin(http.StatusOK)
	}
	return err
}

// begin notes the first status that is final. A stream is recorded now: how long
// it is listened to is not the service's doing.
func (w *response) begin(status int) {
	if w.status != 0 || status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	w.status = status
	kind := w.Header()["Content-Type"]
	if status == http.StatusSwitchingProtocols || len(kind) > 0 && strings.HasPrefix(kind[0], "text/event-stream") {
		w.call.written = -1
		w.call.record(status)
	}
}

type flusher struct{ *response }

// Flush sends the headers, if that is still to be done.
func (w flusher) Flush() { _ = w.FlushError() }

type hijacker struct{ *response }

func (w hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}

type readerFrom struct{ *response }

// ReadFrom leaves a file to the server, which has the kernel send it.
func (w readerFrom) ReadFrom(r io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, r) // which calls its ReadFrom
	w.wrote(n)
	return n, err
}

// notifier is http.CloseNotifier, which is deprecated; gin's Stream needs it.
type notifier interface{ CloseNotify() <-chan bool }

type closeNotifier struct{ *response }

func (w closeNotifier) CloseNotify() <-chan bool {
	return w.ResponseWriter.(notifier).CloseNotify() //nolint:forcetypeassert // offering asked
}

type pusher struct{ *response }

func (w pusher) Push(target string, o *http.PushOptions) error {
	return w.ResponseWriter.(http.Pusher).Push(target, o) //nolint:forcetypeassert // offering asked
}
