package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// unreliable is a destination whose writes go wrong.
type unreliable struct {
	transfer.Store
	mu     sync.Mutex
	writes int
	// before and after a write may do harm; an error of after stands for a write that
	// went through, without its answer.
	before func(n int, b *cold.Batch) error
	after  func(n int, b *cold.Batch) error
}

func (s *unreliable) Write(ctx context.Context, b *cold.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.before != nil {
		if err := s.before(s.writes, b); err != nil {
			return err
		}
	}
	if err := s.Store.Write(ctx, b); err != nil {
		return err
	}
	if s.after != nil {
		return s.after(s.writes, b)
	}
	return nil
}

func TestACopyThatIsStoppedAgainAndAgainGoesOn(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	r := rand.New(rand.NewPCG(1, 1))
	stops, longest := 0, int64(0)
	for {
		ctx, cancel := context.WithCancel(t.Context())
		at := 1 + r.IntN(15)
		broken := &unreliable{Store: to, after: func(n int, _ *cold.Batch) error {
			if n >= at {
				cancel()
			}
			return nil
		}}
		rep, err := transfer.Run(ctx, from, broken, small())
		cancel()
		if err == nil {
			if rep.Events != filled || rep.Before == 0 {
				t.Errorf("the last report is %+v", rep)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if broken.writes > at+2 { // those under way by the other writers
			t.Errorf("%d writes after a stop at %d", broken.writes, at)
		}
		stops++
		longest = max(longest, rep.Rows())
	}
	if stops < 3 || longest == 0 {
		t.Errorf("only %d stops, %d rows at the most before one", stops, longest)
	}
	same(t, from, to)
}

func TestWritesThatFailOrWhoseAnswerIsLostAreDoneAgain(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	r := rand.New(rand.NewPCG(2, 2))
	failed := 0
	fail := func(int, *cold.Batch) error {
		if r.IntN(30) == 0 {
			failed++
			return errors.New("the connection broke")
		}
		return nil
	}
	rep := copyAll(t, from, &unreliable{Store: to, before: fail, after: fail}, small())
	same(t, from, to)
	if failed < 2 || rep.Events != filled {
		t.Errorf("%d writes failed, report %+v", failed, rep)
	}
}

func TestACopyThatGoesOnWithBatchesOfAnotherSizeAddsNothingTwice(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := transfer.Run(ctx, from, &unreliable{Store: to, after: func(n int, _ *cold.Batch) error {
		if n == 4 {
			cancel()
		}
		return nil
	}}, small())
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	o := small()
	o.Batch, o.Window = 45, 130
	copyAll(t, from, to, o)
	same(t, from, to)
}

func TestADestinationThatStaysAwayIsGivenUp(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	away := errors.New("the connection broke")
	var waited time.Duration
	o := small()
	o.Pause = func(_ context.Context, d time.Duration) error {
		waited += d
		return nil
	}
	_, err := transfer.Run(t.Context(), from, &unreliable{Store: to, before: func(n int, _ *cold.Batch) error {
		if n > 10 {
			return away
		}
		return nil
	}}, o)
	if !errors.Is(err, away) || !strings.Contains(err.Error(), "2026-03-0") {
		t.Errorf("error %v, want the store's, with the day", err)
	}
	if waited < time.Minute || waited > 10*time.Minute {
		t.Errorf("waited %v in all", waited)
	}
	copyAll(t, from, to, small())
	same(t, from, to)
}

// counted counts the queries that read rows of days. Those that look for who was erased
// are none: they are asked in each run, of projects with marks.
type counted struct {
	cold.Store
	mu    sync.Mutex
	reads int
}

func (c *counted) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.HasPrefix(query, "SELECT id, shard, ") || strings.HasPrefix(query, "SELECT device_id, session_id, version, ") {
		c.mu.Lock()
		c.reads++
		c.mu.Unlock()
	}
	return c.Store.Query(ctx, query, args...)
}

func TestASecondRunReadsNoDayAgain(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	copyAll(t, from, to, small())
	source, destination := &counted{Store: from}, &counted{Store: to}
	rep := copyAll(t, source, destination, small())
	if rep.Before != 3 || rep.Days != 3 || rep.Events != filled || source.reads+destination.reads != 0 {
		t.Errorf("report %+v, %d reads of the source, %d of the destination", rep, source.reads, destination.reads)
	}
	o := small()
	o.Recheck = true
	rep = copyAll(t, source, destination, o)
	if rep.Before != 0 || rep.Events != filled || source.reads == 0 {
		t.Errorf("with Recheck: report %+v, %d reads", rep, source.reads)
	}
	same(t, from, to)
}

func TestOnlyTheProjectsThatAreNamedAreCopied(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	o := small()
	o.Projects = []string{"a/b %"}
	if rep := copyAll(t, from, to, o); rep.Events != 150 || rep.Projects != 1 {
		t.Errorf("report %+v", rep)
	}
	if got := rowsOf(t, to, "SELECT DISTINCT project_id FROM events"); len(got) != 1 || got[0] != `"a/b %"|` {
		t.Errorf("projects %v", got)
	}
	o.Projects = []string{"shop", "nobody"}
	if _, err := transfer.Run(t.Context(), from, to, o); !errors.Is(err, transfer.ErrEmpty) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("error %v, want ErrEmpty naming the project", err)
	}
}

func TestAnEmptySourceIsAnError(t *testing.T) {
	if _, err := transfer.Run(t.Context(), newFile(t), newFile(t), small()); !errors.Is(err, transfer.ErrEmpty) {
		t.Errorf("error %v, want ErrEmpty", err)
	}
}

func TestASourceThatIsWrittenToMeanwhileIsNoticed(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	_, err := transfer.Run(t.Context(), from, &unreliable{Store: to, after: func(n int, _ *cold.Batch) error {
		if n == 20 {
			newDrain("later").write(t, from, mix("shop", 9, 1, 10), 10)
		}
		return nil
	}}, small())
	if !errors.Is(err, transfer.ErrChanged) {
		t.Fatalf("error %v, want ErrChanged", err)
	}
	copyAll(t, from, to, small())
	same(t, from, to)
}

func TestProgressGoesFromNothingToAll(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	var all []transfer.Progress
	o := small()
	o.Progress = func(p transfer.Progress) { all = append(all, p) }
	rep := copyAll(t, from, to, o)
	if len(all) < 15 {
		t.Fatalf("told %d times", len(all))
	}
	for i, p := range all {
		if p.Project == "" || p.Day.IsZero() || p.Total != rep.Rows() || i > 0 && p.Rows < all[i-1].Rows {
			t.Fatalf("after %+v came %+v", all[max(i-1, 0)], p)
		}
	}
	if last := all[len(all)-1]; last.Rows != last.Total {
		t.Errorf("the last is %+v", last)
	}
}
