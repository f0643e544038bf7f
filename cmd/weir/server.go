package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/datadir"
	"github.com/weir-analytics/weir/internal/deletion"
	"github.com/weir-analytics/weir/internal/demo"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/recount"
	"github.com/weir-analytics/weir/internal/report"
	"github.com/weir-analytics/weir/internal/retention"
	"github.com/weir-analytics/weir/internal/spill"
	"github.com/weir-analytics/weir/internal/stats"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/protocols"
	"github.com/weir-analytics/weir/web"
)

// server is all parts of a running Weir. They are opened in the order of the fields, and
// closed in the opposite order.
type server struct {
	cmd   *serveCmd
	log   *slog.Logger
	node  string // its name among the nodes
	clock weir.Clock
	reg   *prometheus.Registry

	shared  shared
	answers *local.Cache // that are kept in this process
	meta    *meta.Store
	cold    cold.Store // nil unless the node drains or answers
	hot     hot.Store
	tier    *backend.HotTier // of hot
	enrich  *enrich.Enricher
	spill   *spill.Spillway // nil unless asked for
	closes  []func() error  // of what is under the stores, in the order of opening

	coldMemory func(ctx context.Context) (used, spilled int64, err error) // nil unless cold is in this process
	trimStores []func(ctx context.Context) error                          // of those in this process

	// late are parts that are used before they are there.
	late struct {
		hot     lateHot
		feed    lateFeed
		limiter lateLimiter
		brake   lateBrake
		cache   lateCache
	}
	coldOpen chan struct{} // closed when cold is set

	drain         *drain.Drain // nil unless the node drains or answers
	draining      sync.WaitGroup
	stopDrain     func() // nil until the drain runs
	stopOverflows func() // nil like it
	feed          *live.Feed
	http          *httpd.Server

	ingest    *ingest.Ingester  // nil unless the node takes events
	bodies    *wire.Budget      // of requests with events
	overflows *ingest.Overflows // what it does not take
	brake     *drain.Brake      // nil like ingest

	alerts *alerting

	retention *retention.Retention // nil unless the node does scheduled work and has the cold tier open
	recounter *recount.Recounter   // nil like retention

	reports *report.Reporter
	// deletions is nil unless the node answers.
	deletions *deletion.Deletions

	nightly *report.Scheduler // nil like retention

	adminToken string // "" unless it was made just now
	unowned    bool   // nobody has an account
	setupCode  string // lets its holder make the owner's account; "" is none
	deviceKey  []byte // signs the cookies of browsers that signed in before
	demoLogin  string // how to sign in to the demo
}

// open opens the stores and builds the parts that use them.
func (c *serveCmd) open(ctx context.Context, log *slog.Logger) (*server, error) {
	s := c.server(log)
	err := s.prepare(ctx)
	if err == nil {
		err = s.openStores(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (c *serveCmd) server(log *slog.Logger) *server {
	s := &server{cmd: c, log: log, reg: prometheus.NewRegistry(), clock: systemClock(), coldOpen: make(chan struct{})}
	s.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// prepare opens what is on this machine, and the store of users, projects and keys, for which it
// waits if that is a server. It builds the parts that receive events.
func (s *server) prepare(ctx context.Context) (err error) {
	c := s.cmd
	if err := datadir.Check(c.Data, version); err != nil {
		return err
	}
	datadir.MakePrivate(c.Data, c.storePaths(), s.log)
	// Before the stores are opened: a second server gets this error, not that of a busy store.
	dir, err := datadir.Claim(c.Data)
	if err != nil {
		return err
	}
	s.onClose(dir.Close)
	s.node = dir.Node
	if err := s.openMeta(ctx); err != nil {
		return err
	}
	if s.enrich, err = enrich.New(enrich.Options{Country: c.GeoCountry, City: c.GeoCity}); err != nil {
		return err
	}
	if err := s.openSpill(ctx); err != nil {
		return err
	}
	s.buildIntake()
	return nil
}

// openStores opens the other stores, waits for servers that are unavailable, and builds the
// other parts.
func (s *server) openStores(ctx context.Context) (err error) {
	// A file is opened before a server is waited for.
	if !s.cmd.cold.Shared {
		if err = s.openColdTier(ctx); err != nil {
			return err
		}
	}
	if err = s.openHot(ctx); err != nil {
		return err
	}
	if s.cmd.hot.Shared {
		if err := s.joinFleet(ctx); err != nil {
			return err
		}
	}
	if err := s.bindHot(ctx); err != nil {
		return err
	}
	if s.cmd.hot.Shared {
		s.late.limiter.set(s.shared.limiter)
		s.late.hot.set(s.hot) // events need not wait for the cold tier
	}
	if s.cmd.Cache != "" {
		s.shared.cache, s.shared.cacheLocks = &s.late.cache, &s.late.cache
	}
	if s.cmd.cold.Shared {
		if err = s.openColdTier(ctx); err != nil {
			return err
		}
	}
	if s.cold != nil {
		if err = s.pair().Check(ctx); err != nil {
			return err
		}
	}
	if err = s.ensureAdminToken(ctx); err != nil {
		return err
	}
	if err = s.prepareSignIn(ctx); err != nil {
		return err
	}
	s.build()
	s.late.hot.set(s.hot)
	return nil
}

func (s *server) openColdTier(ctx context.Context) error {
	if !s.cmd.usesCold() {
		return nil
	}
	t, err := s.cmd.cold.Open(ctx, backend.ColdOptions{Wait: backend.Forever, Memory: int64(s.cmd.parts.Cold), Logger: s.log})
	if err != nil {
		return fmt.Errorf("--cold: %w", err)
	}
	s.cold, s.coldMemory = t.Store, t.Memory
	if t.Trim != nil {
		s.trimStores = append(s.trimStores, t.Trim)
	}
	close(s.coldOpen)
	return nil
}

// pair returns the check that the two tiers fit together.
func (s *server) pair() drain.Pair {
	return drain.Pair{
		Hot: s.hot, Cold: s.cold, Clock: s.clock, Logger: s.log,
		Lags: s.cmd.cold.Lags, BatchesKept: s.cmd.cold.BatchesKept, Accept: s.cmd.AcceptMismatch,
		Advice: ". Restore both from copies of one moment. Or begin a new log: " + s.cmd.hot.Renew +
			". Or start once with --accept-mismatch to go on as it is: what is missing stays missing, and what is delivered again counts twice",
	}
}

func (s *server) ensureAdminToken(ctx context.Context) (err error) {
	var replaced bool
	if s.adminToken, replaced, err = s.meta.EnsureAdminToken(ctx, s.cmd.AdminToken); replaced {
		s.log.Warn("the admin token of the data folder was replaced by the one of --admin-token or WEIR_ADMIN_TOKEN: the former one is not valid any more")
	}
	return err
}

// onClose adds f to what close calls.
func (s *server) onClose(f func() error) { s.closes = append(s.closes, f) }

func (s *server) build() {
	drains, queries := drain.NewMetrics(s.reg), insight.NewMetrics(s.reg)
	s.feed = live.New(live.Options{Presence: s.hot, Bus: s.shared.bus, Node: s.node, Clock: s.clock, Registry: s.reg})
	if c := s.tier.Collector; c != nil {
		s.reg.MustRegister(c)
	}

	var answers httpd.Insights = missingRole{s.cmd.Roles}
	var engine *insight.Engine // nil unless the node answers
	var people httpd.Profiles = missingRole{s.cmd.Roles}
	var deletes httpd.Deletions = missingRole{s.cmd.Roles}
	if s.cmd.usesCold() {
		s.drain = drain.New(s.hot, s.cold, drain.Options{
			Owner: s.node, ReadOnly: !s.cmd.has(roleDrain), Roster: s.shared.roster, Bus: s.shared.bus,
			Clock: s.clock, Logger: s.log, Failed: drains.Failed,
			Committed: func(c drain.Commit) { drains.Committed(c); s.feed.Saved(c) },
			Memory:    int64(s.cmd.parts.Batches), StateBytes: int64(s.cmd.parts.Visits),
		})
		drains.WatchDrain(s.drain)
	}
	if s.cmd.has(roleQuery) {
		e := insight.New(queries.Timed(s.cold), s.drain, s.clock, insight.Options{Actions: s.meta, Cache: s.shared.cache, Locks: s.shared.cacheLocks, Memory: int64(s.cmd.parts.Answers)})
		queries.WatchCache(e)
		answers, engine, people = e, e, insight.Profiles{Engine: e, Cold: s.cold, Hot: s.hot, Locks: s.shared.locks}
	}
	if engine != nil {
		s.deletions = s.newDeletions(engine)
		deletes = s.deletions
	}
	s.watchMemory(engine)
	s.alerts = s.newAlerting(engine)
	if s.cmd.has(roleJobs) && s.cold != nil {
		s.retention = retention.New(s.meta, s.cold, s.once("retention"), s.log, s.reg)
		s.recounter = recount.New(recount.Config{
			Meta: s.meta, Hot: s.hot, Cold: s.cold, Barrier: s.drain, Locks: s.shared.locks, Owner: s.node + " recount", Clock: s.clock, Logger: s.log,
		})
	}
	s.buildReports(queries.Timed(s.cold))
	if s.cmd.has(roleIngest) {
		s.brake = drain.NewBrake(s.hot, drain.DefaultBacklog, s.log)
		drains.WatchBrake(s.brake)
		s.late.brake.set(s.brake)
	}
	s.late.feed.set(s.feed)
	s.http.Open(func(c *httpd.Config) {
		c.Limiter, c.Bus = s.shared.limiter, s.shared.bus
		c.Usage, c.Stats, c.Insights, c.Reports = s.usage(), stats.New(s.hot, s.clock), answers, s.reports
		c.Alerts, c.Profiles, c.Live, c.Deletions = s.alerts.rules, people, s.feed, deletes
		c.SetupCode, c.DeviceKey = s.setupCode, s.deviceKey
		c.Status = s.status
	})
}

// buildIntake builds what receives events, and an HTTP server that serves nothing else yet.
func (s *server) buildIntake() {
	limiter := s.limiter()
	missing := missingRole{s.cmd.Roles}
	var takes receive.Ingester = missing
	s.bodies = wire.ClosedBudget(missing.err("take events"))
	if s.cmd.has(roleIngest) {
		var log ingest.Log = &s.late.hot
		if s.spill != nil {
			log = s.spill
		}
		s.ingest = ingest.New(ingest.Config{
			Log: log, Salts: s.meta, Enrich: s.enrich, Clock: s.clock, Feed: &s.late.feed, Registry: s.reg,
			Limiter: limiter, LimitKey: s.cmd.LimitKey, Quotas: ingest.NewQuotas(&s.late.hot, s.clock, s.log, s.reg), Overflows: s.overflows,
			Brake: &s.late.brake,
		})
		takes, s.bodies = s.ingest, wire.NewBudget(int64(s.cmd.parts.Bodies))
	}
	s.http = httpd.New(httpd.Config{
		Opening:   true,
		Directory: s.meta,
		Ingest:    takes,
		Protocols: protocols.All(s.cmd.OTLPConsumers),
		Budget:    s.bodies,
		UI:        web.Dist(),
		Metrics:   s.reg,
		Logger:    s.log,
		Clock:     s.clock,
		Version:   version,

		RateLimiter:    limiter,
		LimitIP:        s.cmd.LimitIP,
		TrustedProxies: s.cmd.TrustedProxies,
		AuditAddress:   s.cmd.AuditAddress,
		PublicURL:      s.cmd.PublicURL,
		AnyHost:        s.cmd.anyHost(),
		OpenMetrics:    s.cmd.OpenMetrics || loopback(s.cmd.Listen) && s.cmd.PublicURL == nil,
		Checks:         s.checks(),
		Place:          s.place,
		Mail:           s.mailer(),
	})
}

// checks returns the checks of /readyz: of the parts without which the node is not ready.
func (s *server) checks() []httpd.Check {
	checks := []httpd.Check{{Name: "disk", Probe: s.checkDisk}}
	// A node takes events for the keys that it has read while PostgreSQL is away: it must not be taken out for that.
	if !s.cmd.meta.Shared || !s.cmd.has(roleIngest) {
		checks = append(checks, httpd.Check{Name: "meta", Probe: s.meta.Ping})
	}
	if s.spill == nil {
		checks = append(checks, httpd.Check{Name: "hot", Probe: s.late.hot.probe})
	}
	// A node takes events while ClickHouse is away: it must not be taken out for that.
	if s.cmd.usesCold() && (!s.cmd.cold.Shared || !s.cmd.has(roleIngest)) {
		checks = append(checks, httpd.Check{Name: "cold", Probe: s.probeCold})
	}
	return checks
}

func (s *server) checkDisk(context.Context) error {
	return datadir.CheckSpace(s.cmd.folders(), s.cmd.MinFree<<20)
}

// once returns a function that says whether this node may do the scheduled work of the name
// now: one node at a time may.
func (s *server) once(name string) func(ctx context.Context, ttl time.Duration) (bool, error) {
	return func(ctx context.Context, ttl time.Duration) (bool, error) {
		return s.shared.locks.Acquire(ctx, name, s.node, ttl)
	}
}

func (s *server) probeCold(ctx context.Context) error {
	select {
	case <-s.coldOpen:
	default:
		return errors.New("the cold tier is not open yet")
	}
	if p, ok := s.cold.(interface {
		Ping(ctx context.Context) error
	}); ok {
		return p.Ping(ctx) // a query may wait for other questions
	}
	rows, err := s.cold.Query(ctx, "SELECT 1")
	if err != nil {
		return err
	}
	defer rows.Close()
	return rows.Err()
}

// close closes everything that was opened. Nothing may use it afterwards.
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
	for _, f := range slices.Backward(s.closes) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// greet prints the address of the server, and the admin token if it was made at this start.
func (s *server) greet(ctx context.Context, addr net.Addr, stdout io.Writer) error {
	url := s.cmd.scheme() + addr.String()
	fmt.Fprintf(stdout, "Weir %s is at %s\n", version, url)
	if s.adminToken != "" {
		fmt.Fprintf(stdout, "Admin token, shown this once: %s\n", s.adminToken)
	}
	if len(s.cmd.Roles) < len(allRoles) {
		fmt.Fprintf(stdout, "Roles: %s\n", strings.Join(s.cmd.Roles, ", "))
	}
	s.warnOfExposure()
	if s.cmd.Demo {
		demo.Greet(stdout, s.address(addr), s.demoLogin)
		return nil
	}
	s.greetOwner(s.address(addr), stdout)
	return nil
}
