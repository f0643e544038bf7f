package e2e_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html"
	"io"
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
}

const shopPage = `<!doctype html><html><head><title>Page %[1]s</title>%[2]s
<script defer src="%[3]s/weir.js" data-key="%[4]s" %[5]s></script></head>
<body><a id="out" href="http://localhost:1/there?a=b" onclick="event.preventDefault()">Out <b>there</b></a>
<a id="middle" href="http://localhost:1/middle"><i>Middle</i></a>
<a id="in" href="/inside">In</a><a id="mail" href="mailto:a@example.com" onclick="event.preventDefault()">Mail</a>
<div id="tree"></div></body></html>`

func openShop(t *testing.T, s *server, p project) *shop {
	shop := &shop{}
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
		page := shopPage
		if shop.policy != "" {
			page = strings.ReplaceAll(page, ` onclick="event.preventDefault()"`, "")
		}
		fmt.Fprintf(w, page, html.EscapeString(r.URL.Path), shop.head, s.url, p.Key, shop.attrs)
	}))
	t.Cleanup(shop.Close)
	return shop
}

// stored is an event as the API tells of it.
type stored struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	At         time.Time       `json:"ts"`
	Profile    string          `json:"profile_id"`
	Device     string          `json:"device_id"`
	Session    string          `json:"session_id"`
	Path       string          `json:"path"`
	Origin     string          `json:"origin"`
	Title      string          `json:"title"`
	Referrer   string          `json:"referrer"`
	Channel    string          `json:"channel"`
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
func (e stored) line() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Name, e.Path, e.Properties))
}

// scene is a visitor on a shop of a project of its own.
type scene struct {
	*visitor
	*shop
	s *server
	p project
}

// storedSoon waits until as many events are stored, and gives them in their order.
// More of them are an error.
func (c scene) storedSoon(want ...string) []stored {
	c.t.Helper()
	var got []string
	for end := time.Now().Add(time.Minute); ; {
		var page struct{ Events []stored }
		c.s.call("GET", "/api/v1/projects/"+c.p.ID+"/events?limit=1000", nil, &page, http.StatusOK)
		slices.Reverse(page.Events)
		got = nil
		for _, e := range page.Events {
			got = append(got, e.line())
		}
		d := cmp.Diff(want, got)
		if d == "" {
			return page.Events
		}
		if len(got) > len(want) || time.Now().After(end) {
			c.t.Fatal(d)
		}
		time.Sleep(20 * time.Millisecond)
	}
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

// TestTheSnippetCountsAVisit shows in a real browser what sites get from /weir.js.
func TestTheSnippetCountsAVisit(t *testing.T) {
	v := startBrowser(t)
	n := startAlone(t, binary(t, "")) // at an address that outlives a restart
	scenes := func(name string, f func(t *testing.T, c scene)) {
		t.Run(name, func(t *testing.T) {
			v.t, n.server.t = t, t
			p := n.newProject()
			v.does(map[string]any{"do": "visitor"}, nil)
			f(t, scene{v, openShop(t, n.server, p), n.server, p})
		})
	}

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

	scenes("a request is one that needs no preflight, of all that comes in a moment", func(t *testing.T, c scene) {
		c.goes(c.URL + "/")
		c.runs(`weir('a'); weir('b')`)
		c.storedSoon("screen_view /", "a /", "b /")
		var sent []struct{ Type, ContentType, Body string }
		c.does(map[string]any{"do": "sent"}, &sent)
		if len(sent) != 1 && !strings.Contains(sent[len(sent)-1].Body, `"a"`) || !strings.Contains(sent[len(sent)-1].Body, `"b"`) {
			t.Errorf("%+v", sent)
		}
		for _, r := range sent {
			if !strings.HasPrefix(r.ContentType, "text/plain") || r.Type == "preflight" {
				t.Errorf("%+v", r)
			}
		}
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
	})

	scenes("links that lead out are counted, by any button that follows them", func(t *testing.T, c scene) {
		c.goes(c.URL + "/")
		c.clicks("#out b", "left")
		c.clicks("#out", "right")
		c.clicks("#mail", "left")
		c.waits()
		c.clicks("#middle i", "middle")
		c.waits()
		c.runs(`const root = document.querySelector('#tree').attachShadow({ mode: 'open' })
			root.innerHTML = '<a href="http://localhost:1/shadow">x</a>'
			root.querySelector('a').addEventListener('click', (event) => { event.preventDefault(); event.stopPropagation() })
			root.querySelector('a').click()`)
		c.waits()
		c.storedSoon("screen_view /", `outbound / {"url":"http://localhost:1/there?a=b"}`,
			`outbound / {"url":"http://localhost:1/middle"}`, `outbound / {"url":"http://localhost:1/shadow"}`)
	})

	scenes("events from before the script was there are not lost", func(t *testing.T, c scene) {
		c.head = `<script>window.weir = window.weir || function () { (weir.q = weir.q || []).push(arguments) }
			weir('early', { plan: 'x' }); weir(function () { weir.identify('ada') })</script>`
		c.goes(c.URL + "/")
		c.waits()
		events := c.storedSoon("screen_view /", `early / {"plan":"x"}`, "identify /")
		if events[2].Profile != "ada" || events[2].Device != events[0].Device {
			t.Errorf("%+v", events[2])
		}
	})

	scenes("an event is what the page gave at that moment, and nothing it gives throws", func(t *testing.T, c scene) {
		c.goes(c.URL + "/")
		c.waits()
		c.runs(`const basket = { items: [1] }
			weir('purchase', basket, { revenue: 9.99, currency: 'EUR' }); basket.items.push(2)
			const loop = {}; loop.loop = loop
			weir('loop', loop); weir('big', { n: 10n }); weir(); weir(null); weir.identify(); weir.identify(null); weir.identify('')
			weir('odd', undefined, { url: 'http://[' }); weir(() => { throw new Error('mine') }); weir('last')`)
		c.waits()
		e := c.storedSoon("screen_view /", `purchase / {"items":[1]}`, "last /")[1]
		if e.Revenue != 9.99 || e.Currency != "EUR" {
			t.Errorf("%+v", e)
		}
		c.quiet()
	})

	scenes("a tab that is closed leaves its page", func(t *testing.T, c scene) {
		c.goes(c.URL + "/read")
		c.waits()
		c.simply("close")
		events := c.storedSoon("screen_view /read", "screen_leave /read")
		if events[1].Closes != events[0].ID || events[0].Lasted == nil || *events[0].Lasted != events[1].At.Sub(events[0].At).Milliseconds() {
			t.Errorf("%+v", events)
		}
	})

	scenes("a page is left for the next one, and counted anew when the browser goes back", func(t *testing.T, c scene) {
		c.goes(c.URL + "/first")
		c.waits()
		c.clicks("#in", "left")
		c.does(map[string]any{"do": "title", "text": "Page /inside"}, nil)
		c.waits()
		c.simply("back")
		c.does(map[string]any{"do": "title", "text": "Page /first"}, nil)
		c.waits()
		events := c.storedSoon("screen_view /first", "screen_leave /first", "screen_view /inside", "screen_leave /inside", "screen_view /first")
		if events[2].Referrer != "" || events[2].Session != events[0].Session {
			t.Errorf("%+v", events[2])
		}
	})

	const hide = `Object.defineProperty(document, 'hidden', { configurable: true, get: () => %v }); document.dispatchEvent(new Event('visibilitychange'))`
	scenes("a page that is hidden is left once, and who comes back within a visit reads on", func(t *testing.T, c scene) {
		c.goes(c.URL + "/read")
		c.waits()
		c.runs(fmt.Sprintf(hide, true))
		c.runs(fmt.Sprintf(hide, false))
		c.runs(fmt.Sprintf(hide, true))
		c.runs(fmt.Sprintf(hide, false))
		c.runs(`weir('bought'); history.pushState(null, '', '/next')`)
		c.waits()
		events := c.storedSoon("screen_view /read", "screen_leave /read", "bought /read", "screen_view /next")
		if events[0].Lasted == nil || *events[0].Lasted != events[1].At.Sub(events[0].At).Milliseconds() || events[3].Closes != "" {
			t.Errorf("%+v", events)
		}
		var sent []struct{ Type string }
		c.does(map[string]any{"do": "sent"}, &sent)
		if len(sent) < 2 || sent[1].Type != "ping" {
			t.Errorf("the leave is no beacon: %+v", sent)
		}
	})

	scenes("who comes back after half an hour begins another visit", func(t *testing.T, c scene) {
		c.goes(c.URL + "/read")
		c.waits()
		c.runs(fmt.Sprintf(hide, true))
		c.runs(`const now = Date.now; Date.now = () => now() + 31 * 60e3`)
		c.runs(fmt.Sprintf(hide, false))
		c.waits()
		events := c.storedSoon("screen_view /read", "screen_leave /read", "screen_view /read")
		if events[2].Device != events[0].Device || events[2].Referrer != "" {
			t.Errorf("%+v", events[2])
		}
	})

	scenes("a page that comes out of the browser's cache is counted", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })); dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`)
		c.runs(`dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))`)
		c.waits()
		c.storedSoon("screen_view /a", "screen_leave /a", "screen_view /a")
	})

	scenes("a page in the background is counted when it is looked at", func(t *testing.T, c scene) {
		c.does(map[string]any{"do": "visitor", "init": `Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })`}, nil)
		c.goes(c.URL + "/a")
		c.sentNothing()
		c.runs(fmt.Sprintf(hide, false))
		c.waits()
		c.storedSoon("screen_view /a")
	})

	scenes("a page that is prerendered sends nothing until it is shown", func(t *testing.T, c scene) {
		c.does(map[string]any{"do": "visitor", "init": `Object.defineProperty(document, 'prerendering', { configurable: true, get: () => true })`}, nil)
		c.goes(c.URL + "/a")
		c.runs(`weir('waits')`)
		c.sentNothing()
		c.runs(`Object.defineProperty(document, 'prerendering', { get: () => false }); document.dispatchEvent(new Event('prerenderingchange'))`)
		c.waits()
		c.storedSoon("screen_view /a", "waits /a")
	})

	for name, init := range map[string]string{
		"Do Not Track":           `Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })`,
		"Global Privacy Control": `Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })`,
	} {
		scenes(name+" is respected, unless the site says otherwise", func(t *testing.T, c scene) {
			c.attrs = "data-persist"
			c.does(map[string]any{"do": "visitor", "init": init}, nil)
			c.goes(c.URL + "/a")
			c.runs(`weir('x'); weir.identify('ada', { a: 1 }); weir.optIn(); history.pushState(null, '', '/b')`)
			c.clicks("#out", "left")
			c.sentNothing()
			c.goes("about:blank")
			c.attrs = `data-dnt="ignore"`
			c.goes(c.URL + "/c")
			if s := c.storage(); len(s) > 0 {
				t.Errorf("storage: %v", s)
			}
			c.waits()
			c.storedSoon("screen_view /c")
		})
	}

	scenes("who opts out is left alone on every page, until they opt in", func(t *testing.T, c scene) {
		c.attrs = "data-persist"
		c.goes(c.URL + "/a")
		c.runs(`weir.identify('ada'); weir.optOut(); weir('x'); history.pushState(null, '', '/b')`)
		c.goes(c.URL + "/c")
		c.runs(`weir('x')`)
		c.goes(c.URL + "/d?utm_campaign=again")
		c.sentNothing()
		if d := cmp.Diff(map[string]string{"weir.out": "1"}, c.storage()); d != "" {
			t.Error(d)
		}
		c.runs(`weir.optIn(); weir('y')`)
		c.waits()
		events := c.storedSoon("screen_view /d", "y /d")
		if events[0].Campaign != "again" || events[0].Profile != "" {
			t.Errorf("%+v", events[0])
		}
		if s := c.storage(); s["weir.out"] != "" || s["weir.device"] == "" {
			t.Errorf("storage: %v", s)
		}
	})

	scenes("without storage a user is known until they leave the page or the account", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`weir.identify(7, { name: 'Ada', $add: { logins: 1 } }); weir.identify('7'); weir('in')`)
		c.waits()
		c.runs(`weir.reset(); weir('out'); weir.identify('bob'); weir('in')`)
		c.waits()
		events := c.storedSoon("screen_view /a", `identify /a {"name":"Ada","$add":{"logins":1}}`, "in /a", "out /a", "identify /a", "in /a")
		for i, want := range []string{"", "7", "7", "", "bob", "bob"} {
			if e := events[i]; e.Profile != want || e.Device != events[0].Device || e.Session != events[0].Session {
				t.Errorf("%+v, want the profile %q", e, want)
			}
		}
		if s := c.storage(); len(s) > 0 {
			t.Errorf("storage: %v", s)
		}
	})

	scenes("with data-persist device and user outlive the page, and a reset ends both", func(t *testing.T, c scene) {
		c.attrs = "data-persist"
		c.goes(c.URL + "/a")
		c.runs(`weir.identify('ada')`)
		c.waits()
		c.goes(c.URL + "/b")
		c.waits()
		c.runs(`weir.identify('ada'); weir.reset(); weir('x')`)
		c.waits()
		events := c.storedSoon("screen_view /a", "identify /a", "screen_leave /a", "screen_view /b", "x /b")
		if e := events[3]; e.Profile != "ada" || e.Device != events[0].Device || len(e.Device) < 20 {
			t.Errorf("%+v", e)
		}
		if e := events[4]; e.Profile != "" || e.Device == events[0].Device || e.Device != c.storage()["weir.device"] {
			t.Errorf("%+v", e)
		}
	})

	scenes("data-manual leaves views to the page, and data-exclude pages to nobody", func(t *testing.T, c scene) {
		c.attrs = `data-manual data-exclude="/admin/**, /draft"`
		c.goes(c.URL + "/a")
		c.runs(`history.pushState(null, '', '/b'); weir('screen_view', null, { url: '/virtual', title: 'Mine' }); weir('x')
			history.pushState(null, '', '/admin/users/7'); weir('x')`)
		c.waits()
		if e := c.storedSoon("screen_view /virtual", "x /b")[0]; e.Title != "Mine" {
			t.Errorf("%+v", e)
		}
		c.simply("close")
		c.storedSoon("screen_view /virtual", "x /b", "screen_leave /virtual")
	})

	scenes("a view is left when the app goes on to a page that is excluded", func(t *testing.T, c scene) {
		c.attrs = `data-exclude="/admin*"`
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`history.pushState(null, '', '/admin')`)
		c.waits()
		c.runs(`history.pushState(null, '', '/b')`)
		c.waits()
		c.storedSoon("screen_view /a", "screen_leave /a", "screen_view /b")
	})

	scenes("a policy that names the server is all that it needs", func(t *testing.T, c scene) {
		c.policy = fmt.Sprintf("default-src 'none'; script-src %s; connect-src %s", c.s.url, c.s.url)
		c.goes(c.URL + "/a")
		c.waits()
		c.storedSoon("screen_view /a")
		c.quiet()
	})

	scenes("through the site's own domain nobody else is asked", func(t *testing.T, c scene) {
		c.attrs = `data-host="/stats"`
		c.policy = fmt.Sprintf("default-src 'none'; script-src %s; connect-src 'self'", c.s.url)
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`weir.identify('ada')`)
		c.waits()
		if e := c.storedSoon("screen_view /a", "identify /a")[1]; e.Device == "" || e.Profile != "ada" {
			t.Errorf("%+v", e)
		}
		c.quiet()
	})

	scenes("a script that is there twice counts once", func(t *testing.T, c scene) {
		c.head = fmt.Sprintf(`<script defer src="%s/weir.js" data-key="%s"></script>`, c.s.url, c.p.Key)
		c.goes(c.URL + "/a")
		c.runs(`history.pushState(null, '', '/b')`)
		c.waits()
		c.storedSoon("screen_view /a", "screen_view /b")
	})

	scenes("over the rate it waits as long as it is told, and loses nothing", func(t *testing.T, c scene) {
		c.s.call("PATCH", "/api/v1/projects/"+c.p.ID, map[string]string{"limit_key": "2/s"}, nil, http.StatusOK)
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`for (let i = 0; i < 4; i++) setTimeout(() => weir('x', { i }), i * 150)`)
		c.waits()
		events := c.storedSoon("screen_view /a", `x /a {"i":0}`, `x /a {"i":1}`, `x /a {"i":2}`, `x /a {"i":3}`)
		if events[4].At.Before(events[1].At) {
			t.Errorf("%+v", events)
		}
	})

	scenes("a server that was away gets each event once", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.storedSoon("screen_view /a")
		n.kill()
		c.runs(`weir('x'); weir('y')`)
		c.waits()
		c.runs(fmt.Sprintf(hide, true) + ";" + fmt.Sprintf(hide, false)) // a beacon that nobody takes
		c.runs(`weir('z')`)
		n.start()
		c.s, n.server.t = n.server, t
		c.storedSoon("screen_view /a", "x /a", "y /a", "screen_leave /a", "z /a")
		c.simply("close")
		c.waitsForNoMore("screen_view /a", "x /a", "y /a", "screen_leave /a", "z /a")
	})
}

// waitsForNoMore looks once more, after an event that was sent later than all.
func (c scene) waitsForNoMore(want ...string) {
	c.t.Helper()
	c.s.send(c.p, `{"name":"end"}`)
	c.storedSoon(append(want, "end")...)
}

func TestTheSnippetIsUnder2KB(t *testing.T) {
	chromium(t) // whose absence says that the page is not built
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
	counted := &counter{r: resp.Body}
	plain, err := gzip.NewReader(counted)
	if err != nil {
		t.Fatal(err)
	}
	code, err := io.ReadAll(plain)
	if err != nil || !strings.Contains(string(code), "/v1/events") {
		t.Fatalf("%v: %s", err, code)
	}
	if counted.n >= 2048 {
		t.Errorf("/weir.js has %d bytes", counted.n)
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
