package fleettest

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
)

func (s suite) testLimiter(t *testing.T) {
	t.Run("a bucket gives what it holds, and then one each while", s.testBucket)
	t.Run("a long row of takes agrees with plain sums", s.testTakesAgainstSums)
	t.Run("a full bucket gives more than it holds, and makes up for it", s.testDebt)
	t.Run("many at once get no more than the bucket holds", func(t *testing.T) {
		a, b := s.two(t, newClock().Now)
		l := fleet.Limit{Every: long, Burst: 17}
		var taken, refused atomic.Int64
		together(50, func(i int) {
			wait, _, err := []Node{a, b}[i%2].Limiter.Take(t.Context(), "k", l, 1)
			switch {
			case err != nil:
				t.Error(err)
			case wait == 0:
				taken.Add(1)
			case wait == long:
				refused.Add(1)
			}
		})
		if taken.Load() != 17 || refused.Load() != 33 {
			t.Fatalf("%d taken and %d told to wait for one token, want 17 and 33", taken.Load(), refused.Load())
		}
	})
	t.Run("a bucket fills up by itself", func(t *testing.T) {
		a, b := s.two(t, nil)
		l := fleet.Limit{Every: short, Burst: 2}
		wait, _, err := a.Limiter.Take(t.Context(), "k", l, 2)
		if wait != 0 || err != nil {
			t.Fatalf("wait %v, %v", wait, err)
		}
		eventually(t, "both tokens are there again", func() bool {
			wait, _, err := b.Limiter.Take(t.Context(), "k", l, 2)
			if err != nil || wait < 0 || wait > 2*short {
				t.Fatalf("wait %v, %v", wait, err)
			}
			return wait == 0
		})
	})
	t.Run("a forgotten bucket is full, others are not", func(t *testing.T) {
		a, b := s.two(t, newClock().Now)
		l := fleet.Limit{Every: long, Burst: 3}
		wantTake(t, a.Limiter, "k", l, 3, 0, 0)
		wantTake(t, a.Limiter, "other", l, 3, 0, 0)
		for _, key := range []string{"k", "never seen"} {
			if err := b.Limiter.Forget(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		wantTake(t, a.Limiter, "k", l, 1, 0, 2)
		wantTake(t, a.Limiter, "other", l, 1, long, 0)
	})
	t.Run("tokens that are given back can be taken again", func(t *testing.T) {
		clock := newClock()
		a, b := s.two(t, clock.Now)
		l := fleet.Limit{Every: long, Burst: 3}
		give := func(x fleet.Limiter, key string, n int) {
			t.Helper()
			if err := x.Return(t.Context(), key, l, n); err != nil {
				t.Fatal(err)
			}
		}
		wantTake(t, a.Limiter, "k", l, 3, 0, 0)
		give(b.Limiter, "k", 1)
		wantTake(t, a.Limiter, "k", l, 1, 0, 0)
		wantTake(t, a.Limiter, "k", l, 1, long, 0)
		give(a.Limiter, "k", 2)
		give(b.Limiter, "k", 3) // more than were taken
		give(a.Limiter, "never seen", 3)
		for _, key := range []string{"k", "never seen"} {
			wantTake(t, b.Limiter, key, l, 1, 0, 2)
		}
		if a.Limiter.Return(t.Context(), "k", l, 4) == nil {
			t.Error("more than a bucket holds is no error")
		}
	})
	t.Run("what no bucket can give is an error", func(t *testing.T) {
		a, _ := s.two(t, newClock().Now)
		good := fleet.Limit{Every: time.Second, Burst: 5}
		for _, c := range []struct {
			l fleet.Limit
			n int
		}{
			{good, 6},
			{good, 0},
			{good, -1},
			{fleet.Limit{Every: time.Second, Burst: 5, Debt: 2}, 8},
			{fleet.Limit{Every: time.Second, Burst: 5, Debt: -1}, 1},
			{fleet.Limit{Every: time.Hour, Burst: 5, Debt: 366 * 24}, 1},
			{fleet.Limit{Every: time.Second}, 1},
			{fleet.Limit{Burst: 5}, 1},
			{fleet.Limit{Every: -time.Second, Burst: 5}, 1},
			{fleet.Limit{Every: time.Nanosecond, Burst: 5}, 1},
			{fleet.Limit{Every: 1000 * time.Hour, Burst: 1 << 60}, 1},
		} {
			if _, _, err := a.Limiter.Take(t.Context(), "k", c.l, c.n); err == nil {
				t.Errorf("%d of %+v was no error", c.n, c.l)
			}
		}
		wantTake(t, a.Limiter, "k", good, 5, 0, 0) // nothing was taken
	})
}

func (s suite) testBucket(t *testing.T) {
	c := newClock()
	a, b := s.two(t, c.Now)
	// Minutes, not milliseconds: a backend may let go of a bucket after the time
	// that it takes to fill by its own clock.
	l := fleet.Limit{Every: 10 * time.Minute, Burst: 3}
	small, large := fleet.Limit{Every: time.Minute, Burst: 2}, fleet.Limit{Every: time.Minute, Burst: 10}
	fine := fleet.Limit{Every: 1500 * time.Nanosecond, Burst: 120_000_000}
	for i, step := range []struct {
		pass      time.Duration
		limit     fleet.Limit
		n         int
		wait      time.Duration
		remaining int
	}{
		{0, l, 1, 0, 2},
		{0, l, 2, 0, 0},
		{0, l, 1, 10 * time.Minute, 0},
		{0, l, 3, 30 * time.Minute, 0}, // nothing was taken by who was refused
		{10*time.Minute - time.Microsecond, l, 1, time.Microsecond, 0},
		{time.Microsecond, l, 1, 0, 0},
		{25 * time.Minute, l, 3, 5 * time.Minute, 2},
		{0, l, 1, 0, 1},
		{0, l, 1, 0, 0}, // half a token is left
		{0, l, 1, 5 * time.Minute, 0},
		{9 * time.Hour, l, 3, 0, 0}, // it held three, not many
		{-9 * time.Hour, l, 2, 20 * time.Minute, 0},
		{time.Minute, l, 1, 9 * time.Minute, 0}, // a clock set back keeps nobody out for hours
		{0, small, 1, time.Minute, 0},           // a smaller bucket is empty at worst
		{9 * time.Hour, small, 2, 0, 0},
		{0, large, 9, time.Minute, 8},     // in a larger one counts what was taken
		{0, fine, 1, time.Microsecond, 0}, // one each µs, of which 120,000,000 were taken
		{time.Microsecond, fine, 1, 0, 0},
	} {
		c.Add(step.pass)
		node := []Node{a, b}[i%2]
		wait, remaining, err := node.Limiter.Take(t.Context(), "k", step.limit, step.n)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if wait != step.wait || remaining != step.remaining {
			t.Fatalf("step %d: wait %v, remaining %d; want %v, %d", i, wait, remaining, step.wait, step.remaining)
		}
	}
}

func (s suite) testDebt(t *testing.T) {
	c := newClock()
	a, b := s.two(t, c.Now)
	l := fleet.Limit{Every: 10 * time.Minute, Burst: 3, Debt: 4}
	for i, step := range []struct {
		pass      time.Duration
		n         int
		wait      time.Duration
		remaining int
	}{
		{0, 1, 0, 2},
		{0, 5, 10 * time.Minute, 2}, // of a full bucket only
		{10 * time.Minute, 7, 0, 0}, // four of them are owed
		{0, 1, 50 * time.Minute, 0},
		{0, 7, 70 * time.Minute, 0},
		{50*time.Minute - time.Microsecond, 1, time.Microsecond, 0},
		{time.Microsecond, 1, 0, 0},
		{30 * time.Minute, 5, 0, 0},
		{-9 * time.Hour, 1, 50 * time.Minute, 0}, // a clock set back leaves it owing what it may
	} {
		c.Add(step.pass)
		wait, remaining, err := []Node{a, b}[i%2].Limiter.Take(t.Context(), "k", l, step.n)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if wait != step.wait || remaining != step.remaining {
			t.Fatalf("step %d: wait %v, remaining %d; want %v, %d", i, wait, remaining, step.wait, step.remaining)
		}
	}
	// What may owe less owes no more than that.
	wantTake(t, a.Limiter, "k", fleet.Limit{Every: 10 * time.Minute, Burst: 3}, 1, 10*time.Minute, 0)
}

// testTakesAgainstSums keeps the level of a bucket the other way round, as what is
// in it, counted in microseconds of filling.
func (s suite) testTakesAgainstSums(t *testing.T) {
	c := newClock()
	a, b := s.two(t, c.Now)
	random := rand.New(rand.NewPCG(1, 2)) // the same row each time
	l := fleet.Limit{Every: 333_333_333 * time.Microsecond, Burst: 7}
	every := l.Every.Microseconds()
	level := every * int64(l.Burst)
	refused := 0
	for i := range 300 {
		pass := random.Int64N(3 * every)
		c.Add(time.Duration(pass) * time.Microsecond)
		level = min(level+pass, every*int64(l.Burst))
		n := 1 + random.IntN(4)
		missing := every*int64(n) - level
		if missing <= 0 {
			level, missing = level-every*int64(n), 0
		} else {
			refused++
		}
		wait, remaining, err := []Node{a, b}[i%2].Limiter.Take(t.Context(), "k", l, n)
		if err != nil {
			t.Fatal(err)
		}
		if wait.Microseconds() != missing || int64(remaining) != level/every {
			t.Fatalf("take %d of %d: wait %v, remaining %d; want %d µs, %d", i, n, wait, remaining, missing, level/every)
		}
	}
	if refused < 50 || refused > 250 {
		t.Fatalf("%d of 300 were refused: the row proves little", refused)
	}
}

func wantTake(t *testing.T, x fleet.Limiter, key string, l fleet.Limit, n int, wait time.Duration, remaining int) {
	t.Helper()
	w, r, err := x.Take(t.Context(), key, l, n)
	if err != nil {
		t.Fatal(err)
	}
	if w != wait || r != remaining {
		t.Fatalf("take %d of %q: wait %v, remaining %d; want %v, %d", n, key, w, r, wait, remaining)
	}
}
