package httpd_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
)

// gate is an Ingester that holds requests until a test opens it.
type gate struct {
	nothing // but for Deliver
	entered chan struct{}
	open    chan struct{}
}

func (g *gate) Deliver(context.Context, *weir.Project, []weir.Incoming, []weir.Rejection, ingest.Remote) (ingest.Reply, error) {
	g.entered <- struct{}{}
	<-g.open
	return ingest.Reply{Accepted: 1}, nil
}

type running struct {
	url, key, admin string
	project         *weir.Project
	hub             *live.Hub
	gate            *gate
	stop            context.CancelFunc
	done            chan error
}

func run(t *testing.T, drain time.Duration) *running {
	t.Helper()
	store, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "meta.db"), nil, meta.WithPasswordCost(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := &running{hub: live.NewHub(4), gate: &gate{entered: make(chan struct{}, 1), open: make(chan struct{})}, done: make(chan error, 1)}
	if r.project, r.key, err = store.CreateProject(t.Context(), meta.NewProject{Name: "Shop"}); err != nil {
		t.Fatal(err)
	}
	if r.admin, _, err = store.EnsureAdminToken(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	s := httpd.New(httpd.Config{
		Directory: store, Ingest: r.gate, Live: r.hub,
		Logger: slog.New(slog.DiscardHandler), DrainTimeout: drain,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() { r.done <- s.Run(ctx, l) }()
	return r
}

// send posts an event and reports the status, 0 for a broken connection.
func (r *running) send() <-chan int {
	status := make(chan int, 1)
	go func() {
		res, err := http.Post(r.url+"/v1/events?key="+r.key, "application/json", strings.NewReader("{}"))
		if err != nil {
			status <- 0
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	return status
}

func TestStoppingWaitsForTheRequestsUnderWay(t *testing.T) {
	r := run(t, time.Minute)
	status := r.send()
	<-r.gate.entered
	r.stop()
	close(r.gate.open)
	if got := <-status; got != 200 {
		t.Errorf("the request under way got %d", got)
	}
	if err := <-r.done; err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := http.Get(r.url + "/healthz"); err == nil {
		t.Error("the server still accepts")
	}
}

func TestStoppingCutsOffWhatTakesTooLong(t *testing.T) {
	r := run(t, time.Millisecond)
	status := r.send()
	<-r.gate.entered
	r.stop()
	if err := <-r.done; err != nil {
		t.Errorf("run: %v", err)
	}
	if got := <-status; got != 0 {
		t.Errorf("the request under way got %d", got)
	}
	close(r.gate.open)
}

func TestStoppingEndsLiveStreams(t *testing.T) {
	r := run(t, time.Minute)
	req, err := http.NewRequestWithContext(t.Context(), "GET", r.url+"/api/v1/projects/"+r.project.ID+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.admin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r.stop()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("the stream was cut off: %v", err)
	}
	if err := <-r.done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestRunFailsWhenItsListenerDoes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "meta.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := httpd.New(httpd.Config{Directory: store, Logger: slog.New(slog.DiscardHandler)})
	if err := s.Run(t.Context(), l); err == nil {
		t.Fatal("served on a closed listener")
	}
}
