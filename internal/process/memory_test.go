package process_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
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
		var mallocs, first, second int
		trims := []func(context.Context) error{
			func(context.Context) error { first++; return errors.New("disk is full") },
			func(context.Context) error { second++; return nil },
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = process.KeepTrimmed(ctx, func() { mallocs++ }, trims, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		busy := func() {
			for range 64 {
				kept = make([]byte, 8<<20)
			}
		}
		minute := func() { <-time.After(time.Minute); synctest.Wait() }
		<-time.After(time.Second)
		minute() // the first look has nothing to compare with
		first, second, mallocs = 0, 0, 0
		log.Reset()

		busy()
		minute()
		if first+second != 0 || mallocs != 1 {
			t.Errorf("busy: stores trimmed %d and %d times, want 0; the C library %d times, want 1", first, second, mallocs)
		}
		minute()
		if first != 1 || second != 1 || mallocs != 2 {
			t.Errorf("idle: stores trimmed %d and %d times, want 1; the C library %d times, want 2", first, second, mallocs)
		}
		if !strings.Contains(log.String(), "disk is full") {
			t.Errorf("a store that fails is not logged: %q", log.String())
		}
		stop()
		<-done
	})
}
