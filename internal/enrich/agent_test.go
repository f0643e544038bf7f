package enrich_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

// open returns an Enricher on the embedded data, closed with the test.
func open(tb testing.TB, o enrich.Options) *enrich.Enricher {
	tb.Helper()
	e, err := enrich.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// reading is what an event tells of its user agent.
type reading struct {
	Browser, BrowserVersion, OS, OSVersion, DeviceType string
	Bot                                                bool
}

func readingOf(e weir.Event) reading {
	return reading{e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType, e.Bot}
}

// goldenAgents reads testdata/agents.tsv.
func goldenAgents(tb testing.TB) (agents []string, want map[string]reading) {
	tb.Helper()
	raw, err := os.ReadFile("testdata/agents.tsv")
	if err != nil {
		tb.Fatal(err)
	}
	want = make(map[string]reading)
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 7 {
			tb.Fatalf("testdata/agents.tsv: %d fields, not 7, in %q", len(f), line)
		}
		agents = append(agents, f[0])
		want[f[0]] = reading{f[1], f[2], f[3], f[4], f[5], f[6] == "bot"}
	}
	return agents, want
}

func TestUserAgentIsReadAsByHand(t *testing.T) {
	e := open(t, enrich.Options{})
	agents, want := goldenAgents(t)
	for _, ua := range agents {
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		e.Apply(&in, nil)
		if diff := cmp.Diff(want[ua], readingOf(in.Event)); diff != "" {
			t.Errorf("%s (-by hand +read):\n%s", ua, diff)
		}
	}
}

func TestAgentAndAddressOfARemoteCallAreTheServersOwn(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, ua := range []string{"curl/8.4.0", chrome} {
		in := weir.Incoming{
			Event:  weir.Event{Name: weir.NameCall, Call: &weir.Call{Method: "GET", Route: "/a"}},
			Source: weir.Source{UserAgent: ua, IP: "8.8.8.8", Remote: true},
		}
		want := in.Event
		e.Apply(&in, nil)
		if diff := cmp.Diff(want, in.Event); diff != "" {
			t.Errorf("%s: derived (-none +got):\n%s", ua, diff)
		}
	}
}

func TestAgentAndAddressThatACallNamesAreTheVisitors(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{
		Event:  weir.Event{Name: weir.NameCall, Call: &weir.Call{}},
		Source: weir.Source{UserAgent: "curl/8.4.0", IP: "8.8.8.8"},
	}
	e.Apply(&in, nil)
	if !in.Event.Bot || in.Event.Browser != "curl" || in.Event.Country != "US" {
		t.Errorf("bot %t, browser %q, country %q; want true, curl, US", in.Event.Bot, in.Event.Browser, in.Event.Country)
	}
}

func TestProgramThatSendsVisitorsEventsIsNotTheVisitor(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, ua := range []string{"python-requests/2.31.0", "posthog-node/5.70.0", "Go-http-client/2.0", "curl/8.4.0"} {
		in := weir.Incoming{
			Event:  weir.Event{Name: "signup"},
			Source: weir.Source{UserAgent: ua, IP: "8.8.8.8", Remote: true},
		}
		e.Apply(&in, nil)
		if got, want := in.Event, (weir.Event{Name: "signup"}); !cmp.Equal(got, want) {
			t.Errorf("%s: derived (-none +got):\n%s", ua, cmp.Diff(want, got))
		}
	}
}

func TestCrawlerThatRunsThePagesScriptIsABot(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Source: weir.Source{UserAgent: googlebot, IP: "8.8.8.8", Remote: true}}
	e.Apply(&in, nil)
	if !in.Event.Bot || in.Event.Country != "US" {
		t.Errorf("bot %t, country %q; want true, US", in.Event.Bot, in.Event.Country)
	}
}

func TestBotFlagOfTheSenderStays(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Bot: true}, Source: weir.Source{UserAgent: chrome}}
	e.Apply(&in, nil)
	if !in.Event.Bot {
		t.Error("the flag was taken off")
	}
}

func TestVersionGoesOnlyWithItsOwnBrowserAndSystem(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{
		Event:  weir.Event{Browser: "Arc", OS: "Windows"},
		Source: weir.Source{UserAgent: chrome},
	}
	e.Apply(&in, nil)
	got := readingOf(in.Event)
	want := reading{Browser: "Arc", OS: "Windows", OSVersion: "10", DeviceType: weir.DeviceDesktop}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswersAreTheSameWithAndWithoutACache(t *testing.T) {
	agents, want := goldenAgents(t)
	for _, size := range []int{-1, 1, 16} { // none; far too small; small
		e := open(t, enrich.Options{CacheSize: size})
		for range 3 {
			for _, ua := range agents {
				in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
				e.Apply(&in, nil)
				if diff := cmp.Diff(want[ua], readingOf(in.Event)); diff != "" {
					t.Errorf("cache of %d: %s:\n%s", size, ua, diff)
				}
			}
		}
	}
}

func TestApplyIsSafeForConcurrentUse(t *testing.T) {
	e := open(t, enrich.Options{CacheSize: 16})
	agents, want := goldenAgents(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				ua := agents[(i*7+g)%len(agents)]
				in := weir.Incoming{Source: weir.Source{UserAgent: ua, IP: "8.8.8.8"}}
				e.Apply(&in, nil)
				if got := readingOf(in.Event); got != want[ua] {
					t.Errorf("%s: %+v, want %+v", ua, got, want[ua])
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestOnlyTheBeginningOfALongUserAgentIsRead(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct {
		padding int
		bot     bool
	}{{900, true}, {1100, false}} {
		ua := chrome + strings.Repeat(" ", c.padding-len(chrome)) + "Googlebot/2.1"
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		e.Apply(&in, nil)
		if in.Event.Bot != c.bot {
			t.Errorf("Googlebot at byte %d: bot %t, want %t", c.padding, in.Event.Bot, c.bot)
		}
	}
}

const (
	chrome    = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
	googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)
