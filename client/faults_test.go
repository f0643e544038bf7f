package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/client"
)

// TestEachFaultIsOutlasted has the server fail in each way before it takes the
// events, and after it took them but could not say so.
func TestEachFaultIsOutlasted(t *testing.T) {
	lost := errors.New("connection lost")
	for name, fault := range map[string]func(take func() *http.Response) (*http.Response, error){
		"500":                  func(func() *http.Response) (*http.Response, error) { return respond(500, ""), nil },
		"503":                  func(func() *http.Response) (*http.Response, error) { return respond(503, ""), nil },
		"429":                  func(func() *http.Response) (*http.Response, error) { return respond(429, ""), nil },
		"408":                  func(func() *http.Response) (*http.Response, error) { return respond(408, ""), nil },
		"no connection":        func(func() *http.Response) (*http.Response, error) { return nil, lost },
		"lost answer":          func(take func() *http.Response) (*http.Response, error) { take(); return nil, lost },
		"500 after the commit": func(take func() *http.Response) (*http.Response, error) { take(); return respond(500, ""), nil },
		"cut answer": func(take func() *http.Response) (*http.Response, error) {
			r := take()
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"accep`), errReader{lost}))
			return r, nil
		},
		"another server's 200": func(func() *http.Response) (*http.Response, error) { return respond(200, "<html>"), nil },
		"an answer to another": func(func() *http.Response) (*http.Response, error) {
			return respond(200, `{"accepted":1,"duplicates":0,"rejected":[]}`), nil
		},
		"a rejection of nothing": func(func() *http.Response) (*http.Response, error) {
			return respond(200, `{"accepted":49,"duplicates":0,"rejected":[{"index":50,"reason":"x"}]}`), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				f.answer = func(n int, _ *http.Request, _ []sent, take func() *http.Response) (*http.Response, error) {
					if n < 3 {
						return fault(take)
					}
					return take(), nil
				}
				c := to(t, f, nil)
				send(t, c, 50)
				if err := c.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				seen := f.seen()
				if len(seen) != 4 {
					t.Fatalf("%d requests", len(seen))
				}
				for _, r := range seen[1:] {
					if !slices.EqualFunc(r.events, seen[0].events, func(a, b sent) bool { return a.ID == b.ID && a.TS == b.TS }) {
						t.Error("another try sent other events")
					}
				}
				if n := len(f.all()); n != 50 {
					t.Errorf("%d events are stored", n)
				}
				s := c.Stats()
				if s.Accepted+s.Duplicates != 50 || s.Retries != 3 {
					t.Errorf("%+v", s)
				}
				shut(t, c)
			})
		})
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestTriesComeFurtherApartAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(int, *http.Request, []sent, func() *http.Response) (*http.Response, error) {
			return respond(500, ""), nil
		}}
		c := to(t, f, func(cfg *client.Config) { cfg.MaxBackoff = 4 * time.Second; cfg.RetryFor = time.Minute })
		send(t, c, 1)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := f.seen()
		longest := 250 * time.Millisecond
		exact := 0
		for i := 1; i < len(seen); i++ {
			wait := seen[i].at.Sub(seen[i-1].at)
			if wait < longest/2 || wait > longest {
				t.Errorf("try %d after %v, want %v to %v", i, wait, longest/2, longest)
			}
			if wait == longest {
				exact++
			}
			longest = min(2*longest, 4*time.Second)
		}
		if len(seen) < 15 || exact == len(seen)-1 {
			t.Errorf("%d tries, %d of them on the second", len(seen), exact)
		}
		if s := c.Stats(); s.Dropped.Expired != 1 {
			t.Errorf("after RetryFor: %+v", s)
		}
		shut(t, c)
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for header, want := range map[string]time.Duration{
			"120": 2 * time.Minute,
			time.Now().Add(10 * time.Hour).UTC().Format(http.TimeFormat): 15 * time.Minute,
			"soon": 125 * time.Millisecond, "-5": 125 * time.Millisecond, "999999999999999999999": 125 * time.Millisecond,
		} {
			f := &fake{answer: func(n int, _ *http.Request, _ []sent, take func() *http.Response) (*http.Response, error) {
				if n == 0 {
					return respond(429, "", "Retry-After", header), nil
				}
				return take(), nil
			}}
			c := to(t, f, nil)
			send(t, c, 1)
			if err := c.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			seen := f.seen()
			if wait := seen[1].at.Sub(seen[0].at); wait < want || wait > 2*want {
				t.Errorf("Retry-After: %s: the next try came after %v", header, wait)
			}
			shut(t, c)
		}
	})
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 415, 301, 302, 307, 308, 204} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			f := &fake{answer: func(int, *http.Request, []sent, func() *http.Response) (*http.Response, error) {
				return respond(status, "no", "Location", "http://elsewhere.test/"), nil
			}}
			var reason string
			var dropped uint64
			c := to(t, f, func(cfg *client.Config) { cfg.Dropped = func(r string, n uint64) { reason, dropped = r, n } })
			send(t, c, 7)
			shut(t, c)
			if n := len(f.seen()); n != 1 {
				t.Errorf("%d requests", n)
			}
			if s := c.Stats(); s.Dropped.Refused != 7 || reason != "refused" || dropped != 7 {
				t.Errorf("%+v; told %d %q", s, dropped, reason)
			}
		})
	}
}

func TestABatchThatIsTooLargeIsSplit(t *testing.T) {
	f := &fake{}
	f.answer = func(_ int, _ *http.Request, events []sent, take func() *http.Response) (*http.Response, error) {
		for _, e := range events {
			if len(events) > 8 || e.Name == "e13" {
				return respond(413, ""), nil
			}
		}
		return take(), nil
	}
	c := to(t, f, nil)
	send(t, c, 100)
	shut(t, c)
	if n := len(f.all()); n != 99 {
		t.Errorf("%d events are stored, want all but the one", n)
	}
	if s := c.Stats(); s.Accepted != 99 || s.Dropped.Large != 1 {
		t.Errorf("%+v", s)
	}
}

func TestEventsThatAreAllRejectedAreRejectedAndNotRefused(t *testing.T) {
	f := &fake{}
	f.answer = func(int, *http.Request, []sent, func() *http.Response) (*http.Response, error) {
		return respond(400, `{"error":{"code":"invalid","message":"no event was taken"},"accepted":0,"duplicates":0,`+
			`"rejected":[{"index":0,"reason":"wrong_type"},{"index":1,"reason":"wrong_type"}]}`), nil
	}
	var told []client.Rejection
	c := to(t, f, func(cfg *client.Config) { cfg.Rejected = func(r []client.Rejection) { told = append(told, r...) } })
	send(t, c, 2)
	shut(t, c)
	if s := c.Stats(); s.Rejected != 2 || s.Dropped.Sum() != 0 || s.Retries != 0 || len(told) != 2 {
		t.Errorf("%+v, told %v", s, told)
	}
}

func TestWhatIsRejectedIsTold(t *testing.T) {
	f := &fake{}
	var told []client.Rejection
	c := to(t, f, func(cfg *client.Config) {
		cfg.BatchEvents = 4
		cfg.Rejected = func(r []client.Rejection) { told = append(told, r...); panic("the service's own fault") }
	})
	for _, name := range []string{"a", "bad", "c", "d", "e", "bad"} {
		if err := c.Send(client.Event{Name: name, ProfileID: "p-" + name}); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, c)
	if len(told) != 2 || told[0].Reason != "wrong_type" || told[0].Detail != "it is bad" ||
		!strings.Contains(string(told[0].Event), `"profile_id":"p-bad"`) || !strings.Contains(string(told[1].Event), `"profile_id":"p-bad"`) {
		t.Errorf("%q", told)
	}
	if s := c.Stats(); s.Accepted != 4 || s.Rejected != 2 {
		t.Errorf("%+v", s)
	}
}
