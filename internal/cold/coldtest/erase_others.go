package coldtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func project(t *testing.T) *weir.Project {
	t.Helper()
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	return p
}

// A sender's clock may be behind, and an event may wait long: "before" is received before.
func testEraseBehind(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := project(t)
	e := cold.Erasure{ProjectID: "p", ProfileID: "u", Devices: []string{"d"}, At: erasedAt}
	row := weir.EventRow{Seq: 1}
	row.ID, row.ProjectID, row.Name, row.ProfileID, row.DeviceID = "before", "p", weir.NameIdentify, "u", "d"
	row.Time, row.ReceivedAt, row.Properties = erasedAt.Add(-time.Hour), erasedAt.Add(-time.Minute), []byte(`{"plan":"old","$alias":"former"}`)
	of := func(r weir.EventRow) *cold.Batch {
		return &cold.Batch{
			Token: r.ID, Log: "log", First: r.Seq, Last: r.Seq, Now: r.ReceivedAt, Events: []weir.EventRow{r},
			Visits: []weir.VisitRow{{ProjectID: "p", DeviceID: "d", SessionID: r.ID, Sign: 1, Version: 1, ProfileID: "u", Start: r.Time, End: r.Time, ReceivedAt: r.ReceivedAt, Events: 1, ScreenViews: 1}},
		}
	}
	write(t, s, of(row))
	if err := s.Erase(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	row.Seq, row.ID, row.Time, row.ReceivedAt, row.Properties = 2, "after", erasedAt.Add(-2*time.Hour), erasedAt.Add(time.Minute), []byte(`{"plan":"new","$alias":"former"}`)
	write(t, s, of(row))
	check := func(when string) {
		t.Helper()
		a, err := insight.New(s, passed{}, nil, insight.Options{}).Profile(t.Context(), p, "u", 0)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if string(a.Traits["plan"]) != `"new"` || len(a.Devices) != 2 || len(a.Aliases) != 1 || a.Visits != 1 {
			t.Errorf("%s: %+v", when, a)
		}
	}
	check("received after it")
	if err := s.Erase(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	check("after it was done again")
	if e.At = row.ReceivedAt.Add(time.Microsecond); s.Erase(t.Context(), e) != nil {
		t.Fatal("erase")
	}
	if left := traces(t, s, &e); len(left) > 0 {
		t.Errorf("%v are left of a later erasure", left)
	}
}

// u is followed by v on the device d, in one visit.
func testEraseShared(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	at := erasedAt.Add(-time.Hour)
	event := func(seq uint64, profile, device, session, path string) weir.EventRow {
		r := weir.EventRow{Seq: seq}
		r.ID, r.ProjectID, r.Name, r.ProfileID, r.DeviceID, r.SessionID, r.Path = fmt.Sprint("e", seq), "p", "click", profile, device, session, path
		r.Time = at.Add(time.Duration(seq) * time.Second)
		r.ReceivedAt = r.Time
		return r
	}
	inherits := event(2, "v", "d", "mixed", "/secret")
	inherits.Origin, inherits.InheritedFrom = "https://secret", "e1"
	closes := event(3, "v", "d", "mixed", "/own")
	closes.ClosesEventID, closes.ClosesPath, closes.ClosesMS = "e1", "/secret", 5
	own := event(4, "v", "d", "own", "/mine")
	own.InheritedFrom = "e9"
	// v sends while the erasure is asked for and its mark is not stored yet, and once more later.
	between, after := event(9, "v", "d", "between", "/secret"), event(10, "v", "d", "between", "/mine")
	between.ReceivedAt, after.ReceivedAt = erasedAt.Add(10*time.Second), erasedAt.Add(2*cold.SharedAfter)
	between.InheritedFrom, after.InheritedFrom = "e8", "e11"
	// Two visits that a late event merged: u was in the one, v's event of the other took a page of it.
	merged := event(13, "v", "d", "merged", "/secret")
	merged.InheritedFrom, merged.RestMS = "e12", weir.Known(5)
	visit := func(session, profile string, beside weir.Beside, from, to uint64, received time.Time) weir.VisitRow {
		return weir.VisitRow{
			ProjectID: "p", DeviceID: "d", SessionID: session, Sign: 1, Version: 1, ProfileID: profile, Beside: beside, Entry: "/" + session,
			Start: at.Add(time.Duration(from) * time.Second), End: at.Add(time.Duration(to) * time.Second), ReceivedAt: received, Events: 1,
		}
	}
	whole := func(v weir.VisitRow, formerly string) weir.VisitRow {
		v.Formerly = formerly
		return v
	}
	write(t, s, &cold.Batch{
		Token: "shared", Log: "log", First: 1, Last: 13, Now: at, Effaced: true,
		Events: []weir.EventRow{
			event(1, "u", "d", "mixed", "/secret"), inherits, closes, own, event(5, "u", "d", "mixed2", "/secret"), event(6, "v", "d", "mixed2", "/too"),
			event(8, "u", "d", "between", "/secret"), between, after, event(12, "u", "d", "part", "/secret"), merged,
		},
		Visits: []weir.VisitRow{
			visit("mixed", "v", "\nuu\n", 1, 3, at), visit("mixed", "v", "", 10, 20, at), // one of the same name, of v alone
			visit("mixed2", "v", "", 5, 5, time.Time{}), // of an earlier version
			whole(visit("merged", "v", "\nuu\n", 12, 13, at), "part"),
			visit("anonymous", "v", "\na\n", 1, 3, at), visit("own", "v", "", 4, 4, at), visit("later", "v", "\nuu\n", 4, 4, erasedAt),
		},
	})
	// The device is u's, who was linked to it first.
	if err := s.Erase(t.Context(), cold.Erasure{ProjectID: "p", ProfileID: "u", Devices: []string{"d"}, At: erasedAt}); err != nil {
		t.Fatal(err)
	}
	bare := func(r weir.EventRow) weir.EventRow {
		r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS = "", "", "", 0
		r.ReplacesMS, r.RestMS = weir.Number{}, weir.Number{}
		return r
	}
	inherits.Path, inherits.Origin, merged.Path = "", "", ""
	// An event of the visit that comes late has the same taken from it.
	late := event(14, "v", "d", "between", "/secret")
	late.InheritedFrom, late.ReceivedAt = "e8", erasedAt.Add(20*time.Second)
	write(t, s, &cold.Batch{Token: "late", Log: "log", First: 14, Last: 14, Now: erasedAt.Add(time.Hour), Events: []weir.EventRow{late}})
	late.Path, between.Path = "", ""
	want := map[uint64]weir.EventRow{2: bare(inherits), 3: bare(closes), 4: own, 6: event(6, "v", "d", "mixed2", "/too"), 9: bare(between), 10: after, 13: bare(merged), 14: bare(late)}
	for _, r := range readEvents(t, s) {
		if w, ok := want[r.Seq]; ok {
			if d := cmp.Diff(w, r, asText); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		} else if !cold.IsErasedID(r.ID) {
			t.Errorf("%+v is left", r)
		}
	}
	var got []string
	for _, v := range readVisits(t, s) {
		got = append(got, fmt.Sprint(v.SessionID, v.Start.Sub(at)))
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{"later4s", "mixed10s", "own4s"}, got); d != "" {
		t.Errorf("visits (-want +got)\n%s", d)
	}
}

// The id of who is erased as an alias and a consumer in what is others'.
func testEraseNamed(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := project(t)
	at := erasedAt.Add(-time.Hour)
	event := func(seq uint64, name, profile, device, properties string) weir.EventRow {
		r := weir.EventRow{Seq: seq}
		r.ID, r.ProjectID, r.Name, r.ProfileID, r.DeviceID, r.Time, r.ReceivedAt = fmt.Sprint("e", seq), "p", name, profile, device, at, at
		if properties != "" {
			r.Properties = json.RawMessage(properties)
		}
		return r
	}
	call := event(5, weir.NameCall, "", "", "")
	call.Call = &weir.Call{Method: "GET", Route: "/r", Status: 200, Consumer: "8"}
	b := &cold.Batch{Token: "named", Log: "log", First: 1, Last: 6, Now: at, Effaced: true, Events: []weir.EventRow{
		event(1, weir.NameIdentify, "8", "d8", ""),
		event(2, weir.NameIdentify, "v", "dv", `{"$alias":"8"}`),
		event(3, weir.NameIdentify, "v", "", `{"$alias":8,"plan":"pro"}`),
		event(4, weir.NameIdentify, "v", "", `{"$alias":"88","n":8}`),
		call, event(6, "click", "v", "dv", `{"$alias":"8"}`), // which is no alias
	}}
	for i, body := range []string{`{"ProfileID":"v","Name":"identify","Properties":{"$alias":"8"}}`, `{"Call":{"Consumer":"8"}}`, `{"ProfileID":"v"}`} {
		b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: "p", Seq: uint64(i), Reason: fmt.Sprint(i), Event: []byte(body), At: at})
	}
	write(t, s, b)
	if err := s.Erase(t.Context(), cold.Erasure{ProjectID: "p", ProfileID: "8", Devices: []string{"d8"}, At: erasedAt}); err != nil {
		t.Fatal(err)
	}
	got := map[uint64]string{}
	for _, r := range readEvents(t, s) {
		got[r.Seq] = string(r.Properties)
		if r.Call != nil && r.Call.Consumer != "" {
			t.Errorf("%q is a consumer", r.Call.Consumer)
		}
	}
	want := map[uint64]string{1: "", 2: "", 3: `{"plan":"pro"}`, 4: `{"$alias":"88","n":8}`, 5: "", 6: `{"$alias":"8"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("properties (-want +got)\n%s", d)
	}
	if dead := readDead(t, s); len(dead) != 1 || dead[0].Reason != "2" {
		t.Errorf("dead letters: %+v", dead)
	}
	a, err := insight.New(s, passed{}, nil, insight.Options{}).Profile(t.Context(), p, "v", 0)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, d := range a.Devices {
		ids[d.DeviceID] = true
	}
	if d := cmp.Diff(map[string]bool{"dv": true, "88": true}, ids); d != "" || len(a.Refused) > 0 {
		t.Errorf("refused %+v, devices (-want +got)\n%s", a.Refused, d)
	}
}
