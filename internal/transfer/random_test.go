package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// both writes to two stores.
type both struct {
	cold.Writer
	other cold.Writer
}

func (w both) Write(ctx context.Context, b *cold.Batch) error {
	return errors.Join(w.Writer.Write(ctx, b), w.other.Write(ctx, b))
}

// wander is a world of two sides that are written to, erased from and copied to each
// other, and of a third store that was there from the beginning and saw all of it.
type wander struct {
	r      *rand.Rand
	sides  [2]cold.Store
	whole  cold.Store
	drains [2]*drain
	made   int
	now    time.Time
	did    map[string]int
}

// events are some of few persons, who have several devices and come back.
func (w *wander) events(log string, n int) []weir.Event {
	var out []weir.Event
	for range n {
		w.made++
		w.now = w.now.Add(time.Duration(w.r.IntN(20*60_000_000)) * time.Microsecond)
		e := weir.Event{
			ID: fmt.Sprint(log, "-", w.made), ProjectID: "shop", Name: []string{"click", "screen_view"}[w.r.IntN(2)],
			Path: fmt.Sprint("/", w.r.IntN(5)), ReceivedAt: w.now,
		}
		e.Time = e.ReceivedAt.Add(-time.Duration(w.r.IntN(60_000_000)) * time.Microsecond)
		if who := w.r.IntN(3); who > 0 {
			e.DeviceID = fmt.Sprint("device-", w.r.IntN(6))
			if who == 2 {
				e.ProfileID = w.profile()
			}
		} else {
			e.ProfileID = w.profile()
		}
		switch w.r.IntN(5) {
		case 0:
			if e.ProfileID != "" {
				e.Name, e.Properties = weir.NameIdentify, fmt.Appendf(nil, `{"plan":"p%d","$add":{"visits":1}}`, w.r.IntN(3))
				if w.r.IntN(3) == 0 {
					e.Properties = fmt.Appendf(nil, `{"plan":"p%d","$alias":"former-%d"}`, w.r.IntN(3), w.r.IntN(3))
				}
			}
		case 1:
			e.Name, e.Call = weir.NameCall, &weir.Call{Method: "GET", Route: "/r", Status: 200, LatencyMS: weir.Known(float64(w.r.IntN(9))), Consumer: w.profile()}
		case 2:
			e.Path = "" // as the view before has it
		}
		out = append(out, e)
	}
	return out
}

// profile is a user, or now and then a former id of one.
func (w *wander) profile() string {
	if w.r.IntN(5) == 0 {
		return fmt.Sprint("former-", w.r.IntN(3))
	}
	return fmt.Sprint("user-", w.r.IntN(4))
}

func (w *wander) write(t *testing.T) {
	i := w.r.IntN(2)
	w.did["write"]++
	w.drains[i].write(t, both{w.sides[i], w.whole}, w.events(w.drains[i].log, 5+w.r.IntN(30)), 20)
}

// erase erases as a side would: the devices and former ids are those that it has a link of.
func (w *wander) erase(t *testing.T) {
	i := w.r.IntN(2)
	w.did["erase"]++
	w.now = w.now.Add(time.Second)
	e := cold.Erasure{ProjectID: "shop", ProfileID: w.profile(), At: w.now, By: fmt.Sprint("user ", w.r.IntN(3))}
	e.Merged = w.linked(t, i, "SELECT DISTINCT alias FROM aliases WHERE profile_id = ? AND alias <> profile_id AND alias LIKE 'former-%'", e.ProfileID)
	e.Devices = w.linked(t, i, "SELECT DISTINCT device_id FROM identities WHERE profile_id = ? AND device_id LIKE 'device-%'", e.ProfileID)
	for _, s := range []cold.Store{w.sides[i], w.whole} {
		if err := s.Erase(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *wander) linked(t *testing.T, side int, query, profile string) (out []string) {
	t.Helper()
	rows, err := w.sides[side].Query(t.Context(), query, profile)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// mortal is a destination during a copy that dies: nothing is done any more after some
// steps, the last of which may be done though nobody is told.
type mortal struct {
	transfer.Store
	left int
	die  context.CancelFunc
	told bool
}

func (m *mortal) step(do func() error) error {
	if m.left--; m.left > 0 || m.left == 0 && !m.told {
		if err := do(); err != nil {
			return err
		}
	}
	if m.left <= 0 {
		m.die()
		return errors.New("it is dead")
	}
	return nil
}

func (m *mortal) Write(ctx context.Context, b *cold.Batch) error {
	return m.step(func() error { return m.Store.Write(ctx, b) })
}

func (m *mortal) Erase(ctx context.Context, e cold.Erasure) error {
	return m.step(func() error { return m.Store.Erase(ctx, e) })
}

func (w *wander) copy(t *testing.T, i int, kill bool) {
	o := today()
	o.Batch, o.Window, o.Writers, o.Recheck = 5+w.r.IntN(40), 1+w.r.IntN(100), 1, w.r.IntN(3) == 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	to := transfer.Store(w.sides[1-i])
	if kill {
		to = &mortal{to, 1 + w.r.IntN(20), cancel, w.r.IntN(2) == 0}
	}
	rep, err := transfer.Run(ctx, w.sides[i], to, o)
	switch {
	case err == nil:
		w.did["copy"]++
	case kill && ctx.Err() != nil:
		w.did["kill"]++
	case errors.Is(err, transfer.ErrEmpty):
	default:
		t.Fatal(err, rep.Differences)
	}
}

// persons are the contents of a store without the marks of visits: a store may have a mark
// too many, of a visit in which nothing is left to be taken from others. Nor has it visits
// that an erasure deleted after somebody came into them who was not in them at first: a copy
// of the state of before has nothing of them, and stays.
func (w *wander) persons(t *testing.T, s cold.Store) map[string][]string {
	out := contents(t, s)
	out["erasures"] = rowsOf(t, s, "SELECT "+columns["erasures"]+" WHERE person NOT LIKE 'v%'")
	deleted := rowsOf(t, w.whole, "SELECT device_id, session_id FROM visits GROUP BY device_id, session_id HAVING SUM(sign) = 0")
	out["visits"] = slices.DeleteFunc(out["visits"], func(row string) bool {
		return slices.ContainsFunc(deleted, func(name string) bool { return strings.HasPrefix(row, name) })
	})
	return out
}

const tallied = `SELECT project_id, quarter, name, method, route, status, CAST(SUM(events) AS BIGINT) AS n FROM tallies
GROUP BY project_id, quarter, name, method, route, status HAVING SUM(events) <> 0`

// run does some steps, and looks at both sides at the end.
func (w *wander) run(t *testing.T, steps int) {
	w.now = monday
	w.drains, w.did = [2]*drain{newDrain("one"), newDrain("two")}, map[string]int{}
	w.write(t)
	for range steps {
		switch n := w.r.IntN(10); {
		case n < 3:
			w.write(t)
		case n < 6:
			w.erase(t)
		default:
			w.copy(t, w.r.IntN(2), n < 8)
		}
	}
	w.copy(t, 0, false)
	w.copy(t, 1, false)
	if diff := cmp.Diff(rowsOf(t, w.sides[0], "SELECT "+columns["erasures"]), rowsOf(t, w.sides[1], "SELECT "+columns["erasures"])); diff != "" {
		t.Errorf("marks (-side 0 +side 1):\n%s", diff)
	}
	for i, s := range w.sides {
		if diff := cmp.Diff(w.persons(t, w.whole), w.persons(t, s)); diff != "" {
			t.Errorf("side %d (-one store +side):\n%s", i, diff)
		}
		if diff := cmp.Diff(rowsOf(t, w.whole, tallied), rowsOf(t, s, tallied)); diff != "" {
			t.Errorf("tallies of side %d (-one store +side):\n%s", i, diff)
		}
	}
	t.Log(w.did)
}

func TestBothSidesOfAnyMovesAreWhatOneStoreWouldBe(t *testing.T) { testBothSides(t, 24, 60, inDuckDB) }

func testBothSides(t *testing.T, steps, seeds int, open func(*testing.T) cold.Store) {
	if os.Getenv("WEIR_TEST_LONG") != "" {
		steps *= 2
	} else {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := &wander{r: rand.New(rand.NewPCG(uint64(seed), 12)), sides: [2]cold.Store{newFile(t), open(t)}, whole: newFile(t)}
			w.run(t, steps)
		})
	}
}
