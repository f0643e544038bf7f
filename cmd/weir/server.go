package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/stats"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/web"
)

// server is all parts of a running Weir, opened in the order in which they
// stand and closed in the other.
type server struct {
	cmd *serveCmd
	log *slog.Logger

	meta   *meta.Store
	cold   cold.Store
	hot    hot.Store
	enrich *enrich.Enricher

	drain  *drain.Drain
	ingest *ingest.Ingester
	feed   *feed
	http   *httpd.Server

	adminToken string // "" unless it was made just now
}

// open opens the stores and builds the parts on them.
func (c *serveCmd) open(ctx context.Context, log *slog.Logger) (*server, error) {
	s := &server{cmd: c, log: log}
	if err := s.openStores(ctx); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.build()
	return s, nil
}

func (s *server) openStores(ctx context.Context) (err error) {
	c := s.cmd
	if err := claimData(c.Data); err != nil {
		return err
	}
	// The hot tier first: its lock tells that another server is running.
	log, err := c.openHot(ctx, s.log)
	if err != nil {
		return err
	}
	s.hot = plant(log)
	if s.cold, err = c.openCold(s.log); err != nil {
		return err
	}
	if s.meta, err = c.openMeta(ctx); err != nil {
		return err
	}
	if s.adminToken, err = s.meta.EnsureAdminToken(ctx, c.AdminToken); err != nil {
		return err
	}
	s.enrich, err = enrich.New(enrich.Options{Country: c.GeoCountry, City: c.GeoCity})
	return err
}

func (s *server) build() {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := newMetrics(reg)

	hub := httpd.NewHub(256)
	s.feed = newFeed(hub, s.hot)
	s.drain = drain.New(s.hot, s.cold, drain.Options{
		Owner: "weir", Logger: s.log, Failed: m.drainFailed,
		Committed: func(c drain.Commit) { m.committed(c); s.feed.saved(c) },
	})
	insights := insight.New(m.timed(s.cold), s.drain, nil, insight.Options{})
	m.watch(reg, s.drain, insights, hub)
	s.ingest = ingest.New(ingest.Config{
		Log: s.hot, Salts: s.meta, Enrich: s.enrich, Feed: s.feed, Limits: wire.DefaultLimits(), Registry: reg,
	})
	s.http = httpd.New(httpd.Config{
		Directory: s.meta,
		Sessions:  s.meta.Sessions(),
		Ingest:    s.ingest,
		Stats:     stats.New(s.hot, nil),
		Insights:  insights,
		Live:      hub,
		UI:        web.Dist(),
		Metrics:   reg,
		Logger:    s.log,
		Version:   version,

		TrustedProxies: s.cmd.TrustedProxies,
		Checks: []httpd.Check{
			{Name: "meta", Probe: s.meta.Ping},
			{Name: "hot", Probe: func(ctx context.Context) error { _, err := s.hot.Head(ctx, 0); return err }},
			{Name: "cold", Probe: s.probeCold},
		},
	})
}

func (s *server) probeCold(ctx context.Context) error {
	rows, err := s.cold.Query(ctx, "SELECT 1")
	if err != nil {
		return err
	}
	defer rows.Close()
	return rows.Err()
}

// close closes what is open. Nothing may use it any more.
func (s *server) close() error {
	var errs []error
	if s.hot != nil {
		errs = append(errs, s.hot.Close())
	}
	if s.cold != nil {
		errs = append(errs, s.cold.Close())
	}
	if s.meta != nil {
		errs = append(errs, s.meta.Close())
	}
	if s.enrich != nil {
		errs = append(errs, s.enrich.Close())
	}
	return errors.Join(errs...)
}

// greet tells where the server is, and the admin token when it was made now.
func (s *server) greet(ctx context.Context, addr net.Addr, stdout io.Writer) error {
	url := "http://" + addr.String()
	fmt.Fprintf(stdout, "Weir %s is at %s\n", version, url)
	if s.adminToken != "" {
		fmt.Fprintf(stdout, "Admin token, shown this once: %s\n", s.adminToken)
	}
	if s.cmd.Demo {
		return s.greetDemo(ctx, url, stdout)
	}
	setup, err := s.meta.SetupRequired(ctx)
	if err != nil {
		return err
	}
	if setup {
		fmt.Fprintf(stdout, "Open it to create the owner's account.\n")
	}
	return nil
}
