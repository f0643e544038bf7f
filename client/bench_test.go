package client_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/weir-analytics/weir/client"
)

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkRecord is what a call costs with Record, less what it costs without: the
// median of single calls, with a Weir that answers and with one that is away.
func BenchmarkRecord(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for name, transport := range map[string]http.RoundTripper{"dead": refusing{}, "alive": accepting{}} {
		b.Run(name, func(b *testing.B) {
			c, err := client.New(client.Config{URL: "http://weir.test", Key: "wk", HTTP: &http.Client{Transport: transport}, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				ctx, cancel := context.WithCancel(b.Context())
				cancel()
				_ = c.Close(ctx)
			}()
			recorded := c.Record(mux, client.Consumer(client.KeyConsumer("X-Api-Key")))
			r := httptest.NewRequest("GET", "/users/42", nil)
			r.Header.Set("X-Api-Key", "0123456789abcdef0123456789abcdef")
			w := nowhere{http.Header{}}
			with, without := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
			b.ReportAllocs()
			for b.Loop() {
				t0 := time.Now()
				mux.ServeHTTP(w, r)
				t1 := time.Now()
				recorded.ServeHTTP(w, r)
				t2 := time.Now()
				without, with = append(without, t1.Sub(t0)), append(with, t2.Sub(t1))
			}
			slices.Sort(with)
			slices.Sort(without)
			at := func(d []time.Duration, q float64) float64 { return float64(d[int(q*float64(len(d)-1))].Nanoseconds()) }
			b.ReportMetric(at(with, .5)-at(without, .5), "ns-overhead-p50")
			b.ReportMetric(at(with, .99)-at(without, .99), "ns-overhead-p99")
		})
	}
}

// refusing is a server that is away, accepting one that takes everything.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed }

type accepting struct{}

func (accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = z
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return respond(200, fmt.Sprintf(`{"accepted":%d,"duplicates":0,"rejected":[]}`, bytes.Count(raw, []byte("\n")))), nil
}
