package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// snippetEvents are what the page says and what its visitors click on.
func snippetEvents(scenes scenes) {
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

	scenes("data-manual leaves views to the page, and data-exclude pages to nobody", func(t *testing.T, c scene) {
		c.attrs = `data-manual data-exclude="/admin/**, /draft"`
		c.goes(c.URL + "/a")
		c.runs(`history.pushState(null, '', '/b'); weir('screen_view', null, { url: '/virtual', title: 'Mine' }); weir('x')
			history.pushState(null, '', '/admin/users/7'); weir('x')`)
		c.waits()
		if e := c.storedSoon("screen_view /virtual", "x /b")[0]; e.Title != "Mine" || e.Origin != c.URL {
			t.Errorf("%+v", e)
		}
		c.simply("close")
		c.storedSoon("screen_view /virtual", "x /b", "screen_leave /virtual")
	})
}

// snippetLeaves close the time of a page, and what comes back is counted when it is looked at.
func snippetLeaves(scenes scenes) {
	scenes("a tab that is closed leaves its page", func(t *testing.T, c scene) {
		c.goes(c.URL + "/read")
		c.waits()
		c.simply("close")
		events := c.storedSoon("screen_view /read", "screen_leave /read")
		if events[1].Closes != events[0].ID || events[0].Lasted == nil || *events[0].Lasted != events[1].At.Sub(events[0].At).Milliseconds() {
			t.Errorf("%+v", events)
		}
	})

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

	scenes("a page is left for the next one, and counted anew when the browser goes back to it in its cache", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`window.kept = true`)
		c.clicks("#in", "left")
		c.does(map[string]any{"do": "title", "text": "Page /inside"}, nil)
		c.waits()
		c.runs(`history.back()`)
		c.does(map[string]any{"do": "title", "text": "Page /a"}, nil)
		var kept bool
		if c.does(map[string]any{"do": "eval", "js": "!!window.kept"}, &kept); !kept {
			t.Error("the page was loaded again: this shows nothing")
		}
		c.waits()
		events := c.storedInAnyOrder("screen_view /a", "screen_leave /a", "screen_view /inside", "screen_leave /inside", "screen_view /a")
		var views []shopEvent
		for _, e := range events {
			if e.Name == "screen_view" {
				views = append(views, e)
			}
		}
		if v := views[1]; v.Referrer != "" || v.Session != views[0].Session || views[0].Lasted == nil || v.Lasted == nil {
			t.Errorf("%+v", views)
		}
		if views[2].Lasted != nil {
			t.Errorf("a page that is still there is left: %+v", events)
		}
	})

	scenes("a page that comes out of the browser's cache after half an hour is one view, of another visit", func(t *testing.T, c scene) {
		c.goes(c.URL + "/a")
		c.waits()
		c.runs(`window.kept = true; addEventListener('pagehide', () => { const now = Date.now; Date.now = () => now() + 31 * 60e3 })`)
		c.clicks("#in", "left")
		c.does(map[string]any{"do": "title", "text": "Page /inside"}, nil)
		c.waits()
		c.runs(`history.back()`)
		c.does(map[string]any{"do": "title", "text": "Page /a"}, nil)
		var kept bool
		if c.does(map[string]any{"do": "eval", "js": "!!window.kept"}, &kept); !kept {
			t.Error("the page was loaded again: this shows nothing")
		}
		c.waits()
		c.storedInAnyOrder("screen_view /a", "screen_leave /a", "screen_view /inside", "screen_leave /inside", "screen_view /a")
		// The server corrects a clock that is half an hour ahead: what the browser said counts here.
		var sent []struct{ Body string }
		c.does(map[string]any{"do": "sent"}, &sent)
		var last []struct {
			Name string
			TS   int64
		}
		if err := json.Unmarshal([]byte(sent[len(sent)-1].Body), &last); err != nil || len(last) != 1 || last[0].Name != "screen_view" || time.UnixMilli(last[0].TS).Before(time.Now().Add(30*time.Minute)) {
			t.Errorf("%+v, %v", last, err)
		}
	})

	scenes("a page that the browser loads beforehand is counted when it is gone to", func(t *testing.T, c scene) {
		c.head = `<script type="speculationrules">{"prerender":[{"urls":["/inside"],"eagerness":"immediate"}]}</script>`
		c.goes(c.URL + "/a")
		select {
		case <-c.prerendered:
		case <-time.After(time.Minute):
			t.Fatal("the browser loads nothing beforehand")
		}
		c.waits()
		c.storedSoon("screen_view /a")
		c.clicks("#in", "left")
		c.storedSoon("screen_view /a", "screen_leave /a", "screen_view /inside")
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
}
