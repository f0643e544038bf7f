package main

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/demo"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/process"
	"github.com/weir-analytics/weir/internal/retention"
	"golang.org/x/sync/errgroup"
)

// A stop has one deadline, less than the 10 s after which Docker kills.
const (
	requestsWithin = 5 * time.Second         // for the requests under way, while the drain goes on
	stopWithin     = 8 * time.Second         // for them and what they brought to be drained
	closeWithin    = 8700 * time.Millisecond // for the stores to be closed too
)

// run listens at once, opens the stores, and serves until ctx is done. Then it stops
// in order: no more requests, then no more events to drain, then the stores.
func (s *server) run(ctx context.Context, l net.Listener, stdout io.Writer) error {
	conns, err := s.conns()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	certificate, err := s.certificate()
	if err != nil {
		return errors.Join(err, l.Close())
	}
	front := &httpd.Front{Logger: s.log, Within: requestsWithin, Conns: conns, TLS: certificate}
	g, gctx := errgroup.WithContext(ctx)
	drained, closed := after(gctx, stopWithin), after(gctx, closeWithin)
	g.Go(func() error { return front.Run(gctx, l) })
	g.Go(func() error { return s.work(gctx, g, front, l.Addr(), stdout) })

	ended := make(chan error, 1)
	go func() {
		err := g.Wait()
		s.finish(drained)
		if err = errors.Join(err, s.close()); err == nil {
			s.log.Info("stopped")
		}
		ended <- err // nothing is logged after it: the log's writer may be closed
	}()
	select {
	case err := <-ended:
		return err
	case <-closed.Done():
		return errors.New("the stores did not close in time; what was accepted is on disk, and the next start goes on with it")
	}
}

// after returns a context that ends d after ctx does.
func after(ctx context.Context, d time.Duration) context.Context {
	late, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(d, end) })
	return late
}

// work opens the stores and starts, in g, what runs beside the requests.
func (s *server) work(ctx context.Context, g *errgroup.Group, front *httpd.Front, addr net.Addr, stdout io.Writer) error {
	s.log.Info("listening; opening the stores", "address", addr.String())
	if err := s.prepare(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	front.Pass(s.http)
	s.stopOverflows = s.keepOverflows(ctx)
	if s.spill != nil {
		g.Go(func() error {
			_ = s.spill.Run(ctx) // its only error is that it was stopped
			return nil
		})
	}
	if err := s.openStores(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	if s.drain != nil {
		// The drain goes on after the last request, so that its events are drained too.
		var draining context.Context
		draining, s.stopDrain = context.WithCancel(context.WithoutCancel(ctx))
		s.draining.Go(func() { _ = s.drain.Run(draining) }) // its only error is that it was stopped
	}
	if err := s.greet(ctx, addr, stdout); err != nil {
		return unlessStopped(ctx, err)
	}
	s.background(ctx, g)
	return nil
}

// unlessStopped returns the error of a start, and nil if the server was stopped meanwhile.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// background starts what runs until ctx is done.
func (s *server) background(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error { return s.feed.Run(ctx) })
	g.Go(func() error { return unlessStopped(ctx, s.http.Listen(ctx)) })
	g.Go(func() error { return process.KeepTrimmed(ctx, backend.TrimMalloc, s.trimStores, s.log) })
	if s.cmd.Cache != "" {
		g.Go(func() error { return unlessStopped(ctx, s.awaitCache(ctx)) })
	}
	if s.brake != nil {
		g.Go(func() error { return s.brake.Run(ctx) })
	}
	if s.cmd.has(roleJobs) {
		g.Go(func() error { return retention.DestroySalts(ctx, s.meta, s.once("salts"), s.log) })
		g.Go(func() error { return retention.TrimAudit(ctx, s.meta, s.cmd.AuditDays, s.once("audit"), s.log) })
	}
	if s.cmd.has(roleJobs) && s.cold != nil {
		g.Go(s.projectDeleter(ctx))
	}
	if s.retention != nil {
		g.Go(func() error { return s.retention.Run(ctx) })
		g.Go(func() error { return s.recounter.Run(ctx) })
	}
	if s.deletions != nil && s.cmd.has(roleJobs) {
		g.Go(func() error { return s.deletions.Run(ctx) })
	}
	if s.nightly != nil {
		g.Go(func() error { return s.nightly.Run(ctx) })
	}
	g.Go(func() error { return s.alerts.run(ctx) })
	if s.cmd.Demo {
		d := &demo.Demo{Meta: s.meta, Ingest: s.ingest, Log: s.log}
		g.Go(func() error { return d.Run(ctx) })
	}
	if s.cmd.PprofAddr != "" {
		g.Go(func() error { return servePprof(ctx, s.cmd.PprofAddr) })
	}
}

// finish drains the events that were accepted, until ctx is done, and stops the drain.
func (s *server) finish(ctx context.Context) {
	if s.stopOverflows != nil {
		s.stopOverflows()
	}
	if s.stopDrain == nil {
		return
	}
	if s.cmd.has(roleDrain) {
		s.log.Info("stopping: draining what was accepted")
		s.lastDrain(ctx)
	}
	s.stopDrain()
	s.draining.Wait()
}

func (s *server) lastDrain(ctx context.Context) {
	for {
		_, err := s.drain.Flush(ctx)
		if err == nil && s.cmd.hot.Shared {
			return // other nodes go on
		}
		left, behindErr := s.drain.Behind(ctx)
		if err == nil && behindErr == nil && left == 0 {
			return
		}
		if ctx.Err() != nil || err != nil {
			s.log.Warn("stopping with events that are not drained; the next start goes on with them", "events", left, "error", err)
			return
		}
	}
}

// waitFor sleeps for d, or until ctx is done.
func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
