package httpd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Front listens from the start of the process, before there is a Server: until
// then /healthz is answered with 200 and all else with 503 and Retry-After. So an
// orchestrator sees a start that takes long, and does not kill it.
type Front struct {
	Logger *slog.Logger
	// Within is how long Run waits for the requests under way when it stops; 10 s.
	Within time.Duration
	// Conns bounds the connections; nil is any number.
	Conns *Conns
	// TLS is the certificate of the listener; nil is HTTP without TLS.
	TLS *Certificate

	server atomic.Pointer[Server]
}

// Pass makes requests go to the server from now on.
func (f *Front) Pass(s *Server) { f.server.Store(s) }

// serve passes the request to the server. Before Pass, /healthz gets 200 and everything else
// 503 with Retry-After.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) {
	leave, err := f.Conns.enter(r)
	if err != nil {
		refuse(w, err)
		return
	}
	defer leave()
	if f.TLS != nil {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true} // net/http does not know, see Conns.listener
	}
	if s := f.server.Load(); s != nil {
		s.serve(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte("{\"status\":\"ok\"}\n")) // who does not read it is gone
		return
	}
	refuse(w, errStarting)
}

// refuse answers a request that does not reach the server.
func refuse(w http.ResponseWriter, err error) {
	e := asError(err)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Retry-After", e.header.Get("Retry-After"))
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(e) // who does not read it is gone
}

// errStarting answers who comes before all stores are open.
var errStarting = weir.Errorf(weir.EUNAVAILABLE, "the server is starting: its stores are not open yet")

// Run serves on l, which it closes, until ctx ends. Then it stops accepting,
// ends live streams, waits for the requests under way for at most Within, and cuts
// off the rest: nothing of theirs was acknowledged. A Front runs once.
func (f *Front) Run(ctx context.Context, l net.Listener) error {
	def(&f.Within, 10*time.Second)
	srv := &http.Server{
		Handler:           http.HandlerFunc(f.serve),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,  // bodies set their own
		WriteTimeout:      writeTimeout, // live streams set their own
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(f.Logger.Handler(), slog.LevelWarn),
		Protocols:         httpVersions(),
		HTTP2:             http2Config,
	}
	conns, secure := f.Conns, (*tls.Config)(nil)
	if f.TLS != nil {
		secure = f.TLS.config()
	}
	if conns == nil {
		conns = NewConns(math.MaxInt, math.MaxInt, nil, nil)
	}
	l, srv.ConnState = conns.listener(l, secure), conns.state
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("httpd: serve: %w", err)
	case <-ctx.Done():
	}
	if s := f.server.Load(); s != nil {
		s.stopOnce.Do(func() { close(s.stopping) })
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Within)
	defer cancel()
	if err := srv.Shutdown(wait); err != nil {
		f.Logger.WarnContext(ctx, "requests were still running and are cut off without an answer", "after", f.Within)
		_ = srv.Close() // what it closes is given up
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("httpd: serve: %w", err)
	}
	return nil
}
