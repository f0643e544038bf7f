package main

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
)

// saltCalls remembers the days that were asked for.
type saltCalls struct {
	days []string
	err  error
}

func (s *saltCalls) Salts(_ context.Context, day time.Time) (today, yesterday []byte, err error) {
	s.days = append(s.days, day.UTC().Format(time.DateTime))
	return nil, nil, s.err
}

func (s *saltCalls) ForgetSalts(context.Context) error { return nil }

func TestSaltsAreKeptFromTheStartAndEveryHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 2000-01-01
		s := &saltCalls{}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour+time.Minute)
		defer cancel()
		if err := keepSalts(ctx, s, always, nil, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"2000-01-01 00:00:00", "2000-01-01 01:00:00", "2000-01-01 02:00:00"}, s.days); d != "" {
			t.Error(d)
		}
	})
}

func TestSaltsThatCannotBeKeptAreLoggedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &saltCalls{err: errors.New("disk on fire")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Minute)
		defer cancel()
		var log bytes.Buffer
		if err := keepSalts(ctx, s, always, nil, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "disk on fire"); n != 2 {
			t.Errorf("%d lines: %s", n, log.String())
		}
	})
}

func always(context.Context, time.Duration) (bool, error) { return true, nil }

func TestOneNodeKeepsTheSalts(t *testing.T) {
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
		wg.Go(func() { _ = keepSalts(first, a, node("a"), nil, slog.New(slog.DiscardHandler)) })
		synctest.Wait()
		wg.Go(func() { _ = keepSalts(both, b, node("b"), nil, slog.New(slog.DiscardHandler)) })
		wg.Wait()
		// The first does it twice and is gone; two hours after that its lock ends.
		if len(a.days) != 2 || len(b.days) != 2 {
			t.Errorf("the first at %v, the second at %v", a.days, b.days)
		}
	})
}
