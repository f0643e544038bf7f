package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// snippetPeople are known as far as they and the site want.
func snippetPeople(scenes scenes) {
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
		c.head = `<script>(window.weir = function () { (weir.q = weir.q || []).push(arguments) })(function () {
			weir.identify('ada'); weir.optOut(); weir('x'); history.pushState(null, '', '/b') })</script>`
		c.goes(c.URL + "/a")
		c.head = ""
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
		// As another tab does; events of two devices in one millisecond have no order.
		c.runs(`weir.identify('bob'); localStorage.clear(); for (const t = Date.now(); Date.now() < t + 3;); weir('y')`)
		c.waits()
		events = c.storedSoon("screen_view /a", "identify /a", "screen_leave /a", "screen_view /b", "x /b", "identify /b", "y /b")
		if e := events[6]; e.Profile != "" || e.Device == events[5].Device {
			t.Errorf("%+v", e)
		}
	})
}

// snippetDelivery is once, from any site, whatever happens on the way.
func snippetDelivery(scenes scenes, n alone) {
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

	scenes("a policy that names the server is all that it needs", func(t *testing.T, c scene) {
		c.policy = fmt.Sprintf("default-src 'none'; script-src %s; connect-src %s", c.s.url, c.s.url)
		c.goes(c.URL + "/a")
		c.waits()
		c.storedSoon("screen_view /a")
		c.quiet()
	})

	scenes("under a policy that does not, the page goes on as without it", func(t *testing.T, c scene) {
		c.policy = fmt.Sprintf("default-src 'none'; script-src %s", c.s.url)
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`weir('x'); history.pushState(null, '', '/b')`)
		c.waits()
		c.simply("close")
		var faults []string
		c.does(map[string]any{"do": "faults"}, &faults)
		for _, f := range faults {
			if strings.HasPrefix(f, "exception") || strings.Contains(f, "weir:") {
				t.Error(f)
			}
		}
		c.waitsForNoMore()
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

	const large = `for (let i = 0; i < 5; i++) weir('large', { i, text: 'x'.repeat(30000) }); `
	wrapped := func(c scene, sends string) {
		c.does(map[string]any{"do": "visitor", "init": `const send = fetch; window.sent = []
			window.fetch = (url, init) => { sent.push([init.keepalive, init.body.length]); return ` + sends + ` }`}, nil)
		c.goes(c.URL + "/a")
		c.waits()
	}
	text := strings.Repeat("x", 30000)
	lines := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, fmt.Sprintf(`large /a {"i":%d,"text":"%s"}`, i, text))
		}
		return lines
	}

	scenes("what no beacon takes goes in parts, each event once", func(t *testing.T, c scene) {
		wrapped(c, "send(url, init)")
		c.runs(large + fmt.Sprintf(hide, true))
		events := append(lines(5), "screen_view /a", "screen_leave /a")
		c.storedInAnyOrder(events...)
		var kept []int
		if c.does(map[string]any{"do": "eval", "js": "sent.filter(([keepalive]) => keepalive).map(([, bytes]) => bytes)"}, &kept); len(kept) != 3 || kept[1]+kept[2] < 60_000 || kept[1]+kept[2] > 64<<10 {
			t.Errorf("parts that outlive the page have %v bytes", kept)
		}
		c.runs(`dispatchEvent(new Event('pagehide'))`)
		c.simply("close")
		c.s.send(c.p, `{"name":"end"}`)
		c.storedInAnyOrder(append(events, "end")...)
		c.quiet()
	})

	scenes("as much of what no beacon takes as a browser sends on outlives the page", func(t *testing.T, c scene) {
		wrapped(c, "init.keepalive ? send(url, init) : new Promise(() => {})") // as if the page took them with it
		c.runs(large + `dispatchEvent(new Event('pagehide'))`)
		c.simply("close")
		c.storedInAnyOrder(append(lines(2), "screen_view /a")...)
	})

	scenes("a server that was away gets each event once", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.storedSoon("screen_view /a")
		n.kill()
		c.runs(`weir('x'); weir('y')`)
		c.waits()
		c.runs(fmt.Sprintf(hide, true) + ";" + fmt.Sprintf(hide, false)) // a beacon that nobody takes
		n.start()
		c.s, n.server.t = n.server, t
		c.runs(`weir('z')`) // so that there is an attempt, however long that took
		c.storedSoon("screen_view /a", "x /a", "y /a", "screen_leave /a", "z /a")
		c.simply("close")
		c.waitsForNoMore("screen_view /a", "x /a", "y /a", "screen_leave /a", "z /a")
	})
}
