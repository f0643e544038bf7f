package coldtest

import (
	"bytes"
	"context"
	"database/sql"
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

func testErase(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	t.Run("who is erased is gone, nobody else is, and no event", func(t *testing.T) { testEraseProfile(t, open, p) })
	t.Run("what was received before and is written later is without the person", func(t *testing.T) { testEraseLate(t, open) })
	t.Run("what is of a time to come is erased too", func(t *testing.T) { testEraseAhead(t, open) })
	t.Run("an erasure of nobody is refused", func(t *testing.T) { testEraseNobody(t, open) })
	t.Run("what is received after it stays, of whatever time it is", func(t *testing.T) { testEraseBehind(t, open) })
	t.Run("who shared a device keeps their own", func(t *testing.T) { testEraseShared(t, open) })
	t.Run("an id of the person stands nowhere else", func(t *testing.T) { testEraseNamed(t, open) })
	if p.Zones > 1 {
		t.Run("who has thousands of dead letters is erased too", func(t *testing.T) { testEraseManyDead(t, open) })
	}
}

// erasedAt is after all of a history was received.
var erasedAt = traitFrom.AddDate(0, 0, 4)

func testEraseProfile(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	dir := t.TempDir()
	s := open(t, dir)
	h := newHistory(rand.New(rand.NewPCG(9, 11)), p)
	h.write(t, s)
	o := &traitOracle{h: h, values: map[[2]string]string{}, owners: map[string]string{}}
	const gone = "user-1" // user-10 and user-11 begin so too
	e := cold.Erasure{ProjectID: h.project.ID, ProfileID: gone, Merged: o.profile(gone).Aliases, Devices: o.profile(gone).Devices, At: erasedAt, By: "token 7"}
	if len(e.Devices) == 0 || len(e.Merged) == 0 {
		t.Fatal("the profile has no devices, or none is merged into it")
	}
	dead := &cold.Batch{Token: "dead", Log: "dead", Shard: 7, First: 1, Last: 5, Now: traitFrom.AddDate(0, 0, 3)}
	for i, ev := range []weir.Event{{ProfileID: gone}, {ProfileID: e.Merged[0]}, {DeviceID: e.Devices[0]}, {ProfileID: "user-2", DeviceID: e.Devices[0]}, {DeviceID: "device-x"}} {
		body, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		dead.Dead = append(dead.Dead, weir.DeadLetter{ProjectID: h.project.ID, Shard: 7, Seq: uint64(i + 1), Reason: "r", Event: body, At: dead.Now})
	}
	write(t, s, dead)

	engine := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	before, others := counts(t, s, h.project), o.others(t, engine, gone, p)
	ids := map[string]int{} // that the person's events are to have
	for _, r := range readEvents(t, s) {
		if ofErased(&e, r.ProfileID, r.DeviceID) {
			ids[cold.ErasedID(&r)]++
		}
	}
	times := []bool{true, false} // once more changes nothing
	if p.Of > 1 {
		times = times[:1]
	}
	for _, first := range times {
		if err := s.Erase(t.Context(), e); err != nil {
			t.Fatalf("erase: %v", err)
		}
		check := func(when string) {
			t.Helper()
			if d := cmp.Diff(before, counts(t, s, h.project)); d != "" {
				t.Errorf("%s, counts of events (-before +after):\n%s", when, d)
			}
			if d := cmp.Diff(others, o.others(t, engine, gone, p)); d != "" {
				t.Errorf("%s, the others (-before +after):\n%s", when, d)
			}
			if left := traces(t, s, &e); len(left) > 0 {
				t.Errorf("%s: %v are left", when, left)
			}
			got := map[string]int{}
			for _, r := range readEvents(t, s) {
				if cold.IsErasedID(r.ID) {
					got[r.ID]++
				}
			}
			if d := cmp.Diff(ids, got); d != "" {
				t.Errorf("%s, ids (-want +got):\n%s", when, d)
			}
			if _, err := engine.Profile(t.Context(), h.project, gone, 0); weir.ErrorCode(err) != weir.ENOTFOUND {
				t.Errorf("%s: error %v, want ENOTFOUND", when, err)
			}
			if n := len(readDead(t, s)); n != 2 {
				t.Errorf("%s: %d dead letters, want 2", when, n)
			}
		}
		if first {
			check("after the erasure")
		}
		// Its batches come again, with who knows that and who does not.
		h.write(t, s)
		again(t, s, dead)
		if first {
			check("after the batches came again")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		engine = insight.New(s, written{time.Now()}, time.Now, insight.Options{})
		if !first {
			check("after all of it once more, and a reopen")
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// others are the pictures of all profiles but one, or of some.
func (o *traitOracle) others(t *testing.T, e *insight.Engine, gone string, part Part) map[string]picture {
	t.Helper()
	out := map[string]picture{}
	for i := range traitProfiles {
		id := fmt.Sprint("user-", i)
		if id == gone || i%part.Of > 0 {
			continue
		}
		a, err := e.Profile(t.Context(), o.h.project, id, 0)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		p := pictureOf(a)
		p.Devices = nil // one that two profiles used is the other's now
		p.Refused = nil // of one who is gone nothing is left
		out[id] = p
	}
	return out
}

// counts are numbers of events that an erasure leaves: from what is added up, from
// the events themselves.
func counts(t *testing.T, s cold.Store, p *weir.Project) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, raw := range []bool{false, true} {
		e := insight.New(s, written{time.Now()}, time.Now, insight.Options{Raw: raw})
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, weir.Trend{Common: weir.Common{From: traitFrom, To: traitFrom.AddDate(0, 0, 2), Interval: weir.Hour}, Breakdown: "name", Limit: 100, Series: []weir.Series{{Math: weir.MathTotal}}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range a.Series {
			for _, pt := range line.Points {
				out[fmt.Sprint(raw, line.Breakdown.Value, pt.Time.Unix())] = *pt.Value
			}
		}
	}
	return out
}

// ofErased says whether a row of that profile and device is of an erased person.
func ofErased(e *cold.Erasure, profile, device string) bool {
	return profile != "" && (profile == e.ProfileID || slices.Contains(e.Merged, profile)) || profile == "" && slices.Contains(e.Devices, device)
}

// traces are the rows in which something of an erased person stands.
func traces(t *testing.T, s cold.Store, e *cold.Erasure) []string {
	t.Helper()
	var out []string
	for table, q := range map[string]string{
		"events": "SELECT profile_id, device_id FROM events", "visits": "SELECT profile_id, device_id FROM visits",
		"identities": "SELECT CASE WHEN profile_id <> '' THEN profile_id ELSE device_id END, device_id FROM identities", "traits": "SELECT profile_id, profile_id FROM traits",
		"aliases of": "SELECT profile_id, profile_id FROM aliases", "aliases": "SELECT alias, alias FROM aliases",
		"sightings": "SELECT CASE WHEN SUBSTRING(person, 1, 1) = 'u' THEN SUBSTRING(person, 2) ELSE '' END, SUBSTRING(person, 2) FROM sightings",
	} {
		each(t, s, q, func(rows *sql.Rows) error {
			var profile, device string
			err := rows.Scan(&profile, &device)
			if ofErased(e, profile, device) {
				out = append(out, table+" "+profile+" "+device)
			}
			return err
		})
	}
	for _, d := range readDead(t, s) {
		if bytes.Contains(d.Event, []byte(`"`+e.ProfileID+`"`)) {
			out = append(out, string(d.Event))
		}
	}
	for _, r := range readEvents(t, s) {
		if cold.IsErasedID(r.ID) {
			anonymous := cold.Anonymous(&weir.EventRow{Event: r.Event, Shard: r.Shard, Seq: r.Seq})
			anonymous.ID = r.ID
			if d := cmp.Diff(anonymous, r, asText); d != "" {
				out = append(out, d)
			}
		}
	}
	return out
}

func testEraseLate(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), cold.Erasure{ProjectID: "p", ProfileID: "u", Devices: []string{"d", "it's"}, At: erasedAt, By: "user 1"}); err != nil {
		t.Fatal(err)
	}
	b := &cold.Batch{Token: "late", Log: "log", First: 1, Last: 12, Now: time.Now().UTC().Truncate(time.Microsecond)}
	seq := uint64(0)
	for _, who := range []weir.Event{{ProfileID: "u"}, {DeviceID: "d"}, {DeviceID: "d", ProfileID: "v"}, {DeviceID: "it's"}, {DeviceID: "e"}, {ProfileID: "u", ProjectID: "q"}} {
		for _, received := range []time.Time{erasedAt.Add(-time.Microsecond), erasedAt} {
			seq++
			r := weir.EventRow{Event: who, Seq: seq}
			r.ID, r.Name, r.Time, r.ReceivedAt, r.Properties = fmt.Sprint("e", seq), weir.NameIdentify, received, received, json.RawMessage(`{"name":"Ada"}`)
			r.Path, r.Revenue, r.Call = "/secret", weir.Known(5), &weir.Call{Method: "GET", Route: "/r", Status: 200, LatencyMS: weir.Known(3), Consumer: "acme", RequestBytes: weir.Known(0), Error: "no such user: Ada", TraceID: "7"}
			if r.ProjectID == "" {
				r.ProjectID = "p"
			}
			b.Events = append(b.Events, r)
			b.Visits = append(b.Visits, weir.VisitRow{ProjectID: r.ProjectID, DeviceID: r.DeviceID, SessionID: r.ID, ProfileID: r.ProfileID, Sign: 1, Version: 1, Start: received, End: received, ReceivedAt: received})
			body, err := json.Marshal(r.Event)
			if err != nil {
				t.Fatal(err)
			}
			b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: r.ProjectID, Seq: seq, Reason: r.ID, Event: body, At: b.Now})
		}
	}
	want := map[string]bool{"e2": true, "e4": true, "e5": true, "e6": true, "e8": true, "e9": true, "e10": true, "e11": true, "e12": true}
	for range 2 {
		write(t, s, b)
		again(t, s, b)
		events := readEvents(t, s)
		if len(events) != len(b.Events) {
			t.Fatalf("%d events, want %d", len(events), len(b.Events))
		}
		got := map[string]bool{}
		for _, r := range events {
			if cold.IsErasedID(r.ID) {
				if d := cmp.Diff(cold.Anonymous(&b.Events[r.Seq-1]), r, asText); d != "" {
					t.Errorf("(-want +stored)\n%s", d)
				}
				continue
			}
			got[r.ID] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events with their person (-want +got)\n%s", d)
		}
		got = map[string]bool{}
		for _, v := range readVisits(t, s) {
			got[v.SessionID] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("visits (-want +got)\n%s", d)
		}
		got = map[string]bool{}
		for _, l := range readDead(t, s) {
			got[l.Reason] = true
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("dead letters (-want +got)\n%s", d)
		}
	}
	var traits []string
	each(t, s, "SELECT DISTINCT project_id, profile_id, changed_at FROM traits ORDER BY project_id, profile_id, changed_at", func(rows *sql.Rows) error {
		var project, profile string
		var at time.Time
		err := rows.Scan(&project, &profile, nullTime{&at})
		traits = append(traits, fmt.Sprint(project, " ", profile, " ", at.Sub(erasedAt).Microseconds()))
		return err
	})
	if d := cmp.Diff([]string{"p u 0", "p v -1", "p v 0", "q u -1", "q u 0"}, traits); d != "" {
		t.Errorf("traits (-want +got)\n%s", d)
	}
}

func testEraseNobody(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, batch(0, 1, 5))
	for _, e := range []cold.Erasure{
		{ProjectID: "p", At: erasedAt},
		{ProfileID: "u", At: erasedAt},
		{ProjectID: "p", ProfileID: "u", Devices: []string{""}, At: erasedAt},
		{ProjectID: "p", ProfileID: "u"},
	} {
		if err := s.Erase(t.Context(), e); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%+v: error %v, want EINVALID", e, err)
		}
	}
	for _, r := range readEvents(t, s) {
		if !strings.HasPrefix(r.ID, "e-") {
			t.Errorf("event %q is left", r.ID)
		}
	}
}

// passed is a barrier that is passed at once.
type passed struct{}

func (passed) Flush(context.Context) (time.Time, error) { return time.Now(), nil }
func (passed) AsOf() time.Time                          { return time.Now() }

// A sender's clock may be ahead. What comes of its events has no other time.
func testEraseAhead(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := open(t, t.TempDir())
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	ahead := now.Add(3 * time.Hour)
	row := weir.EventRow{Seq: 1}
	row.ID, row.ProjectID, row.Name, row.ProfileID, row.DeviceID = "e", p.ID, weir.NameIdentify, "u", "d"
	row.Time, row.ReceivedAt, row.Properties = ahead, now, []byte(`{"email":"ada@example.org"}`)
	other := row
	other.Seq, other.ID, other.ProfileID, other.DeviceID = 2, "f", "v", "w"
	write(t, s, &cold.Batch{
		Token: "ahead", Log: "log", First: 1, Last: 2, Now: now, Events: []weir.EventRow{row, other},
		Visits: []weir.VisitRow{{ProjectID: p.ID, DeviceID: "d", SessionID: "s", Sign: 1, Version: 1, ProfileID: "u", Start: ahead, End: ahead, ReceivedAt: now, Events: 1}},
		// Rows of earlier versions have no time of receipt.
		Links:  []weir.Link{{ProjectID: p.ID, DeviceID: "d", ProfileID: "u", At: ahead}, {ProjectID: p.ID, DeviceID: "w", ProfileID: "v", At: ahead}},
		Traits: []weir.TraitChange{{ProjectID: p.ID, ProfileID: "u", Trait: "t", Op: weir.TraitSet, At: ahead, Place: "x", Text: "1"}},
	})
	engine := insight.New(s, passed{}, nil, insight.Options{})
	a, err := engine.Erase(t.Context(), p, s, noCounters{}, "u", "user 1")
	if err != nil {
		t.Fatal(err)
	}
	if a.ErasedAt.Before(now) || !a.ErasedAt.Before(ahead) {
		t.Errorf("erased what was received until %v, now is %v", a.ErasedAt, now)
	}
	if left := traces(t, s, &cold.Erasure{ProjectID: p.ID, ProfileID: "u", Devices: []string{"d"}}); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	if _, err := engine.Profile(t.Context(), p, "v", 0); err != nil {
		t.Errorf("the other profile: %v", err)
	}
	if _, err := engine.Erase(t.Context(), p, s, noCounters{}, "u", "user 1"); err != nil {
		t.Errorf("once more, when nothing is left: %v", err)
	}
}

func testEraseManyDead(t *testing.T, open func(*testing.T, string) cold.Store) {
	letters := rounds(4800) // more than one statement of an engine names
	s := open(t, t.TempDir())
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	dead := &cold.Batch{Token: "dead", Log: "dead", Shard: 3, First: 1, Last: uint64(letters + 1), Now: traitFrom}
	for i := range letters + 1 {
		body := []byte(`{"ProfileID":"u"}`)
		if i == letters/2 {
			body = []byte(`{"ProfileID":"v"}`)
		}
		dead.Dead = append(dead.Dead, weir.DeadLetter{ProjectID: "p", Shard: 3, Seq: uint64(i + 1), Reason: "r", Event: body, At: traitFrom})
	}
	write(t, s, dead)
	if err := s.Erase(t.Context(), cold.Erasure{ProjectID: "p", ProfileID: "u", At: erasedAt}); err != nil {
		t.Fatal(err)
	}
	if n := len(readDead(t, s)); n != 1 {
		t.Errorf("%d dead letters are left, want the other's", n)
	}
}

// noCounters is a hot tier that has nothing of anybody.
type noCounters struct{}

func (noCounters) Erase(context.Context, string, []string, []string) error { return nil }
func (noCounters) DropProject(context.Context, string) error               { return nil }
