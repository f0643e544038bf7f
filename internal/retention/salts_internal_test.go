package retention

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/meta"
)

// saltCalls remembers when it was called.
type saltCalls struct {
	days  []string
	today meta.Today
	err   error
}

func (s *saltCalls) DestroySalts(context.Context) (meta.Today, error) {
	s.days = append(s.days, time.Now().UTC().Format(time.DateTime))
	return s.today, s.err
}

func TestOldSaltsAreDestroyedAtTheStartAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 2000-01-01
		s := &saltCalls{}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour+time.Minute)
		defer cancel()
		if err := DestroySalts(ctx, s, always, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"2000-01-01 00:00:00", "2000-01-01 01:00:00", "2000-01-01 02:00:00"}, s.days); d != "" {
			t.Error(d)
		}
	})
}

func TestSaltsThatCannotBeDestroyedAreLoggedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &saltCalls{err: errors.New("disk on fire")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Minute)
		defer cancel()
		var log bytes.Buffer
		if err := DestroySalts(ctx, s, always, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "disk on fire"); n != 2 {
			t.Errorf("%d lines: %s", n, log.String())
		}
	})
}

func TestAClockThatJumpedIsLoggedWhereSaltsWouldGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &saltCalls{today: meta.Today{Time: time.Now(), Ahead: 48 * time.Hour, Until: time.Now().Add(72 * time.Hour)}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var log bytes.Buffer
		if err := DestroySalts(ctx, s, always, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "ahead=48h0m0s") {
			t.Errorf("log: %s", text)
		}
	})
}

func always(context.Context, time.Duration) (bool, error) { return true, nil }

func TestOneNodeDestroysTheSalts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		locks := local.New(local.Options{}).Locks
		node := func(name string) func(context.Context, time.Duration) (bool, error) {
			return func(ctx context.Context, ttl time.Duration) (bool, error) {
				return locks.Acquire(ctx, "salts", name, ttl)
			}
		}
		a, b := &saltCalls{}, &saltCalls{}
		first, cancel := context.WithTimeout(t.Context(), time.Hour+time.Minute)
		defer cancel()
		both, cancel := context.WithTimeout(t.Context(), 4*time.Hour+time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { _ = DestroySalts(first, a, node("a"), slog.New(slog.DiscardHandler)) })
		synctest.Wait()
		wg.Go(func() { _ = DestroySalts(both, b, node("b"), slog.New(slog.DiscardHandler)) })
		wg.Wait()
		// The first does it twice and is gone; two hours after that its lock ends.
		if len(a.days) != 2 || len(b.days) != 2 {
			t.Errorf("the first at %v, the second at %v", a.days, b.days)
		}
	})
}
