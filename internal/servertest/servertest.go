// Package servertest runs the processes of servers for tests: it claims their
// ports, starts and kills them, and waits until they are ready.
package servertest

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// Patience is the longest time that a test waits for anything.
const Patience = 60 * time.Second

const tick = 20 * time.Millisecond // between two attempts

// Missing ends a test that needs something that is not installed: the test is
// skipped, or fails if WEIR_TEST_STRICT is set.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("WEIR_TEST_STRICT") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Wait calls ok until it returns nil. The test ends after Patience, and at once
// with a FinalError.
func Wait(t testing.TB, what string, ok func() error) {
	t.Helper()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	deadline := time.After(Patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		if _, final := errors.AsType[FinalError](err); final {
			t.Fatalf("%s: %v", what, err)
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%s: not within %v: %v", what, Patience, err)
		}
	}
}

// FinalError is an error that further attempts cannot change.
type FinalError struct{ error }

// Final makes a FinalError.
func Final(format string, args ...any) FinalError { return FinalError{fmt.Errorf(format, args...)} }
