package e2e_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestTheSnippetCountsAVisit shows in a real browser what sites get from /weir.js.
func TestTheSnippetCountsAVisit(t *testing.T) {
	t.Parallel()
	v := startBrowser(t)
	n := startAlone(t, binary(t, "")) // at an address that outlives a restart
	on := func(name string, f func(t *testing.T, c scene)) {
		t.Run(name, func(t *testing.T) {
			v.t, n.server.t = t, t
			p := n.newProject()
			v.does(map[string]any{"do": "visitor"}, nil)
			f(t, scene{v, openShop(t, n.server, p), n.server, p})
		})
	}

	snippetViews(on)
	snippetEvents(on)
	snippetLeaves(on)
	snippetPeople(on)
	snippetDelivery(on, n)
}

// snippetViews are counted at load and with the history API.
func snippetViews(scenes scenes) {
	scenes("a view has all that the server makes of it, and nothing is stored in the browser", func(t *testing.T, c scene) {
		c.goes(c.URL + "/landing?utm_campaign=spring&utm_medium=email&secret=1#part")
		c.waits()
		e := c.storedSoon("screen_view /landing")[0]
		if e.Title != "Page /landing" || e.Origin != c.URL || e.Channel != "email" || e.Campaign != "spring" || e.Referrer != "" ||
			e.Browser != "Chrome" || e.Bot || e.Language != "en-GB" || e.Library != "weir.js/1" || e.Device == "" || e.Session == "" || e.ID == "" {
			t.Errorf("%+v", e)
		}
		if age := time.Since(e.At); age < 0 || age > time.Hour {
			t.Errorf("stored as %v ago", age)
		}
		var cookies []any
		c.does(map[string]any{"do": "cookies"}, &cookies)
		if s := c.storage(); len(s) > 0 || len(cookies) > 0 {
			t.Errorf("storage %v, cookies %v", s, cookies)
		}
		c.quiet()
	})

	scenes("who comes from another site is referred by it, in the first view alone", func(t *testing.T, c scene) {
		from := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<a id="link" href="%s/a">a</a>`, c.URL)
		}))
		t.Cleanup(from.Close)
		c.goes(strings.Replace(from.URL, "127.0.0.1", "localhost", 1))
		c.clicks("#link", "left")
		c.does(map[string]any{"do": "title", "text": "Page /a"}, nil)
		c.waits()
		c.runs(`weir('seen'); history.pushState(null, '', '/b'); weir('seen')`)
		c.waits()
		events := c.storedSoon("screen_view /a", "seen /a", "screen_view /b", "seen /b")
		for i, want := range [][2]string{{"localhost", "referral"}, {"localhost", "referral"}, {"", "direct"}, {"", "direct"}} {
			if got := [2]string{events[i].Referrer, events[i].Channel}; got != want {
				t.Errorf("%s: %v, want %v", events[i].line(), got, want)
			}
		}
	})

	scenes("a single-page app's views are those of its addresses", func(t *testing.T, c scene) {
		c.goes(c.URL + "/one")
		c.waits()
		c.runs(`history.pushState(null, '', '/two'); document.title = 'Two'`)
		c.waits()
		c.runs(`history.pushState({ a: 1 }, '', '/two'); history.replaceState({ b: 1 }, ''); location.hash = 'part'`)
		c.waits()
		c.runs(`history.replaceState(null, '', '/two?page=2')`)
		c.waits()
		c.runs(`history.go(-3)`)
		c.waits()
		events := c.storedSoon("screen_view /one", "screen_view /two", "screen_view /two", "screen_view /one")
		if events[0].Title != "Page /one" || events[1].Title != "Two" {
			t.Errorf("titles %q, %q", events[0].Title, events[1].Title)
		}
		for i, e := range events[1:] {
			if e.Closes != events[i].ID || e.Session != events[0].Session || e.Device != events[0].Device {
				t.Errorf("%+v does not close %s", e, events[i].ID)
			}
		}
		c.quiet()
	})

	scenes("an address that is tidied up is no view", func(t *testing.T, c scene) {
		c.goes(c.URL + "/one?code=7&id=1&utm_source=x")
		c.waits()
		c.runs(`history.replaceState(null, '', '/one?id=1#part'); history.replaceState(null, '', '/one?id=1'); history.replaceState(null, '', location.pathname)`)
		c.waits()
		c.storedSoon("screen_view /one")
		c.runs(`history.pushState(null, '', '/one?page=22')`)
		c.waits()
		c.runs(`history.replaceState(null, '', '/one?page=2')`)
		c.waits()
		c.runs(`history.pushState(null, '', '/one')`)
		c.waits()
		c.runs(`history.replaceState(null, '', '/on')`)
		c.waits()
		c.storedSoon("screen_view /one", "screen_view /one", "screen_view /one", "screen_view /one", "screen_view /on")
		c.quiet()
	})

	scenes("views one after the other have each its own title", func(t *testing.T, c scene) {
		c.goes(c.URL + "/one")
		c.runs(`document.title = 'One'; history.pushState(null, '', '/two'); document.title = 'Two'`)
		c.waits()
		events := c.storedSoon("screen_view /one", "screen_view /two")
		if !strings.Contains(events[0].Title, "ne") || events[1].Title != "Two" {
			t.Errorf("titles %q, %q", events[0].Title, events[1].Title)
		}
	})

	scenes("with data-hash the hash is part of the page", func(t *testing.T, c scene) {
		c.attrs = "data-hash"
		c.goes(c.URL + "/#/users?id=7")
		c.waits()
		c.runs(`location.hash = '/orders'`)
		c.waits()
		c.runs(`location.hash = '/orders'`)
		c.waits()
		c.storedSoon("screen_view /users", "screen_view /orders")
		c.runs(`history.replaceState(null, '', '/?code=7#/orders?id=8')`)
		c.waits()
		c.runs(`history.replaceState(null, '', '/?code=7#/orders'); history.replaceState(null, '', '/#/orders')`)
		c.waits()
		c.runs(`history.replaceState(null, '', '/')`)
		c.waits()
		c.storedSoon("screen_view /users", "screen_view /orders", "screen_view /orders", "screen_view /")
	})
}

func TestTheSnippetIsUnder2KB(t *testing.T) {
	browserFor(t) // whose absence says that the page is not built
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/weir.js", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	sent, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	code, err := io.ReadAll(plain)
	if err != nil || !strings.Contains(string(code), "/v1/events") {
		t.Fatalf("%v: %s", err, code)
	}
	if len(sent) >= 2000 {
		t.Errorf("/weir.js has %d bytes", len(sent))
	}
}
