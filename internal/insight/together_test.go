package insight_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// gate is a barrier that holds up who would pass, and a clock.
type gate struct {
	open chan struct{}

	mu      sync.Mutex
	now     time.Time
	stuck   bool // the cold tier takes nothing more since noon
	flushed int
}

func newGate() *gate { return &gate{open: make(chan struct{}), now: noon} }

func (g *gate) Flush(ctx context.Context) (time.Time, error) {
	g.mu.Lock()
	g.flushed++
	now := g.now
	if g.stuck {
		now = noon
	}
	g.mu.Unlock()
	select {
	case <-g.open:
		return now, nil
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}

func (g *gate) AsOf() time.Time { return time.Time{} } // nothing was complete yet

func (g *gate) clock() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.now
}

func (g *gate) add(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = g.now.Add(d)
}

// questions is how many have come to the barrier.
func (g *gate) questions() int {
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.flushed
}

// asker asks in the background.
type asker struct {
	done   chan struct{}
	answer *insight.Trend
	err    error
}

func ask(ctx context.Context, e *insight.Engine, p *weir.Project, freshness time.Duration) *asker {
	a := &asker{done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.answer, a.err = insight.Ask[insight.Trend](ctx, e, p, dayQuery(weir.Series{Math: weir.MathTotal}), freshness)
	}()
	synctest.Wait()
	return a
}

// want waits for the answer and checks its total, and how complete it is.
func (a *asker) want(t *testing.T, total float64, asOf time.Time) {
	t.Helper()
	<-a.done
	if a.err != nil {
		t.Fatal(a.err)
	}
	if *a.answer.Series[0].Total != total || !a.answer.AsOf.Equal(asOf) || a.answer.Cached {
		t.Fatalf("total %v as of %v, cached %v; want %v as of %v", *a.answer.Series[0].Total, a.answer.AsOf, a.answer.Cached, total, asOf)
	}
}

// together runs a test with an engine behind a gate.
func together(t *testing.T, test func(t *testing.T, e *insight.Engine, g *gate)) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		test(t, insight.New(newStore(t, rows()...), g, g.clock, insight.Options{}), g)
	})
}

func TestWhoAskTheSameAtTheSameTimeAskOnce(t *testing.T) {
	together(t, func(t *testing.T, e *insight.Engine, g *gate) {
		p := berlin(t)
		askers := make([]*asker, 20)
		for i := range askers {
			askers[i] = ask(t.Context(), e, p, 30*time.Second)
		}
		if n := g.questions(); n != 1 {
			t.Fatalf("%d questions for 20 who ask the same", n)
		}
		now := ask(t.Context(), e, p, 0)
		other := ask(t.Context(), e, &weir.Project{ID: "q", Timezone: p.Timezone}, 30*time.Second)
		if n := g.questions(); n != 3 {
			t.Fatalf("%d questions, want 3: who wants what is now, and another project, ask for themselves", n)
		}
		close(g.open)
		for _, a := range askers {
			a.want(t, 3, noon)
		}
		now.want(t, 3, noon)
		other.want(t, 0, noon)
	})
}

func TestAskerThatJoinsTooLateForItsFreshnessAsksAgain(t *testing.T) {
	together(t, func(t *testing.T, e *insight.Engine, g *gate) {
		first := ask(t.Context(), e, berlin(t), 30*time.Second)
		g.add(time.Minute)
		second, third := ask(t.Context(), e, berlin(t), 30*time.Second), ask(t.Context(), e, berlin(t), 30*time.Second)
		if n := g.questions(); n != 1 {
			t.Fatalf("%d questions, want 1", n)
		}
		close(g.open)
		first.want(t, 3, noon)
		for _, a := range []*asker{second, third} {
			<-a.done
			if a.err != nil || !a.answer.AsOf.Equal(noon.Add(time.Minute)) {
				t.Fatalf("as of %v, %v; want %v", a.answer.AsOf, a.err, noon.Add(time.Minute))
			}
		}
	})
}

func TestAskersThatGetTooOldAnAnswerShareOneMoreQuestion(t *testing.T) {
	together(t, func(t *testing.T, e *insight.Engine, g *gate) {
		g.stuck = true
		g.add(time.Minute)
		askers := make([]*asker, 10)
		for i := range askers {
			askers[i] = ask(t.Context(), e, berlin(t), 30*time.Second)
		}
		g.open <- struct{}{} // lets the first pass
		if n := g.questions(); n != 2 {
			t.Fatalf("%d questions, want one more after the first", n)
		}
		g.open <- struct{}{}
		for _, a := range askers {
			a.want(t, 3, noon)
		}
		if n := g.questions(); n != 2 {
			t.Fatalf("%d questions, want 2", n)
		}
	})
}

func TestAskerThatCancelsDoesNotFailTheOthers(t *testing.T) {
	together(t, func(t *testing.T, e *insight.Engine, g *gate) {
		ctx, leave := context.WithCancel(t.Context())
		first := ask(ctx, e, berlin(t), 30*time.Second)
		second, third := ask(t.Context(), e, berlin(t), 30*time.Second), ask(t.Context(), e, berlin(t), 30*time.Second)
		leave()
		<-first.done
		if !errors.Is(first.err, context.Canceled) {
			t.Fatalf("who left: %v", first.err)
		}
		if n := g.questions(); n != 2 {
			t.Fatalf("%d questions, want 2: one goes on for those who stay", n)
		}
		close(g.open)
		second.want(t, 3, noon)
		third.want(t, 3, noon)
	})
}

func TestAFailedQuestionIsNotKept(t *testing.T) {
	b := &barrier{err: weir.Errorf(weir.EUNAVAILABLE, "the hot tier is down")}
	e := newEngine(t, b)
	for range 2 {
		if _, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), time.Minute); weir.ErrorCode(err) != weir.EUNAVAILABLE {
			t.Fatalf("error %v, want EUNAVAILABLE", err)
		}
	}
	b.err = nil
	if _, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), time.Minute); err != nil {
		t.Fatal(err)
	}
}
