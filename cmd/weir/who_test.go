package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/meta"
)

// known is what is known of a profile: its events and its visits with a screen view.
type known struct{ Events, Visits int64 }

// who is a story of some events: they are sent in each of the orders, in requests and batches of their
// own and in one request. Then come what is known of each profile, and how many persons there are.
type who struct {
	name     string
	events   []string // ts is a time of day
	orders   [][]int
	profiles map[string]known
	persons  int64
}

var whos = []who{
	{
		name: "a device belongs to the profile of its earliest event",
		events: []string{
			`{"name":"click","device_id":"d","profile_id":"A","ts":"10:10"}`,
			`{"name":"click","device_id":"d","profile_id":"A","ts":"10:05"}`,
			`{"name":"click","device_id":"d","profile_id":"B","ts":"10:07"}`,
			`{"name":"screen_view","device_id":"d","path":"/","ts":"10:00"}`,
		},
		orders:   [][]int{{0, 1, 2, 3}, {2, 0, 1, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}},
		profiles: map[string]known{"A": {3, 1}, "B": {1, 0}}, persons: 2,
	},
	{
		name: "a visit belongs to the profile of its last event",
		events: []string{
			`{"name":"screen_view","device_id":"d","path":"/","profile_id":"A","ts":"10:00"}`,
			`{"name":"click","device_id":"d","profile_id":"B","ts":"10:20"}`,
			`{"name":"click","device_id":"d","profile_id":"A","ts":"10:10"}`,
		},
		orders:   [][]int{{0, 2, 1}, {1, 0, 2}, {2, 1, 0}},
		profiles: map[string]known{"A": {2, 0}, "B": {1, 1}}, persons: 2,
	},
	{
		name: "a visit whose last events are of the same time belongs to the least of their profiles",
		events: []string{
			`{"name":"screen_view","device_id":"d","path":"/","profile_id":"B","ts":"10:00"}`,
			`{"name":"screen_view","device_id":"d","path":"/","profile_id":"A","ts":"10:00"}`,
		},
		orders:   [][]int{{0, 1}, {1, 0}},
		profiles: map[string]known{"A": {1, 1}, "B": {1, 0}}, persons: 2,
	},
	{
		name: "a server's event with a browser's id counts for the browser",
		events: []string{
			`{"name":"screen_view","device_id":"d","path":"/","ts":"10:00"}`,
			`{"name":"paid","profile_id":"d","ts":"10:01"}`,
			`{"name":"paid","profile_id":"server","ts":"10:02"}`,
		},
		orders:   [][]int{{0, 1, 2}, {2, 1, 0}},
		profiles: map[string]known{"server": {1, 0}}, persons: 2,
	},
	{
		name: "a server's event with a browser's id counts for the browser's user",
		events: []string{
			`{"name":"screen_view","device_id":"d","path":"/","ts":"10:00"}`,
			`{"name":"paid","profile_id":"d","ts":"10:01"}`,
			`{"name":"click","device_id":"d","profile_id":"A","ts":"10:02"}`,
		},
		orders:   [][]int{{0, 1, 2}, {2, 1, 0}},
		profiles: map[string]known{"A": {3, 1}}, persons: 1,
	},
	{
		name: "a leave without an open visit links its device",
		events: []string{
			`{"name":"screen_leave","device_id":"d","path":"/","profile_id":"A","ts":"08:00"}`,
			`{"name":"screen_view","device_id":"d","path":"/","ts":"10:00"}`,
			`{"name":"screen_view","device_id":"d","path":"/","profile_id":"B","ts":"11:00"}`,
		},
		orders:   [][]int{{0, 1, 2}, {2, 1, 0}},
		profiles: map[string]known{"A": {2, 1}, "B": {1, 1}}, persons: 2,
	},
	{
		name: "a session_end without an open visit links its device",
		events: []string{
			`{"name":"session_end","device_id":"d","profile_id":"A","ts":"08:00"}`,
			`{"name":"screen_view","device_id":"d","path":"/","ts":"10:00"}`,
			`{"name":"screen_view","device_id":"d","path":"/","profile_id":"B","ts":"11:00"}`,
		},
		orders:   [][]int{{0, 1, 2}, {2, 1, 0}},
		profiles: map[string]known{"A": {2, 1}, "B": {1, 1}}, persons: 2,
	},
}

func TestWhoAnEventCountsForDoesNotDependOnTheOrderOfArrival(t *testing.T) {
	t.Run("Pebble and DuckDB", func(t *testing.T) { whoOn(newReplayWorld(t, embedded)) })
	t.Run("Redis and ClickHouse", func(t *testing.T) { whoOn(newReplayWorld(t, clustered)) })
}

func whoOn(w *replayWorld) {
	w.set(time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC))
	type told struct {
		who
		*weir.Project
		how, key string
		bodies   []string // of requests
	}
	var all []told
	requests := 0
	tell := func(story who, how string, bodies ...string) {
		p, key, err := w.meta.CreateProject(w.t.Context(), meta.NewProject{Name: "who", Timezone: "UTC"})
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, told{story, p, story.name + ", " + how, key, bodies})
		requests = max(requests, len(bodies))
	}
	atTime := regexp.MustCompile(`"ts":"(..:..)"`)
	for _, story := range whos {
		for _, order := range story.orders {
			var bodies []string
			for _, i := range order {
				bodies = append(bodies, atTime.ReplaceAllString(story.events[i], `"ts":"2026-03-02T$1:00Z"`))
			}
			tell(story, fmt.Sprint(order), bodies...)
			tell(story, fmt.Sprint("in one request ", order), strings.Join(bodies, "\n"))
		}
	}
	for i := range requests {
		for _, s := range all {
			if i < len(s.bodies) {
				w.call("POST", "/v1/events", s.key, []byte(s.bodies[i]), nil)
			}
		}
		w.ask(all[0].Project, weir.Trend{Common: onlyDay, Series: []weir.Series{{Math: weir.MathTotal}}}, nil) // ends the batch
	}
	for _, s := range all {
		got := map[string]known{}
		page, err := w.insights.Profiles(w.t.Context(), s.Project, insight.ProfilesQuery{}, 0)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, it := range page.Profiles {
			a, err := w.insights.Profile(w.t.Context(), s.Project, it.ProfileID, 0)
			if err != nil {
				w.t.Fatal(err)
			}
			if a.Events != it.Events {
				w.t.Errorf("%s: %s has %d events, in the list %d", s.how, it.ProfileID, a.Events, it.Events)
			}
			got[it.ProfileID] = known{a.Events, a.Visits}
		}
		if d := cmp.Diff(s.profiles, got, cmpopts.EquateEmpty()); d != "" {
			w.t.Errorf("%s (-want +got):\n%s", s.how, d)
		}
		var trend insight.Trend
		w.ask(s.Project, weir.Trend{Common: onlyDay, Series: []weir.Series{{Math: weir.MathUnique}}}, &trend)
		if n := *trend.Series[0].Total; n != float64(s.persons) {
			w.t.Errorf("%s: %v persons, want %d", s.how, n, s.persons)
		}
	}
}

// onlyDay is the day of all stories.
var onlyDay = weir.Common{From: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), Interval: weir.Day}

// ask asks the project a question.
func (w *replayWorld) ask(p *weir.Project, q weir.Question, out any) {
	w.t.Helper()
	a, err := w.insights.Ask(w.t.Context(), p, q, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := json.Marshal(a)
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
