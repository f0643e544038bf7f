package insight_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestNoAnswerOfBeforeAnErasureIsKept(t *testing.T) {
	r := view("d1", "/secret", 1)
	r.ProfileID = "ada"
	s := newStore(t, r)
	fleet := local.New(local.Options{})
	of := func() *insight.Engine { return insight.New(s, done{}, time.Now, insight.Options{Cache: fleet.Cache}) }
	one, other := of(), of() // of two nodes that share a cache
	q := weir.Trend{Common: weir.Common{From: noon.Add(-72 * time.Hour), To: noon, Interval: weir.Day}, Breakdown: "profile_id", Limit: 10, Series: []weir.Series{{Math: weir.MathTotal}}}
	ask := func(e *insight.Engine, p *weir.Project) (ada, cached bool) {
		t.Helper()
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range a.Series {
			ada = ada || line.Breakdown.Value == "ada"
		}
		return ada, a.Cached
	}
	p, another := berlin(t), berlin(t)
	another.ID = "another"
	ask(one, another)
	if ada, _ := ask(one, p); !ada {
		t.Fatal("she is not in the answer")
	}
	if ada, cached := ask(other, p); !ada || !cached {
		t.Fatal("the answer is not kept")
	}
	if _, err := one.Erase(t.Context(), p, s, counters{&noting{}}, "ada", "user 1"); err != nil {
		t.Fatal(err)
	}
	if ada, cached := ask(other, p); ada || cached {
		t.Errorf("she is in the answer: %v; it is an old one: %v", ada, cached)
	}
	if _, cached := ask(other, p); !cached {
		t.Error("the answer after it is not kept")
	}
	if _, cached := ask(other, another); !cached {
		t.Error("another project's answer is gone")
	}
}
