package coldtest

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func testEraseMerged(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := storyProject("erase", "merged")
	e := insight.New(s, passed{}, nil, insight.Options{})
	b := tell(t, s, p, 1,
		said{at: 1, profile: "x"}, said{at: 2, device: "x"}, said{at: 3, device: "d", profile: "ada", alias: "x"}, said{at: 4, device: "d"},
		said{at: 5, profile: "bob", alias: "x"}, said{at: 6, profile: "bob", alias: "ada"}, said{at: 7, profile: "bob"})
	dead := &cold.Batch{Token: "dead", Log: "dead", Shard: 5, First: 1, Last: 2, Now: b.Now}
	for i, who := range []string{"x", "bob"} {
		dead.Dead = append(dead.Dead, weir.DeadLetter{ProjectID: p.ID, Shard: 5, Seq: uint64(i + 1), Reason: who, Event: []byte(`{"ProfileID":"` + who + `"}`), At: b.Now})
	}
	write(t, s, dead)

	var export bytes.Buffer
	if err := e.Export(t.Context(), p, "ada", &export); err != nil {
		t.Fatal(err)
	}
	var doc insight.ProfileExport
	in := json.NewDecoder(&export)
	in.DisallowUnknownFields() // the export is as it is described
	if err := in.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Events) != 4 || len(doc.DeadLetters) != 1 || len(doc.Profile.Aliases) != 1 {
		t.Errorf("exported %d events, %d dead letters, aliases %v; want 4, 1 and x", len(doc.Events), len(doc.DeadLetters), doc.Profile.Aliases)
	}

	// A part of somebody is not erased, nor shown.
	if _, err := e.Erase(t.Context(), p, s, noCounters{}, "x", "user 1"); weir.ErrorCode(err) != weir.ECONFLICT || !strings.Contains(err.Error(), `"ada"`) {
		t.Errorf("to erase what is merged: error %v, want ECONFLICT with ada's name", err)
	}
	if err := e.Export(t.Context(), p, "x", &export); weir.ErrorCode(err) != weir.ENOTFOUND {
		t.Errorf("to export what is merged: error %v, want ENOTFOUND", err)
	}
	if a, err := e.Profile(t.Context(), p, "ada", 0); err != nil || a.Events != 4 {
		t.Fatalf("ada after what was refused: %+v, %v", a, err)
	}

	a, err := e.Erase(t.Context(), p, s, noCounters{}, "ada", "user 1")
	if err != nil || a.Merged != 1 || a.Devices != 2 {
		t.Fatalf("erased %+v, %v; want 1 merged and 2 devices", a, err)
	}
	gone := cold.Erasure{ProjectID: p.ID, ProfileID: "ada", Merged: []string{"x"}, Devices: []string{"d", "x"}}
	check := func(when string) {
		t.Helper()
		for _, trace := range traces(t, s, &gone) {
			t.Errorf("%s: %s is left", when, trace)
		}
		if a, err := e.Profile(t.Context(), p, "bob", 0); err != nil || a.Events != 3 || len(a.Aliases)+len(a.RefusedAliases) > 0 {
			t.Errorf("%s, bob: %+v, %v", when, a, err)
		}
	}
	check("after the erasure")
	write(t, s, b)
	again(t, s, b)
	again(t, s, dead)
	check("after the batches came again")

	// What comes after is a new past, of two.
	later := time.Since(storyFrom)
	tell(t, s, p, 100, said{at: int(later.Minutes()) + 2, profile: "x"}, said{at: int(later.Minutes()) + 3, profile: "ada"})
	for _, id := range []string{"x", "ada"} {
		if a, err := e.Profile(t.Context(), p, id, 0); err != nil || a.Events != 1 {
			t.Errorf("%s after the erasure: %+v, %v", id, a, err)
		}
	}
}

func testForgetAliases(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := storyProject("forget", "aliases")
	tell(t, s, p, 1, said{at: 1, profile: "x"}, said{at: 2, profile: "ada", alias: "x"}, said{at: 3, profile: "bob", alias: "y"}, said{at: 4, profile: "y", identify: true})
	forget(t, s, p.ID, storyFrom.Add(15*time.Minute))
	if left := readEvents(t, s); len(left) > 0 {
		t.Fatalf("%d events are left", len(left))
	}
	tell(t, s, p, 100, said{at: 20, profile: "x"}, said{at: 21, profile: "y"}, said{at: 22, device: "x"}, said{at: 23, profile: "bob"})
	(&story{
		persons: map[string]int{"uada": 2, "uy": 1, "ubob": 1}, aliases: map[string][]string{"ada": {"x"}}, refused: map[string]map[string]string{"bob": {"y": "identified"}},
	}).check(t, insight.New(s, written{time.Now()}, time.Now, insight.Options{}), p)
}

// overheard is a reader that notes what it is asked.
type overheard struct {
	cold.Reader
	mu      sync.Mutex
	queries []string
}

func (o *overheard) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	o.mu.Lock()
	o.queries = append(o.queries, query)
	o.mu.Unlock()
	return o.Reader.Query(ctx, query, args...)
}

func testNoAliases(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	ask := func(p *weir.Project) (heard, about int) {
		t.Helper()
		o := &overheard{Reader: s}
		e := insight.New(o, written{time.Now()}, time.Now, insight.Options{})
		all := weir.Common{From: storyFrom.Truncate(24 * time.Hour), To: storyFrom.AddDate(0, 0, 1).Truncate(24 * time.Hour), Interval: weir.Day}
		some := all
		some.Filter = weir.Filter{{Column: "traits.plan", Op: "!=", Values: []string{"pro"}}}
		calls := weir.Calls{Common: some}
		calls.Interval = ""
		_, err1 := e.Ask(t.Context(), p, weir.Trend{Common: all, Series: []weir.Series{{Math: weir.MathUnique}}, Breakdown: "traits.plan"}, 0)
		_, err2 := e.Ask(t.Context(), p, weir.Growth{Common: some}, 0)
		_, err3 := e.Ask(t.Context(), p, weir.Pages{Common: some}, 0)
		_, err4 := e.Ask(t.Context(), p, calls, 0)
		_, err5 := e.Profiles(t.Context(), p, insight.ProfilesQuery{}, 0)
		_, err6 := e.Events(t.Context(), p, insight.EventsQuery{ProfileID: "ada", Filter: some.Filter}, 0)
		err7 := e.Export(t.Context(), p, "ada", io.Discard)
		if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
			t.Fatal(err)
		}
		for _, query := range o.queries {
			if strings.Contains(query, "aliases") && !strings.HasPrefix(query, "SELECT 1 AS kind") {
				about++
			}
		}
		return len(o.queries), about
	}
	without, with := storyProject("without", "aliases"), storyProject("with", "aliases")
	tell(t, s, without, 1, said{at: 1, device: "d", profile: "ada", identify: true}, said{at: 2, device: "d"}, said{at: 3, profile: "ada", identify: true})
	tell(t, s, with, 10, said{at: 1, device: "d", profile: "ada", identify: true}, said{at: 3, profile: "ada", alias: "x"})
	if heard, about := ask(without); about > 0 || heard < 10 {
		t.Errorf("%d of %d statements have to do with aliases", about, heard)
	}
	if _, about := ask(with); about < 7 {
		t.Errorf("%d statements have to do with aliases, where there are some", about)
	}
}
