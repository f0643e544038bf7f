package ga4_test

import (
	"net/http"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestMinimalAnalyticsRecordings(t *testing.T) {
	wiretest.Recordings(t, ga4.Protocol{}, "ga4-minimal", wiretest.Now)
}

// hitIDs are the ids of the events of a request of gtag.js.
func hitIDs(t *testing.T, query, body string) (ids []string) {
	t.Helper()
	sent, _, err := wiretest.Send(t, ga4.Protocol{}, wiretest.Call{Method: http.MethodPost, Path: "/g/collect?tid=G-1&cid=1.2&" + query, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range sent.Parts[0].Events {
		ids = append(ids, e.Event.ID)
	}
	return ids
}

func TestHitThatIsSentAgainHasTheSameIDAndAnotherHitHasNot(t *testing.T) {
	first := hitIDs(t, "_p=7&_s=1&uid=ada&up.plan=pro", "en=a\nen=a\n")
	again := hitIDs(t, "_p=7&_s=1&uid=ada&up.plan=pro", "en=a\nen=a\n")
	seen := map[string]bool{}
	for i, id := range first {
		if id == "" || id != again[i] || seen[id] {
			t.Errorf("ids %q, then %q", first, again)
		}
		seen[id] = true
	}
	if len(first) != 3 {
		t.Fatalf("%d events, want two and an identify", len(first))
	}
	for _, other := range []string{"_p=7&_s=2", "_p=8&_s=1", "_p=7&_s=1&dt=x"} {
		if ids := hitIDs(t, other, "en=a"); seen[ids[0]] {
			t.Errorf("%s has the id of another hit", other)
		}
	}
	for _, unnamed := range []string{"", "_p=7", "_s=1"} {
		if ids := hitIDs(t, unnamed, "en=a"); ids[0] != "" {
			t.Errorf("%q names no request, but its event has the id %q", unnamed, ids[0])
		}
	}
}

func TestHitsAreBounded(t *testing.T) {
	for what, c := range map[string]struct {
		query, body      string
		events, rejected int
		code             string
	}{
		"lines":                         {"", strings.Repeat("en=a\n", 1001), 0, 0, weir.ETOOLARGE},
		"parameters of the query":       {strings.Repeat("a=b&", 2000), "en=a\nen=b", 0, 2, ""},
		"parameters of one line":        {"", "en=a&" + strings.Repeat("a=b&", 2000) + "\nen=b", 1, 1, ""},
		"a line longer than an event":   {"", "en=a&ep.x=" + strings.Repeat("x", 1<<20) + "\nen=b", 1, 1, ""},
		"items":                         {"", "en=a" + strings.Repeat("&pr1=idA", 900), 1, 0, ""},
		"members of an item":            {"", "en=a&pr1=" + strings.Repeat("k0a~v0b~", 10_000), 1, 0, ""},
		"blank lines, which are no hit": {"en=a", strings.Repeat("\n", 1<<20), 1, 0, ""},
	} {
		sent, _, err := wiretest.Send(t, ga4.Protocol{}, wiretest.Call{Method: http.MethodPost, Path: "/g/collect?tid=G-1&" + c.query, Body: c.body})
		if weir.ErrorCode(err) != c.code {
			t.Errorf("%s: %v", what, err)
		} else if err == nil && (len(sent.Parts[0].Events) != c.events || len(sent.Parts[0].Rejected) != c.rejected) {
			t.Errorf("%s: %d events, %+v", what, len(sent.Parts[0].Events), sent.Parts[0].Rejected)
		}
	}
}

func TestBeginningOfABodyNamesItsProject(t *testing.T) {
	r := &wire.Request{Route: wire.Route{Method: http.MethodPost, Path: "/g/collect"}, RawQuery: "tid=G-1"}
	for text, want := range map[string]string{"v=2&tid=G-2&cid=1": "G-2", "tid=G-2\nen=a": "G-2", "v=2": "", "tid=" + strings.Repeat("x", 1000): strings.Repeat("x", wire.LongestName)} {
		if names := (ga4.Protocol{}).ProjectNames(r, []byte(text)); len(names) != 2 || names[0] != "G-1" || names[1] != want {
			t.Errorf("%.40s: %q", text, names)
		}
	}
}

// FuzzHits checks what holds for any request of gtag.js.
func FuzzHits(f *testing.F) {
	wiretest.EachGolden(f, ga4.Protocol{}, func(_ string, r *wire.Request) {
		if r.Route.Path == "/g/collect" {
			f.Add(r.RawQuery, r.Body)
		}
	})
	l := wiretest.SmallLimits()
	l.Event, l.Properties = 4000, 30
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		defer wiretest.Bounded(t)()
		r := &wire.Request{
			Route: wire.Route{Method: http.MethodPost, Path: "/g/collect"}, Path: "/g/collect", Header: http.Header{},
			RawQuery: "tid=G-1&" + query, Body: body, Now: wiretest.Now, Limits: l,
		}
		p := ga4.Protocol{}
		sent, err := p.Decode(r)
		if code := weir.ErrorCode(err); err != nil && code != weir.ETOOLARGE {
			t.Errorf("code %q: %v", code, err)
		}
		if err != nil {
			return
		}
		wiretest.CheckEvents(t, sent, r.Limits)
		if out := p.Answer(r, sent); out.Status != http.StatusNoContent {
			t.Errorf("answer %+v", out)
		}
	})
}
