package coldtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// traitOracle replays the whole past.
type traitOracle struct {
	h       *history
	values  map[[2]string]string // by profile and trait
	owners  map[string]string    // by device
	links   []weir.Link          // those that events say themselves among them
	merged  map[string]string    // profile → the one that it counts under
	unnamed map[string]bool      // profiles that are ids of devices
}

// ids are of all profiles that there may be.
func (o *traitOracle) ids() []string {
	var ids []string
	for i := range traitProfiles {
		ids = append(ids, fmt.Sprint("user-", i))
	}
	for i := range traitFormers {
		ids = append(ids, fmt.Sprint("former-", i))
	}
	return ids
}

// aliasCounts are how many aliases count, and how many do not.
func (o *traitOracle) aliasCounts() (count, refused int) {
	for _, id := range o.ids() {
		p := o.profile(id)
		count, refused = count+len(p.Aliases), refused+len(p.Refused)
	}
	return count, refused
}

// value is what a replay leaves of a profile's trait, as JSON: "" is nothing.
func (o *traitOracle) value(profile, trait string) string {
	k := [2]string{profile, trait}
	v, ok := o.values[k]
	if !ok {
		v = o.replay(profile, trait)
		o.values[k] = v
	}
	return v
}

func (o *traitOracle) replay(profile, trait string) string {
	asked := slices.Clone(o.h.asked)
	slices.SortStableFunc(asked, func(a, b asking) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return (a.shard-b.shard)*1_000_000_000 + int(a.seq)*1000 - int(b.seq)*1000 + a.n - b.n
	})
	var v any
	for _, a := range asked {
		if a.profile != profile || a.trait != trait {
			continue
		}
		switch a.op {
		case "set", "unset":
			v = a.value
		case "once":
			if v == nil {
				v = a.value
			}
		case "add":
			m, _ := v.(int64)
			v = m + a.value.(int64)
		}
	}
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return plain(v)
	default:
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
}

// text is a value as filters and breakdowns have it.
func (o *traitOracle) text(profile, trait string) (string, bool) {
	v := o.value(profile, trait)
	if strings.HasPrefix(v, `"`) {
		var s string
		if err := json.Unmarshal([]byte(v), &s); err != nil {
			panic(err)
		}
		return s, true
	}
	return v, v != ""
}

// owner is the profile that an event counts for.
func (o *traitOracle) owner(e *weir.EventRow) string {
	if o.links == nil {
		o.links = linksOf(o.h.links, slices.Concat(o.h.rows[:]...))
		o.merged = mergesOf(o.links)
		o.unnamed = unnamedOf(o.links, slices.Concat(o.h.rows[:]...))
	}
	if into, ok := o.merged[e.ProfileID]; ok {
		return into
	}
	device := e.DeviceID
	if o.unnamed[e.ProfileID] {
		device = e.ProfileID
	} else if e.ProfileID != "" || device == "" {
		return e.ProfileID
	}
	if p, ok := o.owners[device]; ok {
		return p
	}
	var first *weir.Link
	for i := range o.links {
		l := &o.links[i]
		if l.DeviceID != device {
			continue
		}
		if first == nil || l.At.Before(first.At) || l.At.Equal(first.At) && l.ProfileID < first.ProfileID {
			first = l
		}
	}
	if first == nil {
		first = &weir.Link{}
	}
	o.owners[device] = first.ProfileID
	return first.ProfileID
}

// count is how many events of the first days have a person whose trait passes.
func (o *traitOracle) count(trait string, pass func(text string, ok bool) bool) float64 {
	n := 0.0
	for _, rows := range o.h.rows {
		for i := range rows {
			text, ok := "", false
			if owner := o.owner(&rows[i]); owner != "" {
				text, ok = o.text(owner, trait)
			}
			if !rows[i].Time.Before(traitFrom) && pass(text, ok) {
				n++
			}
		}
	}
	return n
}

func (o *traitOracle) query(math weir.Math) weir.Trend {
	return weir.Trend{Common: weir.Common{From: traitFrom, To: traitFrom.AddDate(0, 0, 2), Interval: weir.Day}, Limit: 100, Series: []weir.Series{{Math: math}}}
}

func (o *traitOracle) breakdowns(t *testing.T, e *insight.Engine) {
	for _, trait := range traitNames {
		want := map[string]float64{}
		for _, rows := range o.h.rows {
			for i := range rows {
				if rows[i].Time.Before(traitFrom) {
					continue
				}
				key := "none"
				if owner := o.owner(&rows[i]); owner != "" {
					if text, ok := o.text(owner, trait); ok {
						key = "=" + text
					}
				}
				want[key]++
			}
		}
		for _, math := range []weir.Math{weir.MathTotal, weir.MathUnique} {
			q := o.query(math)
			q.Breakdown = "traits." + trait
			a, err := insight.Ask[insight.Trend](t.Context(), e, o.h.project, q, 0)
			if err != nil {
				t.Fatalf("%s by %s: %v", math, trait, err)
			}
			got := map[string]float64{}
			for _, line := range a.Series {
				key := "=" + line.Breakdown.Value
				if line.Breakdown.None {
					key = "none"
				}
				got[key] = *line.Total
			}
			if math == weir.MathUnique { // the same groups
				for key := range got {
					got[key] = want[key]
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s by %s (-want +insight):\n%s", math, trait, d)
			}
		}
	}
}

// filters asks each third question, or all.
func (o *traitOracle) filters(t *testing.T, e *insight.Engine, p Part) {
	asked := 0
	number := func(s string) (f float64, ok bool) {
		_, err := fmt.Sscanf(s, "%g", &f)
		return f, err == nil && json.Valid([]byte(s))
	}
	for _, trait := range traitNames {
		for _, v := range []string{"pro", "", "12", "3.5", "true", "nobody has it", "0", "用"} {
			tests := map[string]func(text string, ok bool) bool{
				"=":        func(text string, ok bool) bool { return ok && text == v },
				"!=":       func(text string, ok bool) bool { return !ok || text != v },
				"in":       func(text string, ok bool) bool { return ok && (text == v || text == "free") },
				"contains": func(text string, ok bool) bool { return ok && strings.Contains(text, v) },
				">":        func(text string, ok bool) bool { f, n := number(text); return ok && n && f > 0.5 },
			}
			for _, op := range slices.Sorted(maps.Keys(tests)) {
				if asked++; asked%p.Of > 0 {
					continue
				}
				pass := tests[op]
				c := weir.Condition{Column: "traits." + trait, Op: op, Values: []string{v}}
				switch op {
				case "in":
					c.Values = append(c.Values, "free")
				case ">":
					c.Values = []string{"0.5"}
				}
				q := o.query(weir.MathTotal)
				q.Filter = []weir.Condition{c}
				a, err := insight.Ask[insight.Trend](t.Context(), e, o.h.project, q, 0)
				if err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
				if want := o.count(trait, pass); *a.Series[0].Total != want {
					t.Errorf("%+v: %v events, want %v", c, *a.Series[0].Total, want)
				}
			}
		}
	}
}

func (o *traitOracle) profiles(t *testing.T, e *insight.Engine) {
	for _, id := range o.ids() {
		a, err := e.Profile(t.Context(), o.h.project, id, 0)
		if into := o.merged[id]; into != "" {
			if weir.ErrorCode(err) != weir.ENOTFOUND || !strings.Contains(fmt.Sprint(err), strconv.Quote(into)) {
				t.Errorf("%s is merged into %s: %v", id, into, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		want := o.profile(id)
		if d := cmp.Diff(want, pictureOf(a)); d != "" {
			t.Errorf("%s (-want +insight):\n%s", id, d)
		}
	}
	if _, err := e.Profile(t.Context(), o.h.project, "nobody", 0); weir.ErrorCode(err) != weir.ENOTFOUND {
		t.Errorf("nobody: error %v, want ENOTFOUND", err)
	}
}

// picture is what is said of a profile.
type picture struct {
	First, Last          int64
	Events, Calls, Views int64
	Visits               int64
	Revenue              map[string]float64
	Traits               map[string]string
	Devices              []string
	Aliases              []string          // former ids
	Refused              map[string]string // aliases, and why
}

func pictureOf(a *insight.Profile) picture {
	p := picture{a.FirstSeen.UnixMicro(), a.LastSeen.UnixMicro(), a.Events, a.Calls, a.ScreenViews, a.Visits, a.Revenue, map[string]string{}, nil, nil, map[string]string{}}
	for name, v := range a.Traits {
		p.Traits[name] = string(v)
	}
	for _, d := range a.Devices {
		p.Devices = append(p.Devices, d.DeviceID)
	}
	slices.Sort(p.Devices)
	for _, former := range a.Aliases {
		p.Aliases = append(p.Aliases, former.ID)
	}
	slices.Sort(p.Aliases)
	for _, r := range a.RefusedAliases {
		p.Refused[r.ID] = r.Why
	}
	return p
}

// profile is the oracle's picture.
func (o *traitOracle) profile(id string) picture {
	p := picture{Revenue: map[string]float64{}, Traits: map[string]string{}, Refused: map[string]string{}}
	devices := o.ids() // an alias may be one
	for i := range traitDevices {
		devices = append(devices, fmt.Sprint("device-", i))
	}
	for _, device := range devices {
		if o.owner(&weir.EventRow{Event: weir.Event{DeviceID: device}}) == id {
			p.Devices = append(p.Devices, device)
		}
	}
	slices.Sort(p.Devices)
	for _, l := range o.links {
		switch into := o.merged[l.DeviceID]; {
		case !l.Alias || l.ProfileID != id || slices.Contains(p.Aliases, l.DeviceID):
		case into == id:
			p.Aliases = append(p.Aliases, l.DeviceID)
		case into == "":
			p.Refused[l.DeviceID] = "identified"
		default:
			p.Refused[l.DeviceID] = "taken"
		}
	}
	slices.Sort(p.Aliases)
	for _, rows := range o.h.rows {
		for i := range rows {
			r := &rows[i]
			if o.owner(r) != id {
				continue
			}
			us := r.Time.UnixMicro()
			if p.Events == 0 || us < p.First {
				p.First = us
			}
			if p.Events == 0 || us > p.Last {
				p.Last = us
			}
			p.Events++
			switch r.Name {
			case weir.NameScreenView:
				p.Views++
			case weir.NameCall:
				p.Calls++
			}
			if r.Revenue.Known {
				p.Revenue[r.Currency] += r.Revenue.Value
			}
		}
	}
	for _, v := range o.h.visits {
		if v.ScreenViews > 0 && o.owner(&weir.EventRow{Event: weir.Event{DeviceID: v.DeviceID, ProfileID: v.ProfileID}}) == id {
			p.Visits += int64(v.Sign)
		}
	}
	for _, name := range traitNames {
		if v := o.value(id, name); v != "" {
			p.Traits[name] = v
		}
	}
	return p
}

// list asks for the profiles page by page, and compares with the oracle's order.
func (o *traitOracle) list(t *testing.T, e *insight.Engine) {
	type row struct {
		ID          string
		First, Last int64
		Events      int64
		Traits      map[string]string
	}
	_, refused := o.aliasCounts()
	ask := func(q insight.ProfilesQuery) (out []row) {
		t.Helper()
		for {
			a, err := e.Profiles(t.Context(), o.h.project, q, 0)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			if a.RefusedAliases != int64(refused) {
				t.Fatalf("%d aliases of the project are refused, want %d", a.RefusedAliases, refused)
			}
			for _, it := range a.Profiles {
				p := pictureOf(&insight.Profile{ProfileItem: it})
				out = append(out, row{it.ProfileID, p.First, p.Last, p.Events, p.Traits})
			}
			if q.Cursor = a.NextCursor; q.Cursor == "" {
				return out
			}
		}
	}
	want := func(pass func(id string, p picture) bool) (out []row) {
		for _, id := range o.ids() {
			if p := o.profile(id); p.Events > 0 && pass(id, p) {
				out = append(out, row{id, p.First, p.Last, p.Events, p.Traits})
			}
		}
		slices.SortFunc(out, func(a, b row) int {
			if a.Last != b.Last {
				return int(b.Last/1000 - a.Last/1000)
			}
			return strings.Compare(a.ID, b.ID)
		})
		return out
	}
	value := func(v string) *string { return &v }
	for name, tt := range map[string]struct {
		q    insight.ProfilesQuery
		pass func(id string, p picture) bool
	}{
		"all":             {insight.ProfilesQuery{}, func(string, picture) bool { return true }},
		"with a trait":    {insight.ProfilesQuery{Trait: "plan"}, func(id string, p picture) bool { return p.Traits["plan"] != "" }},
		"with a value":    {insight.ProfilesQuery{Trait: "plan", Value: value("pro")}, func(_ string, p picture) bool { return p.Traits["plan"] == `"pro"` }},
		"with no text":    {insight.ProfilesQuery{Trait: "plan", Value: value("")}, func(_ string, p picture) bool { return p.Traits["plan"] == `""` }},
		"by part of id":   {insight.ProfilesQuery{Search: "r-1"}, func(id string, _ picture) bool { return strings.Contains(id, "r-1") }},
		"by part of name": {insight.ProfilesQuery{Search: "re"}, func(_ string, p picture) bool { return strings.Contains(p.Traits["name"], "re") }},
		"none":            {insight.ProfilesQuery{Search: "nobody"}, func(string, picture) bool { return false }},
	} {
		for _, limit := range []int{0, 1, 5} {
			tt.q.Limit = limit
			if d := cmp.Diff(want(tt.pass), ask(tt.q)); d != "" {
				t.Errorf("%s, limit %d (-want +insight):\n%s", name, limit, d)
			}
		}
	}
}
