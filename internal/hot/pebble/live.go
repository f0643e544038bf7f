package pebble

import (
	"strings"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// live counts each project's devices by the second of their last event, so that
// to ask who is live does not look at devices, and does not wait for a commit
// that saves them. It tells devices apart to the second.
type live struct {
	mu       sync.Mutex
	projects map[string]map[int64]int // second → devices
}

func newLive() *live { return &live{projects: map[string]map[int64]int{}} }

// move says that a device's last event is no more at from, but at to. Zero is
// no time.
func (l *live) move(project string, from, to time.Time) {
	a, b := from.Unix(), to.Unix()
	if a == b && !from.IsZero() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.projects[project]
	if of == nil {
		of = map[int64]int{}
		l.projects[strings.Clone(project)] = of
	}
	if !from.IsZero() {
		if of[a]--; of[a] <= 0 {
			delete(of, a)
		}
	}
	if !to.IsZero() {
		of[b]++
	}
}

// count is the number of devices with an event in the Window before now.
func (l *live) count(project string, now time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	oldest := now.Add(-hot.Window).Unix()
	for second, devices := range l.projects[project] { // of the last half hour, so some two thousand at the most
		if second > oldest {
			n += devices
		}
	}
	return n
}
