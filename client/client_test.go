package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/client"
)

func send(t *testing.T, c *client.Client, n int) {
	t.Helper()
	for i := range n {
		if err := c.Send(client.Event{Name: fmt.Sprintf("e%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventsGoOutWhenTheIntervalIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		c := to(t, f, func(cfg *client.Config) { cfg.Interval = 3 * time.Second })
		began := time.Now()
		send(t, c, 5)
		time.Sleep(2999 * time.Millisecond) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if n := len(f.seen()); n != 0 {
			t.Fatalf("%d requests before the interval is over", n)
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		seen := f.seen()
		if len(seen) != 1 || len(seen[0].events) != 5 || seen[0].at.Sub(began) != 3*time.Second {
			t.Fatalf("requests: %+v", seen)
		}
		shut(t, c)
		if n := len(f.seen()); n != 1 {
			t.Fatalf("Close sent %d requests of nothing", n-1)
		}
	})
}

func TestABatchHasAtMostSoManyEventsAndBytes(t *testing.T) {
	for name, change := range map[string]func(*client.Config){
		"events": func(cfg *client.Config) { cfg.BatchEvents = 10 },
		"bytes":  func(cfg *client.Config) { cfg.BatchBytes = 2000 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				c := to(t, f, func(cfg *client.Config) { cfg.Interval = time.Hour; change(cfg) })
				send(t, c, 95)
				synctest.Wait()
				if n := len(f.all()); n < 80 || n == 95 {
					t.Errorf("full batches wait: %d events were sent", n)
				}
				shut(t, c)
				for _, r := range f.seen() {
					if len(r.events) > 20 || name == "events" && len(r.events) > 10 || name == "bytes" && r.bytes > 2000 {
						t.Errorf("a request of %d events, %d bytes", len(r.events), r.bytes)
					}
				}
				if n := len(f.all()); n != 95 {
					t.Errorf("%d events arrived", n)
				}
			})
		})
	}
}

func TestARequestCarriesKeyFormAndCompression(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	send(t, c, 1)
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	send(t, c, 100)
	shut(t, c)
	seen := f.seen()
	if len(seen) != 2 || seen[0].gzip || !seen[1].gzip {
		t.Fatalf("want a short request as it is and a long one compressed: %+v", seen)
	}
	for key, want := range map[string]string{
		"Authorization": "Bearer wk_test", "Content-Type": "application/x-ndjson", "User-Agent": "weir-go/" + client.Version,
	} {
		if got := seen[1].header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// TestMemoryIsBoundedWhileTheServerIsAway also sees that Send waits for nothing.
func TestMemoryIsBoundedWhileTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var away atomic.Bool
		away.Store(true)
		f := &fake{}
		f.answer = func(_ int, r *http.Request, _ []sent, take func() *http.Response) (*http.Response, error) {
			if away.Load() {
				<-r.Context().Done() // a server that takes the connection and says nothing
				return nil, r.Context().Err()
			}
			return take(), nil
		}
		var dropped atomic.Uint64
		c := to(t, f, func(cfg *client.Config) {
			cfg.BatchBytes, cfg.QueueBytes = 16<<10, 128<<10
			cfg.Dropped = func(reason string, n uint64) {
				if reason == "full" {
					dropped.Add(n)
				}
			}
		})
		began := time.Now()
		refused := uint64(0)
		for i := range 20_000 {
			if err := c.Send(client.Event{Name: "x", Properties: map[string]any{"i": i}}); errors.Is(err, client.ErrFull) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Send waited for %v", took)
		}
		s := c.Stats()
		if s.QueuedBytes > 128<<10 || s.Dropped.Full != refused || s.Queued != 20_000-refused || refused < 15_000 {
			t.Errorf("%d were refused: %+v", refused, s)
		}
		away.Store(false)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(f.all()); uint64(n) != 20_000-refused {
			t.Errorf("%d are stored, %d were taken", n, 20_000-refused)
		}
		shut(t, c)
		if n := dropped.Load(); n != refused {
			t.Errorf("told of %d drops, want %d", n, refused)
		}
	})
}

func TestWhatCannotBeSentIsCounted(t *testing.T) {
	f := &fake{}
	c := to(t, f, func(cfg *client.Config) { cfg.BatchBytes = 1000 })
	if err := c.Send(client.Event{Name: "x", Properties: map[string]any{"f": func() {}}}); err == nil {
		t.Error("a function was taken as a property")
	}
	if err := c.Send(client.Event{Name: "x", Revenue: math.NaN()}); err == nil {
		t.Error("no number was taken as revenue")
	}
	if err := c.Send(client.Event{Name: "x", Title: strings.Repeat("t", 1000)}); !errors.Is(err, client.ErrTooLarge) {
		t.Error(err)
	}
	shut(t, c)
	if err := c.Send(client.Event{Name: "x"}); !errors.Is(err, client.ErrClosed) {
		t.Error(err)
	}
	if d := c.Stats().Dropped; d.Invalid != 2 || d.Large != 1 || d.Closed != 1 {
		t.Errorf("%+v", d)
	}
}

func TestCloseKeepsItsDeadline(t *testing.T) {
	for name, answer := range map[string]func(r *http.Request) (*http.Response, error){
		"no connection": func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") },
		"no answer":     func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"come later":    func(*http.Request) (*http.Response, error) { return respond(503, "", "Retry-After", "60"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := to(t, &fake{answer: func(_ int, r *http.Request, _ []sent, _ func() *http.Response) (*http.Response, error) {
					return answer(r)
				}},
					func(cfg *client.Config) { cfg.BatchEvents = 3 })
				send(t, c, 10)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				began := time.Now()
				err := c.Close(ctx)
				if took := time.Since(began); took > 2*time.Second || name == "come later" && took > 0 {
					t.Errorf("it took %v", took)
				}
				if err == nil || !strings.Contains(err.Error(), "10 events were dropped") || c.Stats().Dropped.Closed != 10 {
					t.Errorf("%v; %+v", err, c.Stats())
				}
				began = time.Now()
				if err := c.Close(ctx); err == nil || time.Since(began) > 0 {
					t.Errorf("again: %v", err)
				}
			})
		})
	}
}

func TestCloseDoesNotWaitForTheNextTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		f := &fake{}
		f.answer = func(_ int, _ *http.Request, _ []sent, take func() *http.Response) (*http.Response, error) {
			if back.Load() {
				return take(), nil
			}
			return respond(500, ""), nil
		}
		c := to(t, f, nil)
		send(t, c, 10)
		time.Sleep(100 * time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		back.Store(true)
		began := time.Now()
		shut(t, c)
		if took := time.Since(began); took > 0 || len(f.all()) != 10 {
			t.Errorf("%d events after %v", len(f.all()), took)
		}
	})
}

func TestFlushGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := to(t, &fake{answer: func(int, *http.Request, []sent, func() *http.Response) (*http.Response, error) {
			return respond(500, ""), nil
		}}, nil)
		send(t, c, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if s := c.Stats(); s.Queued != 1 {
			t.Errorf("the event is gone: %+v", s)
		}
		if err := c.Close(ctx); err == nil {
			t.Error("Close lost an event and does not say so")
		}
	})
}

func TestManySendersLoseNothing(t *testing.T) {
	f := &fake{}
	f.answer = func(n int, _ *http.Request, _ []sent, take func() *http.Response) (*http.Response, error) {
		r := take()
		if n%3 == 0 {
			return nil, errors.New("lost")
		}
		return r, nil
	}
	c := to(t, f, func(cfg *client.Config) { cfg.MaxBackoff = time.Millisecond; cfg.BatchEvents = 100 })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 500 {
				if err := c.Send(client.Event{Name: "x"}); err != nil {
					t.Error(err)
				}
				if i%100 == 0 {
					c.Stats()
				}
			}
		})
	}
	wg.Go(func() {
		if err := c.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	shut(t, c)
	if n := len(f.all()); n != 4000 {
		t.Errorf("%d events are stored", n)
	}
}

// TestNothingRunsAfterClose uses the client's own HTTP client and a real
// connection.
func TestNothingRunsAfterClose(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"accepted":1,"duplicates":0,"rejected":[]}`)
	}))
	before := runtime.NumGoroutine()
	for range 10 {
		c, err := client.New(client.Config{URL: s.URL + "/behind/a/path/", Key: "wk"})
		if err != nil {
			t.Fatal(err)
		}
		send(t, c, 1)
		shut(t, c)
	}
	s.Close()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestAWrongConfigIsRefused(t *testing.T) {
	for _, c := range []client.Config{
		{URL: "", Key: "k"},
		{URL: "weir:8080", Key: "k"},
		{URL: "ftp://weir", Key: "k"},
		{URL: "http://", Key: "k"},
		{URL: "http://weir?key=1", Key: "k"},
		{URL: "http://weir\x7f", Key: "k"},
		{URL: "http://weir", Key: " "},
		{URL: "http://weir", Key: "a\r\nb"},
	} {
		if _, err := client.New(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
