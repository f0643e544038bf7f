package pebble

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// logger passes Pebble's messages on. Pebble calls Fatalf when its log cannot
// be written: the process must end, since nothing may be acknowledged any more;
// what was acknowledged is on disk.
//
// Pebble tries again at once what has failed, thousands of times a second when
// the process is at its limit of open files. So of the errors of one kind one a
// second is logged, with the number of those that were not.
type logger struct {
	log *slog.Logger

	mu     sync.Mutex
	errors map[string]*repeated // by format; Pebble has some dozen
}

// repeated is an error that was logged less than logEvery ago.
type repeated struct {
	more int    // times since then
	last string // of them
}

const logEvery = time.Second

func newLogger(log *slog.Logger) *logger { return &logger{log: log, errors: map[string]*repeated{}} }

func (l *logger) Infof(format string, args ...any) {
	l.log.Debug("hot tier", "pebble", fmt.Sprintf(format, args...))
}

func (l *logger) Errorf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.errors[format]; r != nil {
		r.more++
		r.last = text
		return
	}
	l.errors[format] = &repeated{}
	l.log.Error("hot tier", "pebble", text)
	time.AfterFunc(logEvery, func() { l.again(format) })
}

// again logs what has come since the last line, and goes on while more comes.
func (l *logger) again(format string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.errors[format]
	if r.more == 0 {
		delete(l.errors, format)
		return
	}
	l.log.Error("hot tier", "pebble", r.last, "times", r.more)
	*r = repeated{}
	time.AfterFunc(logEvery, func() { l.again(format) })
}

func (l *logger) Fatalf(format string, args ...any) {
	l.log.Error("hot tier cannot write its log; ending to keep what was acknowledged", "error", fmt.Sprintf(format, args...))
	os.Exit(74) // EX_IOERR
}
