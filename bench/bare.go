package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Bare is what a handler that does nothing takes of the same load: the most that a server in Go
// could take, with this generator on this machine at this time.
type Bare struct {
	AcceptedPerSecond float64 `json:"accepted_per_second"`
	CPUMicros         float64 `json:"cpu_micros_per_event"` // 0 where a process's CPU cannot be read
	Share             float64 `json:"share"`                // the server's AcceptedPerSecond of this one
}

// ServeBare serves requests of batch events on a port of loopback until ctx ends. It reads them and says
// that it took them. It writes its address to w first.
func ServeBare(ctx context.Context, w io.Writer, batch int) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer l.Close()
	answer := fmt.Appendf(nil, `{"accepted":%d,"duplicates":0,"rejected":[]}`+"\n", batch)
	srv := &http.Server{ReadHeaderTimeout: requestTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the sender is gone
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) // who does not read it is gone
	})}
	if _, err := fmt.Fprintf(w, "http://%s\n", l.Addr()); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	ended := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer ended()
	if err := srv.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// Against sets what a bare handler took, and the share.
func (r *Report) Against(bare *Report) {
	r.Bare = &Bare{AcceptedPerSecond: bare.AcceptedPerSecond}
	for _, s := range bare.Servers {
		r.Bare.CPUMicros += s.CPUMicros
	}
	if bare.AcceptedPerSecond > 0 {
		r.Bare.Share = r.AcceptedPerSecond / bare.AcceptedPerSecond
	}
}

// WithoutQuery is the load for a server that answers no questions.
func (c Config) WithoutQuery(url string, pids ...int) Config {
	c.URL, c.Project, c.Token, c.PIDs = url, "", "", pids
	return c
}
