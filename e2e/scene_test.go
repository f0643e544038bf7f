package e2e_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shop is a site of an origin of its own, with the snippet on every page. A page's
// title is that of its path.
type shop struct {
	*httptest.Server
	attrs  string // of the script, beside src and data-key
	head   string // before the script
	policy string // the pages' Content-Security-Policy

	prerendered chan struct{} // gets one when a page is asked for that nobody looks at yet
}

const shopPage = `<!doctype html><html><head><title>Page %[1]s</title>%[2]s
<script defer src="%[3]s/weir.js" data-key="%[4]s" %[5]s></script></head>
<body><a id="out" href="http://localhost:1/there?a=b" onclick="event.preventDefault()">Out <b>there</b></a>
<a id="middle" href="http://localhost:1/middle"><i>Middle</i></a>
<a id="in" href="/inside">In</a><a id="mail" href="mailto:a@example.com" onclick="event.preventDefault()">Mail</a>
<div id="tree"></div></body></html>`

func openShop(t *testing.T, s *server, p project) *shop {
	shop := &shop{prerendered: make(chan struct{}, 1)}
	weir, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	stats := http.StripPrefix("/stats", httputil.NewSingleHostReverseProxy(weir))
	shop.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/stats/") {
			stats.ServeHTTP(w, r)
			return
		}
		if shop.policy != "" {
			w.Header().Set("Content-Security-Policy", shop.policy)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/favicon.ico" {
			return
		}
		if strings.Contains(r.Header.Get("Sec-Purpose"), "prerender") {
			select {
			case shop.prerendered <- struct{}{}:
			default:
			}
		}
		page := shopPage
		if shop.policy != "" {
			page = strings.ReplaceAll(page, ` onclick="event.preventDefault()"`, "")
		}
		fmt.Fprintf(w, page, html.EscapeString(r.URL.Path), shop.head, s.url, p.Key, shop.attrs)
	}))
	t.Cleanup(shop.Close)
	return shop
}

// shopEvent is an event as the API tells of it.
type shopEvent struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	At         time.Time       `json:"ts"`
	Profile    string          `json:"profile_id"`
	Device     string          `json:"device_id"`
	Session    string          `json:"session_id"`
	Path       string          `json:"path"`
	Origin     string          `json:"origin"`
	Title      string          `json:"title"`
	Referrer   string          `json:"event_referrer"`
	Channel    string          `json:"event_channel"`
	Campaign   string          `json:"utm_campaign"`
	Browser    string          `json:"browser"`
	Bot        bool            `json:"bot"`
	Language   string          `json:"language"`
	Library    string          `json:"library"`
	Revenue    float64         `json:"revenue"`
	Currency   string          `json:"currency"`
	Properties json.RawMessage `json:"properties"`
	Closes     string          `json:"closes_event_id"`
	Lasted     *int64          `json:"duration_ms"`
}

// line is an event in short: what it was, where, and with what.
func (e shopEvent) line() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Name, e.Path, e.Properties))
}

// scenes runs a scene as a test of its own.
type scenes func(name string, f func(t *testing.T, c scene))

// scene is a visitor on a shop of a project of its own.
type scene struct {
	*visitor
	*shop
	s *server
	p project
}

// storedSoon waits until as many events are stored, and gives them in their order.
// More of them are an error.
func (c scene) storedSoon(want ...string) []shopEvent {
	c.t.Helper()
	return c.storedAs(want, func(got []string) []string { return got })
}

func (c scene) storedAs(want []string, order func([]string) []string) []shopEvent {
	c.t.Helper()
	var got []string
	for end := time.Now().Add(time.Minute); ; {
		var page struct{ Events []shopEvent }
		c.s.call("GET", "/api/v1/projects/"+c.p.ID+"/events?limit=1000", nil, &page, http.StatusOK)
		slices.Reverse(page.Events)
		got = nil
		for _, e := range page.Events {
			got = append(got, e.line())
		}
		d := cmp.Diff(want, order(got))
		if d == "" {
			return page.Events
		}
		if len(got) > len(want) || time.Now().After(end) {
			c.t.Fatal(d)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// storedInAnyOrder is storedSoon where a browser may do one thing before the other.
func (c scene) storedInAnyOrder(want ...string) []shopEvent {
	c.t.Helper()
	slices.Sort(want)
	return c.storedAs(want, func(got []string) []string { return slices.Sorted(slices.Values(got)) })
}

// quiet fails when a page said or threw something.
func (c scene) quiet() {
	c.t.Helper()
	var faults []string
	c.does(map[string]any{"do": "faults"}, &faults)
	if len(faults) > 0 {
		c.t.Errorf("the page complained: %q", faults)
	}
}

// sentNothing fails when the visitor's pages sent anything.
func (c scene) sentNothing() {
	c.t.Helper()
	c.waits()
	var sent []any
	if c.does(map[string]any{"do": "sent"}, &sent); len(sent) > 0 {
		c.t.Errorf("sent: %v", sent)
	}
}

// storage is what the page has stored in the browser, in any way that scripts have.
func (c scene) storage() (all map[string]string) {
	c.t.Helper()
	c.does(map[string]any{"do": "eval", "js": "({ ...localStorage, ...sessionStorage, ...(document.cookie ? { cookie: document.cookie } : {}) })"}, &all)
	return all
}

// waitsForNoMore looks once more, after an event that was sent later than all.
func (c scene) waitsForNoMore(want ...string) {
	c.t.Helper()
	c.s.send(c.p, `{"name":"end"}`)
	c.storedSoon(append(want, "end")...)
}

// hide makes the page believe that its tab is hidden, or is not.
const hide = `Object.defineProperty(document, 'hidden', { configurable: true, get: () => %v }); document.dispatchEvent(new Event('visibilitychange'))`
