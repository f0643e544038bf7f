package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// rss is the resident memory of the process, in bytes. Linux alone tells.
func (s *server) rss() int64 { s.t.Helper(); return s.memory("VmRSS") }

func (s *server) memory(field string) int64 {
	s.t.Helper()
	n, err := processStatus(s.cmd.Process.Pid, field)
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.logTail())
	}
	return n
}

// processStatus reads a field of /proc/PID/status that is in kB.
func processStatus(pid int, field string) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(raw) {
		if v, ok := strings.CutPrefix(string(line), field+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s: it has ended", pid, field)
}

// logTail is the end of the log, which may be long.
func (s *server) logTail() string {
	log := s.log.String()
	return log[max(0, len(log)-4<<10):]
}

// watchMemory looks at the memory of the process every 100 ms, until stop is called,
// which returns the most that it saw, in bytes. A process that ends is an error.
func (s *server) watchMemory(t *testing.T) (stop func() int64) {
	t.Helper()
	var most atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-s.done:
				t.Errorf("weir has ended by itself: %v\n%s", s.err, s.logTail())
				return
			case <-tick.C:
				if n, err := processStatus(s.cmd.Process.Pid, "VmRSS"); err == nil {
					most.Store(max(most.Load(), n))
				}
			}
		}
	}()
	return func() int64 {
		close(done)
		<-ended
		return most.Load()
	}
}

// resetPeak makes VmHWM, the most that the process has had, begin anew.
func (s *server) resetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0o600) // where it may not, the peak is of the whole life
}
