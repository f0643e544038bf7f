package coldtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func testTraits(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	h := newHistory(rand.New(rand.NewPCG(7, 8)))
	h.write(t, s)
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	o := &traitOracle{h: h, values: map[[2]string]string{}, owners: map[string]string{}}
	t.Run("each profile's traits are what its changes make of them", func(t *testing.T) { o.profiles(t, e) })
	t.Run("profiles are listed, the one seen last first", func(t *testing.T) { o.list(t, e) })
	t.Run("events are counted by a trait of their persons", func(t *testing.T) { o.breakdowns(t, e) })
	t.Run("events are found by a trait of their persons", func(t *testing.T) { o.filters(t, e) })
}

// asking is one thing that an identify event asks for, as the oracle has it.
type asking struct {
	at      time.Time
	shard   int
	seq     uint64
	n       int // in its event
	profile string
	trait   string
	op      string // set once add unset
	value   any    // string, bool, nil, or millionths as int64
}

// history is a past in which devices in several shards say things about the same
// profiles, late and at the same times.
type history struct {
	project *weir.Project
	rows    [traitShards][]weir.EventRow
	links   []weir.Link
	visits  []weir.VisitRow
	asked   []asking
}

const (
	traitShards   = 3
	traitProfiles = 12
	traitDevices  = 30
)

var (
	traitNames = []string{"plan", "credits", "name", "it's \"odd\" ?", "日本"}
	traitFrom  = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

func newHistory(r *rand.Rand) *history {
	h := &history{project: &weir.Project{ID: "traits", Timezone: "UTC"}}
	if err := h.project.Resolve(); err != nil {
		panic(err)
	}
	for range 900 {
		device := r.IntN(traitDevices)
		shard := device % traitShards
		row := weir.EventRow{Shard: shard, Seq: uint64(len(h.rows[shard]) + 1)}
		row.ProjectID, row.DeviceID = h.project.ID, fmt.Sprint("device-", device)
		// Few instants, so that many are the same; some before 1970, in any order.
		row.Time = traitFrom.Add(time.Duration(r.IntN(40)) * time.Hour)
		if r.IntN(20) == 0 {
			row.Time = time.UnixMicro(-int64(r.IntN(3)) * 1_000_000).UTC()
		}
		row.ReceivedAt = traitFrom.AddDate(0, 0, 3)
		row.ID = fmt.Sprintf("%08x", r.Uint32())
		row.Name = []string{weir.NameIdentify, weir.NameIdentify, weir.NameScreenView, "buy"}[r.IntN(4)]
		if r.IntN(3) > 0 {
			row.ProfileID = fmt.Sprint("user-", r.IntN(traitProfiles))
			h.links = append(h.links, weir.Link{ProjectID: h.project.ID, DeviceID: row.DeviceID, ProfileID: row.ProfileID, At: row.Time})
		}
		if r.IntN(4) == 0 {
			row.Revenue, row.Currency = float64(r.IntN(5)), "EUR"
			h.visits = append(h.visits, weir.VisitRow{
				ProjectID: h.project.ID, DeviceID: row.DeviceID, SessionID: row.ID, ProfileID: row.ProfileID, Sign: 1, Version: 1,
				Start: row.Time, End: row.Time, Events: 1,
			})
		}
		if row.Name == weir.NameIdentify {
			h.identify(r, &row)
		} else {
			row.Properties = json.RawMessage(`{"plan":"of an event that identifies nobody","$set":{"plan":"so"}}`)
		}
		h.rows[shard] = append(h.rows[shard], row)
	}
	return h
}

// identify fills in an event's properties, and notes what they ask for: what is set once,
// properties, $set, $add, $unset, names by their bytes.
func (h *history) identify(r *rand.Rand, row *weir.EventRow) {
	once, top, set, add, unset := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, []string{}
	for range r.IntN(4) {
		name := traitNames[r.IntN(len(traitNames))]
		switch r.IntN(9) {
		case 0, 1:
			once[name] = traitValue(r)
		case 2:
			top[name] = traitValue(r)
		case 3:
			set[name] = traitValue(r)
		case 4, 5, 6:
			add[name] = int64(r.IntN(4_000_001)-2_000_000) * []int64{1, 1, 1000, 1_000_000}[r.IntN(4)]
		case 7:
			unset = append(unset, name)
		}
	}
	properties := map[string]any{"$lib": "web", "$set_once": jsonOf(once), "$set": jsonOf(set), "$add": jsonOf(add), "$unset": unset}
	for name, v := range jsonOf(top) {
		properties[name] = v
	}
	var err error
	if row.Properties, err = json.Marshal(properties); err != nil {
		panic(err)
	}
	if row.ProfileID == "" {
		return
	}
	n := 0
	note := func(op, name string, value any) {
		h.asked = append(h.asked, asking{row.Time, row.Shard, row.Seq, n, row.ProfileID, name, op, value})
		n++
	}
	for _, part := range []struct {
		op     string
		values map[string]any
	}{{"once", once}, {"set", top}, {"set", set}, {"add", add}} {
		var names []string
		for name := range part.values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			note(part.op, name, part.values[name])
		}
	}
	for _, name := range unset {
		note("unset", name, nil)
	}
}

// traitValue is a string, true, nothing, or a number in millionths.
func traitValue(r *rand.Rand) any {
	switch r.IntN(6) {
	case 0:
		return true
	case 1:
		return nil
	case 2, 3:
		return int64(r.IntN(5)) * 500_000
	}
	return []string{"pro", "free", "", "12", "3.5", "it's", "用户"}[r.IntN(7)]
}

// jsonOf writes millionths as numbers.
func jsonOf(values map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		if m, ok := v.(int64); ok {
			v = json.RawMessage(plain(m))
		}
		out[name] = v
	}
	return out
}

// plain is a number of millionths, the long way.
func plain(m int64) string {
	s := fmt.Sprintf("%07d", max(m, -m))
	s = strings.TrimSuffix(strings.TrimRight(s[:len(s)-6]+"."+s[len(s)-6:], "0"), ".")
	if m < 0 {
		s = "-" + s
	}
	return s
}

// write drains the shards in turn, each in order, and some batches twice: as one that
// comes again, and as one whose writer does not know.
func (h *history) write(t *testing.T, s cold.Store) {
	t.Helper()
	const size = 40
	for first := 0; first < len(h.rows[0])+len(h.rows[1])+len(h.rows[2]); first += size {
		for shard, rows := range h.rows {
			if first >= len(rows) {
				continue
			}
			rows = rows[first:min(first+size, len(rows))]
			b := &cold.Batch{
				Token: fmt.Sprintf("traits-%d-%d", shard, first), Log: "traits", Shard: shard,
				First: rows[0].Seq, Last: rows[len(rows)-1].Seq, Now: time.Now().UTC().Truncate(time.Microsecond), Events: rows,
			}
			if first == 0 && shard == 0 {
				b.Links, b.Visits = h.links, h.visits
			}
			write(t, s, b)
			switch (first/size + shard) % 3 {
			case 0:
				again(t, s, b)
			case 1:
				write(t, s, b)
			}
			if first%(2*size) == 0 { // changes that are there already, as a copy brings them
				write(t, s, &cold.Batch{Token: b.Token + "-more", Log: "more", Shard: shard, First: b.First, Last: b.Last, Now: b.Now, Traits: cold.Traits(b)})
			}
		}
	}
}

// traitOracle replays the whole past.
type traitOracle struct {
	h      *history
	values map[[2]string]string // by profile and trait
	owners map[string]string    // by device
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
	if e.ProfileID != "" {
		return e.ProfileID
	}
	if p, ok := o.owners[e.DeviceID]; ok {
		return p
	}
	var first *weir.Link
	for i := range o.h.links {
		l := &o.h.links[i]
		if l.DeviceID != e.DeviceID {
			continue
		}
		if first == nil || l.At.Before(first.At) || l.At.Equal(first.At) && l.ProfileID < first.ProfileID {
			first = l
		}
	}
	if first == nil {
		first = &weir.Link{}
	}
	o.owners[e.DeviceID] = first.ProfileID
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

func (o *traitOracle) query(math weir.Math) weir.Query {
	return weir.Query{
		Kind: weir.KindTrend, From: traitFrom, To: traitFrom.AddDate(0, 0, 2), Interval: weir.Day, Limit: 100,
		Series: []weir.Series{{Math: math}},
	}
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
			a, err := e.Trend(t.Context(), o.h.project, q, 0)
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

func (o *traitOracle) filters(t *testing.T, e *insight.Engine) {
	number := func(s string) (f float64, ok bool) {
		_, err := fmt.Sscanf(s, "%g", &f)
		return f, err == nil && json.Valid([]byte(s))
	}
	for _, trait := range traitNames {
		for _, v := range []string{"pro", "", "12", "3.5", "true", "nobody has it", "0", "用"} {
			for op, pass := range map[string]func(text string, ok bool) bool{
				"=":        func(text string, ok bool) bool { return ok && text == v },
				"!=":       func(text string, ok bool) bool { return !ok || text != v },
				"in":       func(text string, ok bool) bool { return ok && (text == v || text == "free") },
				"contains": func(text string, ok bool) bool { return ok && strings.Contains(text, v) },
				">":        func(text string, ok bool) bool { f, n := number(text); return ok && n && f > 0.5 },
			} {
				c := weir.Condition{Column: "traits." + trait, Op: op, Values: []string{v}}
				switch op {
				case "in":
					c.Values = append(c.Values, "free")
				case ">":
					c.Values = []string{"0.5"}
				}
				q := o.query(weir.MathTotal)
				q.Filter = []weir.Condition{c}
				a, err := e.Trend(t.Context(), o.h.project, q, 0)
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
	for i := range traitProfiles {
		id := fmt.Sprint("user-", i)
		a, err := e.Profile(t.Context(), o.h.project, id, 0)
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
}

func pictureOf(a *insight.Profile) picture {
	p := picture{a.FirstSeen.UnixMicro(), a.LastSeen.UnixMicro(), a.Events, a.Calls, a.ScreenViews, a.Visits, a.Revenue, map[string]string{}, nil}
	for name, v := range a.Traits {
		p.Traits[name] = string(v)
	}
	for _, d := range a.Devices {
		p.Devices = append(p.Devices, d.DeviceID)
	}
	slices.Sort(p.Devices)
	return p
}

// profile is the oracle's picture.
func (o *traitOracle) profile(id string) picture {
	p := picture{Revenue: map[string]float64{}, Traits: map[string]string{}}
	for i := range traitDevices {
		device := fmt.Sprint("device-", i)
		if o.owner(&weir.EventRow{Event: weir.Event{DeviceID: device}}) == id {
			p.Devices = append(p.Devices, device)
		}
	}
	slices.Sort(p.Devices)
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
			if r.Revenue != 0 || r.Currency == "" {
				p.Revenue[r.Currency] += r.Revenue
			}
		}
	}
	for currency, sum := range p.Revenue {
		if sum == 0 {
			delete(p.Revenue, currency)
		}
	}
	for _, v := range o.h.visits {
		if o.owner(&weir.EventRow{Event: weir.Event{DeviceID: v.DeviceID, ProfileID: v.ProfileID}}) == id {
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
	ask := func(q insight.ProfilesQuery) (out []row) {
		t.Helper()
		for {
			a, err := e.Profiles(t.Context(), o.h.project, q, 0)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
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
		for i := range traitProfiles {
			id := fmt.Sprint("user-", i)
			if p := o.profile(id); pass(id, p) {
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
