package process_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/internal/process"
)

// kept is garbage that no compiler may leave out.
var kept []byte

func TestStoresAreTrimmedOnlyWhileTheProcessIdles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var log strings.Builder
		var mallocs, first, second atomic.Int64
		trims := []func(context.Context) error{
			func(context.Context) error { first.Add(1); return errors.New("disk is full") },
			func(context.Context) error { second.Add(1); return nil },
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = process.KeepTrimmed(ctx, func() { mallocs.Add(1) }, trims, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		busy := func() {
			for range 64 {
				kept = make([]byte, 8<<20)
			}
		}
		look := func() { <-time.After(20 * time.Second); synctest.Wait() }
		<-time.After(time.Second)
		look() // the first one has nothing to compare with
		first.Store(0)
		second.Store(0)
		mallocs.Store(0)
		log.Reset()

		for range 3 {
			busy()
			look()
		}
		if first.Load()+second.Load() != 0 || mallocs.Load() != 1 {
			t.Errorf("busy: stores trimmed %d and %d times, want 0; the C library %d times, want 1", first.Load(), second.Load(), mallocs.Load())
		}
		look()
		if first.Load() != 1 || second.Load() != 1 || mallocs.Load() != 2 {
			t.Errorf("idle: stores trimmed %d and %d times, want 1; the C library %d times, want 2", first.Load(), second.Load(), mallocs.Load())
		}
		if !strings.Contains(log.String(), "disk is full") {
			t.Errorf("a store that fails is not logged: %q", log.String())
		}
		stop()
		<-done
	})
}
