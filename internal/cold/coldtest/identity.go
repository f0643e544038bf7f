package coldtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func testIdentity(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	orders := []string{"shuffled", "backwards", "in one batch", "as it was"}
	if p.Of > 1 {
		orders = orders[:1]
	}
	t.Run("who is who, in whatever order it is said", func(t *testing.T) { testStories(t, open, orders) })
	t.Run("who is erased is erased with what is merged into them", func(t *testing.T) { testEraseMerged(t, open) })
	t.Run("a project without aliases is asked what it was asked before there were any", func(t *testing.T) { testNoAliases(t, open) })
	t.Run("an alias holds when the events that said it are forgotten", func(t *testing.T) { testForgetAliases(t, open) })
}

// said is an event of a story: at is in minutes.
type said struct {
	at                     int
	device, profile, alias string
	identify               bool // alias says so too
}

// story is some events, and under whom they count.
type story struct {
	events  []said
	persons map[string]int      // "u" and a profile or "d" and a device: events
	aliases map[string][]string // by profile
	refused map[string]map[string]string
}

var stories = map[string]story{
	"anonymous then identified": {
		events:  []said{{at: 1, device: "d"}, {at: 2, device: "d", profile: "ada", identify: true}, {at: 3, device: "d", profile: "ada"}, {at: 4, device: "d"}},
		persons: map[string]int{"uada": 4},
	},
	"an alias before the events": {
		events:  []said{{at: 1, profile: "ada", alias: "x"}, {at: 2, profile: "x"}, {at: 3, device: "x"}, {at: 4, profile: "ada"}},
		persons: map[string]int{"uada": 4}, aliases: map[string][]string{"ada": {"x"}},
	},
	"an alias after the events": {
		events:  []said{{at: 1, profile: "x"}, {at: 2, device: "x"}, {at: 3, device: "d", profile: "ada", alias: "x"}},
		persons: map[string]int{"uada": 3}, aliases: map[string][]string{"ada": {"x"}},
	},
	"two devices, one user": {
		events:  []said{{at: 1, device: "d"}, {at: 2, device: "e"}, {at: 3, device: "d", profile: "ada"}, {at: 4, device: "e", profile: "ada"}},
		persons: map[string]int{"uada": 4},
	},
	"logout without a new device, and login as another": {
		events:  []said{{at: 1, device: "d"}, {at: 2, device: "d", profile: "ada", identify: true}, {at: 3, device: "d"}, {at: 4, device: "d", profile: "bob", identify: true}, {at: 5, device: "d"}},
		persons: map[string]int{"uada": 4, "ubob": 1},
	},
	"logout with a new device, and login as another": {
		events: []said{
			{at: 1, device: "d", profile: "ada", alias: "d"}, {at: 2, device: "e"}, {at: 3, device: "e", profile: "bob", alias: "e"}, {at: 4, device: "e"}, {at: 5, device: "d"},
		},
		persons: map[string]int{"uada": 2, "ubob": 3}, aliases: map[string][]string{"ada": {"d"}, "bob": {"e"}},
	},
	"an alias that is linked to a device is refused": {
		events:  []said{{at: 1, device: "d", profile: "x"}, {at: 2, profile: "ada", alias: "x"}, {at: 3, profile: "x"}},
		persons: map[string]int{"ux": 2, "uada": 1}, refused: map[string]map[string]string{"ada": {"x": "identified"}},
	},
	"an alias that a server identified is refused, also when that is said later": {
		events:  []said{{at: 1, profile: "ada", alias: "x"}, {at: 2, profile: "x"}, {at: 9, profile: "x", identify: true}},
		persons: map[string]int{"ux": 2, "uada": 1}, refused: map[string]map[string]string{"ada": {"x": "identified"}},
	},
	"two that are aliases of each other stay two": {
		events:  []said{{at: 1, profile: "ada", alias: "bob"}, {at: 2, profile: "bob", alias: "ada"}, {at: 3, profile: "ada"}},
		persons: map[string]int{"uada": 2, "ubob": 1}, refused: map[string]map[string]string{"ada": {"bob": "identified"}, "bob": {"ada": "identified"}},
	},
	"aliases make no chain": {
		events:  []said{{at: 1, profile: "y", alias: "x"}, {at: 2, profile: "z", alias: "y"}, {at: 3, profile: "x"}, {at: 4, profile: "y"}},
		persons: map[string]int{"uy": 3, "uz": 1}, aliases: map[string][]string{"y": {"x"}}, refused: map[string]map[string]string{"z": {"y": "identified"}},
	},
	"an alias of oneself says nothing but who one is": {
		events:  []said{{at: 1, profile: "ada", alias: "ada"}, {at: 2, profile: "bob", alias: "ada"}},
		persons: map[string]int{"uada": 1, "ubob": 1}, refused: map[string]map[string]string{"bob": {"ada": "identified"}},
	},
	"of two profiles with one alias the first has it": {
		events:  []said{{at: 2, profile: "ada", alias: "x"}, {at: 1, profile: "zoe", alias: "x"}, {at: 3, profile: "x"}, {at: 3, device: "x"}},
		persons: map[string]int{"uzoe": 3, "uada": 1}, aliases: map[string][]string{"zoe": {"x"}}, refused: map[string]map[string]string{"ada": {"x": "taken"}},
	},
	"of two at the same time the least": {
		events:  []said{{at: 1, profile: "zoe", alias: "x"}, {at: 1, profile: "ada", alias: "x"}, {at: 3, profile: "x"}},
		persons: map[string]int{"uada": 2, "uzoe": 1}, aliases: map[string][]string{"ada": {"x"}}, refused: map[string]map[string]string{"zoe": {"x": "taken"}},
	},
	"an illegal id is no alias": {
		events:  []said{{at: 1, profile: "ada", alias: "undefined"}, {at: 2, profile: "bob", alias: " 'NULL' "}, {at: 3, profile: "undefined"}, {at: 4, device: "undefined"}},
		persons: map[string]int{"uada": 1, "ubob": 1, "uundefined": 1, "dundefined": 1},
	},
	"a profile that is the id of a device counts as the device": {
		events:  []said{{at: 1, device: "x"}, {at: 2, profile: "x"}, {at: 3, profile: "y"}},
		persons: map[string]int{"dx": 2, "uy": 1},
	},
	"and for whom the device counts": {
		events:  []said{{at: 1, device: "x"}, {at: 2, profile: "x"}, {at: 3, device: "x", profile: "ada"}, {at: 4, device: "y", profile: "ada"}, {at: 5, profile: "y"}},
		persons: map[string]int{"uada": 5},
	},
	"a profile that was identified does not, though it is the id of a device": {
		events:  []said{{at: 1, device: "x"}, {at: 2, profile: "x"}, {at: 3, profile: "x", identify: true}, {at: 4, device: "y"}, {at: 5, profile: "y"}, {at: 6, device: "z", profile: "y"}},
		persons: map[string]int{"dx": 1, "ux": 2, "dy": 1, "uy": 2},
	},
	"an alias counts before the device of its name": {
		events:  []said{{at: 1, device: "x", profile: "bob"}, {at: 2, profile: "x"}, {at: 3, profile: "ada", alias: "x"}, {at: 4, device: "x"}},
		persons: map[string]int{"ubob": 2, "uada": 2}, aliases: map[string][]string{"ada": {"x"}},
	},
}

// storyFrom is when stories begin; they end within the day.
var storyFrom = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

func storyProject(name, order string) *weir.Project {
	p := &weir.Project{ID: name + ", " + order, Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		panic(err)
	}
	return p
}

// row is the event.
func (e said) row(p *weir.Project, seq uint64) (r weir.EventRow) {
	r.ID, r.ProjectID, r.Name, r.DeviceID, r.ProfileID = fmt.Sprint(p.ID, " ", seq, " ", e.at), p.ID, "seen", e.device, e.profile
	r.Time = storyFrom.Add(time.Duration(e.at) * time.Minute)
	r.ReceivedAt, r.Seq = r.Time, seq
	if e.identify || e.alias != "" {
		r.Name = weir.NameIdentify
	}
	if e.alias != "" {
		r.Properties, _ = json.Marshal(map[string]any{weir.PropertyAlias: e.alias})
	}
	return r
}

// testStories writes all stories side by side, each in all orders, and with batches that
// come again.
func testStories(t *testing.T, open func(*testing.T, string) cold.Store, orders []string) {
	s := begin(t, open)
	r := rand.New(rand.NewPCG(3, 4))
	longest := 0
	for _, st := range stories {
		longest = max(longest, len(st.events))
	}
	for _, order := range orders {
		batches := make([]*cold.Batch, longest)
		for i := range batches {
			batches[i] = &cold.Batch{Token: fmt.Sprint(order, i), Log: order, First: uint64(i*100 + 1), Last: uint64(i*100 + 99), Now: time.Now().UTC().Truncate(time.Microsecond)}
		}
		for name, st := range stories {
			events := slices.Clone(st.events)
			switch order {
			case "backwards":
				slices.Reverse(events)
			case "shuffled":
				r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			}
			for i, e := range events {
				b := batches[i]
				if order == "in one batch" {
					b = batches[0]
				}
				b.Events = append(b.Events, e.row(storyProject(name, order), b.First+uint64(len(b.Events))))
			}
		}
		for i, b := range batches {
			if len(b.Events) == 0 {
				continue
			}
			b.Last = b.First + uint64(len(b.Events)) - 1
			write(t, s, b)
			if i%2 == 0 {
				write(t, s, b)
			}
			again(t, s, b)
		}
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	for name, st := range stories {
		for _, order := range orders {
			t.Run(name+", "+order, func(t *testing.T) { st.check(t, e, storyProject(name, order)) })
		}
	}
}

func (st *story) check(t *testing.T, e *insight.Engine, p *weir.Project) {
	page, err := e.Profiles(t.Context(), p, insight.ProfilesQuery{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, refusals := map[string]int{}, 0
	for _, it := range page.Profiles {
		got["u"+it.ProfileID] = int(it.Events)
		a, err := e.Profile(t.Context(), p, it.ProfileID, 0)
		if err != nil {
			t.Fatal(err)
		}
		pic := pictureOf(a)
		refusals += len(pic.Refused)
		if d := cmp.Diff(st.aliases[it.ProfileID], pic.Aliases, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("aliases of %s (-want +got)\n%s", it.ProfileID, d)
		}
		if d := cmp.Diff(st.refused[it.ProfileID], pic.Refused, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("refused aliases of %s (-want +got)\n%s", it.ProfileID, d)
		}
		if a.Events != it.Events {
			t.Errorf("%s has %d events, in the list %d", it.ProfileID, a.Events, it.Events)
		}
		listed, err := e.Events(t.Context(), p, insight.EventsQuery{ProfileID: it.ProfileID}, 0)
		if err != nil || len(listed.Events) != int(it.Events) {
			t.Errorf("%s: %d events are found, %v; want %d", it.ProfileID, len(listed.Events), err, it.Events)
		}
	}
	want := map[string]int{}
	for person, n := range st.persons {
		if person[0] == 'u' {
			want[person] = n
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events by profile (-want +got)\n%s", d)
	}
	if int(page.RefusedAliases) != refusals {
		t.Errorf("%d aliases are refused in all, want %d", page.RefusedAliases, refusals)
	}
	trend, err := insight.Ask[insight.Trend](t.Context(), e, p, weir.Trend{Common: weir.Common{From: storyFrom.Truncate(24 * time.Hour), To: storyFrom.AddDate(0, 0, 1).Truncate(24 * time.Hour), Interval: weir.Day}, Series: []weir.Series{{Math: weir.MathUnique}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := *trend.Series[0].Total; n != float64(len(st.persons)) {
		t.Errorf("%v persons, want %d", n, len(st.persons))
	}
	for person := range st.persons {
		if _, isProfile := want["u"+person[1:]]; person[0] == 'd' && !isProfile {
			if _, err := e.Profile(t.Context(), p, person[1:], 0); weir.ErrorCode(err) != weir.ENOTFOUND {
				t.Errorf("the device %s is asked for as a profile: %v", person[1:], err)
			}
		}
	}
	for _, former := range st.aliases {
		for _, id := range former {
			listed, err := e.Events(t.Context(), p, insight.EventsQuery{ProfileID: id}, 0)
			if err != nil || len(listed.Events) != 0 {
				t.Errorf("%d events count for %s, which is merged: %v", len(listed.Events), id, err)
			}
		}
	}
}

// tell writes events of a project.
func tell(t *testing.T, s cold.Store, p *weir.Project, first uint64, events ...said) *cold.Batch {
	t.Helper()
	b := &cold.Batch{Token: fmt.Sprint("told-", first), Log: "told", First: first, Last: first + uint64(len(events)) - 1, Now: time.Now().UTC().Truncate(time.Microsecond)}
	for i, e := range events {
		b.Events = append(b.Events, e.row(p, first+uint64(i)))
	}
	write(t, s, b)
	return b
}
