package httpd_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
)

type nothing struct{}

func (nothing) Deliver(context.Context, *weir.Project, []weir.Incoming, []weir.Rejection, ingest.Remote) (ingest.Reply, error) {
	return ingest.Reply{}, nil
}

func (nothing) Device(context.Context, *weir.Project, ingest.Remote) (string, error) { return "", nil }

func (nothing) Refused(error) {}

// sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkIngestRoute is what the server adds to an ingest request: all but
// net/http itself and the Ingester.
func BenchmarkIngestRoute(b *testing.B) { ingestRoute(b, httpd.Config{}) }

// BenchmarkIngestRouteWithLimits is the same when addresses are held to a rate.
func BenchmarkIngestRouteWithLimits(b *testing.B) {
	ingestRoute(b, httpd.Config{
		RateLimiter: ingest.NewLimiter(ingest.LimiterConfig{}), LimitIP: weir.Rate{N: weir.MaxRate, Per: time.Second},
	})
}

func ingestRoute(b *testing.B, c httpd.Config) {
	b.Helper()
	store, err := meta.Open(b.Context(), filepath.Join(b.TempDir(), "meta.db"), nil, meta.WithPasswordCost(8, 1))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	_, key, err := store.CreateProject(b.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		b.Fatal(err)
	}
	c.Directory, c.Ingest, c.Logger = store, nothing{}, slog.New(slog.DiscardHandler)
	h := httpd.New(c).Handler()
	req, err := http.NewRequest("POST", "/v1/events", strings.NewReader("{}"))
	if err != nil {
		b.Fatal(err)
	}
	req.RemoteAddr = "198.51.100.7:4711"
	req.Header.Set("Authorization", "Bearer "+key)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&sink{http.Header{}}, req)
	}
}

// BenchmarkOverviewRoute is what the server adds to a question: all but net/http
// itself and the answer.
func BenchmarkOverviewRoute(b *testing.B) {
	store, err := meta.Open(b.Context(), filepath.Join(b.TempDir(), "meta.db"), nil, meta.WithPasswordCost(8, 1))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	p, _, err := store.CreateProject(b.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		b.Fatal(err)
	}
	token, _, err := store.EnsureAdminToken(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	h := httpd.New(httpd.Config{
		Directory: store, Stats: statistics{&backend{}},
		Logger: slog.New(slog.DiscardHandler),
	}).Handler()
	req, err := http.NewRequest("GET", "/api/v1/projects/"+p.ID+"/stats/overview", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.RemoteAddr = "198.51.100.7:4711"
	req.Header.Set("Authorization", "Bearer "+token)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(&sink{http.Header{}}, req)
	}
}
