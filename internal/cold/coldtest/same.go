package coldtest

import (
	"math/rand/v2"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// Engine is a store of a test that compares several.
type Engine struct {
	Name  string
	Store cold.Store
}

// Same writes some n events of a project or two into all stores and checks that each
// answers every question as the first does from events alone, which reads nothing
// that was added up: more events than an oracle that walks them can have. Single
// filters and maths are left to the oracle.
func Same(t *testing.T, n int, engines ...Engine) {
	projects := 2
	if n < 100_000 {
		projects = 1
	}
	for i, z := range zones[1 : 1+projects] {
		w, err := generate(rand.New(rand.NewPCG(uint64(200+i), 0)), z.name, z.from, n/projects)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range w.batches(10_000) {
			for _, e := range engines {
				write(t, e.Store, b)
				if i%2 == 0 { // as after a lost answer
					again(t, e.Store, b)
					b.Again = false
				}
			}
		}
		t.Logf("%s: %d events", z.name, len(w.events))
		first := reference{t: t, w: w, e: insight.New(engines[0].Store, written{time.Now()}, time.Now, insight.Options{Raw: true, Actions: savedActions{}})}
		for j, e := range engines {
			of := 1
			if !long() { // a part of the questions of each list, and each engine another one
				of = 36
			}
			t.Run(z.name+" in "+e.Name, func(t *testing.T) {
				first.t = t
				a := &asker{
					e: insight.New(e.Store, written{time.Now()}, time.Now, insight.Options{Actions: savedActions{}}), w: w, want: first, date: newOracle(w).date,
					r: rand.New(rand.NewPCG(uint64(300+i), 0)), turn: i*of + j%of, turns: projects * of, of: of,
				}
				a.kinds(t)
				t.Run("events", a.events)
			})
		}
	}
}

// reference answers from a store.
type reference struct {
	t *testing.T
	w *world
	e *insight.Engine
}

func (r reference) answer(q weir.Question) insight.Answer {
	a, err := r.e.Ask(r.t.Context(), r.w.project, q, 0)
	if err != nil {
		r.t.Fatalf("%+v: %v", q, err)
	}
	return a
}

func (r reference) list(q insight.EventsQuery) []string {
	ids, err := list(r.t, r.e, r.w.project, q)
	if err != nil {
		r.t.Fatalf("%+v: %v", q, err)
	}
	return ids
}

// mostListed is how much of a list is compared.
var mostListed = rounds(2000)

// list is the pages of a list of events, one after the other.
func list(t *testing.T, e *insight.Engine, p *weir.Project, q insight.EventsQuery) ([]string, error) {
	var out []string
	for {
		page, err := e.Events(t.Context(), p, q, 0)
		if err != nil {
			return nil, err
		}
		for _, it := range page.Events {
			out = append(out, describe(it.ID, it.Duration))
		}
		if q.Cursor = page.NextCursor; q.Cursor == "" || len(out) >= mostListed {
			return out[:min(len(out), mostListed)], nil
		}
	}
}
