package insight_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/insight"
)

// openGate is a barrier that is passed at once.
type openGate struct{}

func (openGate) Flush(context.Context) (time.Time, error) { return time.Now(), nil }
func (openGate) AsOf() time.Time                          { return time.Now() }

// slowEraser takes until it is let go on.
type slowEraser struct {
	began, goOn chan struct{}
	calls       atomic.Int32
}

func (s *slowEraser) Mark(context.Context, cold.Erasure) error { return nil }

func (s *slowEraser) Erase(context.Context, cold.Erasure) error {
	if s.calls.Add(1) == 1 {
		close(s.began)
		<-s.goOn
	}
	return nil
}

type noCounters struct{}

func (noCounters) DropProject(context.Context, string) error { return nil }

func (noCounters) Erase(context.Context, string, []string, []string) error { return nil }

// Two at once could each add what is left of the same events: a cold tier need not
// have transactions.
func TestOneErasureOfAProjectGoesOnAtATime(t *testing.T) {
	store, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	engine := insight.New(store, openGate{}, nil, insight.Options{})
	slow := &slowEraser{began: make(chan struct{}), goOn: make(chan struct{})}
	locks := local.New(local.Options{}).Locks
	node := func() insight.Profiles {
		return insight.Profiles{Engine: engine, Cold: slow, Hot: noCounters{}, Locks: locks}
	}
	one, other := node(), node()
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	first := make(chan error, 1)
	go func() {
		_, err := one.Erase(t.Context(), p, "u", "user 1")
		first <- err
	}()
	<-slow.began
	if _, err := other.Erase(t.Context(), p, "u", "user 1"); weir.ErrorCode(err) != weir.EUNAVAILABLE || slow.calls.Load() != 1 {
		t.Errorf("a second one beside it: %v, %d calls", err, slow.calls.Load())
	}
	q := *p
	q.ID = "q"
	if _, err := other.Erase(t.Context(), &q, "u", "user 1"); err != nil {
		t.Errorf("one of another project: %v", err)
	}
	close(slow.goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, err := other.Erase(t.Context(), p, "u", "user 1"); err != nil {
		t.Errorf("one after it: %v", err)
	}
}
