//go:build clocked

package main

import (
	"os"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
)

// systemClock returns the machine's clock plus what the file of WEIR_TEST_CLOCK says, such as
// "-300ms" or "1h", which tortures rewrite while the server runs. The server copies it to
// a file with .seen at its end once it uses it. As on a machine when its clock is set,
// the reading has no monotonic part.
func systemClock() weir.Clock {
	path := os.Getenv("WEIR_TEST_CLOCK")
	if path == "" {
		return nil
	}
	var offset atomic.Int64
	read := func() {
		raw, err := os.ReadFile(path)
		if d, bad := time.ParseDuration(string(raw)); err == nil && bad == nil && offset.Swap(int64(d)) != int64(d) {
			_ = os.WriteFile(path+".seen", raw, 0o600)
		}
	}
	read()
	go func() {
		for range time.Tick(2 * time.Millisecond) {
			read()
		}
	}()
	return func() time.Time { return time.Now().Round(0).Add(time.Duration(offset.Load())) }
}
