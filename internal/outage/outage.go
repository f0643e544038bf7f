// Package outage logs that a dependency is unavailable, however often it is tried: once at
// the start of the outage, once a minute while it lasts, and once at its end.
package outage

import (
	"log/slog"
	"sync"
	"time"
)

const (
	again = time.Minute      // between two lines of one outage
	apart = 10 * time.Second // between the lines of two outages: something may come and go with each try
)

// Log is the log of one thing that may be away. Its methods are safe for
// concurrent use.
type Log struct {
	log   *slog.Logger
	clock func() time.Time
	away  string
	back  string

	mu       sync.Mutex
	since    time.Time // of the outage; zero when there is none
	said     time.Time // the last line
	told     bool      // the outage is in the log
	failures int       // since the outage began
}

// New makes a Log. The messages say what is away and what is done about it, and
// that it is back: "waiting for Redis", "Redis is there". A nil clock is time.Now.
func New(log *slog.Logger, clock func() time.Time, away, back string) *Log {
	if clock == nil {
		clock = time.Now
	}
	return &Log{log: log, clock: clock, away: away, back: back}
}

// Down takes a failed try. It logs a warning if this one is due, with the error,
// the failures since the outage began, and for how long it has gone on.
func (l *Log) Down(err error, attrs ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	if l.since.IsZero() {
		l.since, l.failures, l.told = now, 0, false
	}
	l.failures++
	quiet := again
	if !l.told {
		quiet = apart
	}
	if !l.said.IsZero() && now.Sub(l.said) < quiet {
		return
	}
	l.said, l.told = now, true
	attrs = append(attrs, "error", err)
	if l.failures > 1 {
		attrs = append(attrs, "failures", l.failures, "for", now.Sub(l.since).Round(time.Second))
	}
	l.log.Warn(l.away, attrs...) //nolint:sloglint // one message for each Log
}

// Up takes a try that succeeded. It logs the end of an outage that is in the log.
func (l *Log) Up(attrs ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		return
	}
	now := l.clock()
	if l.told {
		l.said = now
		l.log.Info(l.back, append(attrs, "after", now.Sub(l.since).Round(time.Millisecond), "failures", l.failures)...) //nolint:sloglint // as above
	}
	l.since = time.Time{}
}
