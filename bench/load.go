package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how to load a server.
type Config struct {
	URL, Key string
	// Project and Token, if both are set, are for the query that measures the lag.
	Project, Token string

	Duration    time.Duration
	Connections int     // 1 to 4096
	Batch       int     // events a request
	Rate        float64 // events a second, open loop; 0 is closed loop
	Devices     int     // distinct devices at most
	Seed        int64   // of the events; the ids differ from run to run
	PIDs        []int   // processes of the server on this machine: its own, its Redis
}

// IsLoopback says whether an address is on this machine alone.
func IsLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.Unmap().IsLoopback()
}

func (c *Config) check() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("bench: %q is not an address such as http://127.0.0.1:8080", c.URL)
	case c.Key == "" || strings.ContainsAny(c.Key, "\r\n"):
		return nil, errors.New("bench: a write key is needed")
	case (c.Project == "") != (c.Token == ""):
		return nil, errors.New("bench: project and token go together")
	case c.Duration <= 0:
		return nil, errors.New("bench: the duration must be positive")
	case c.Connections < 1 || c.Connections > 4096:
		return nil, errors.New("bench: 1 to 4096 connections")
	case c.Batch < 1 || c.Batch > 10_000:
		return nil, errors.New("bench: 1 to 10000 events a request")
	case c.Rate < 0:
		return nil, errors.New("bench: the rate must not be negative")
	case c.Devices < 1:
		return nil, errors.New("bench: at least one device")
	}
	return u, nil
}

// Run loads the server for the duration and measures. When ctx is cancelled it
// ends early and reports on what was done. It fails when the server cannot be
// reached, refuses the key, or cannot be queried.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	target, err := cfg.check()
	if err != nil {
		return nil, err
	}
	visits, err := renderVisits(cfg.Seed)
	if err != nil {
		return nil, err
	}
	rep := newReport(cfg)
	start := time.Now()
	var asks *counter
	var before int64
	if cfg.Project != "" {
		asks = newCounter(target, cfg.Project, cfg.Token, start.Add(-time.Hour), start.Add(cfg.Duration+2*time.Hour))
		if before, err = asks.count(ctx); err != nil {
			return nil, err
		}
	}
	if err := rep.begin(cfg.PIDs); err != nil {
		return nil, err
	}
	own, ownErr := ReadProcess(os.Getpid())

	l := newLoad(cfg, target, visits)
	last, err := l.run(ctx)
	if err != nil {
		return nil, err
	}
	rep.sum(l, last)
	if ownErr == nil {
		if now, err := ReadProcess(os.Getpid()); err == nil {
			rep.GeneratorCPUSeconds = (now.CPU - own.CPU).Seconds()
		}
	}
	if asks != nil && ctx.Err() == nil {
		if rep.Lag, err = asks.lag(ctx, last, before, rep.Accepted); err != nil {
			return nil, err
		}
	}
	return rep, rep.finish()
}

// load is a run's connections.
type load struct {
	cfg     Config
	workers []*worker
	start   time.Time
	ticket  atomic.Int64 // open loop: requests handed out
	step    time.Duration
}

func newLoad(cfg Config, target *url.URL, visits [][]tmpl) *load {
	l := &load{cfg: cfg, start: time.Now()}
	if cfg.Rate > 0 {
		l.step = time.Duration(float64(cfg.Batch) / cfg.Rate * float64(time.Second))
	}
	for i := range cfg.Connections {
		l.workers = append(l.workers, &worker{
			load: l, conn: newConn(target, cfg.Key),
			gen:    newGenerator(visits, cfg.Seed, i, cfg.Connections, cfg.Devices, l.start),
			errors: map[string]int64{}, reasons: map[string]int64{},
		})
	}
	return l
}

// run drives all connections until the time is over, and returns when the last
// answer came.
func (l *load) run(ctx context.Context) (last time.Time, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l.start = time.Now()
	var wg sync.WaitGroup
	for _, w := range l.workers {
		wg.Go(func() {
			if err := w.run(ctx); err != nil {
				stop(err)
			}
		})
	}
	wg.Wait()
	if fatal, ok := errors.AsType[*fatalError](context.Cause(ctx)); ok {
		return time.Time{}, fatal
	}
	last = l.start
	for _, w := range l.workers {
		if w.last.After(last) {
			last = w.last
		}
	}
	return last, nil
}

// next returns when the next request is due; false when the time is over. In the
// closed loop that is at once.
func (l *load) next(ctx context.Context) (due time.Time, ok bool) {
	if ctx.Err() != nil {
		return time.Time{}, false
	}
	now := time.Now()
	end := l.start.Add(l.cfg.Duration)
	if l.step == 0 {
		return now, now.Before(end)
	}
	due = l.start.Add(time.Duration(l.ticket.Add(1)-1) * l.step)
	if !due.Before(end) || !now.Before(end.Add(requestTimeout)) {
		return due, false
	}
	if wait := due.Sub(now); wait > 0 && pause(ctx, wait) != nil {
		return due, false
	}
	return due, true
}

// fatalError ends the run: no request will do better.
type fatalError struct{ msg string }

func (e *fatalError) Error() string { return e.msg }
