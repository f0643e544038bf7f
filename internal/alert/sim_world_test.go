package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
)

// ledger is what the evaluator and the courier need of a store.
type store interface {
	alert.Store
	alert.Outbox
}

// memoryStore is a store in memory, for a year in seconds. *meta.Store is the real one.
type memoryStore struct {
	mu      sync.Mutex
	project *weir.Project
	alerts  []*weir.Alert
	outbox  []*parcel // oldest first
	clock   weir.Clock
}

type parcel struct {
	weir.AlertDelivery
	due time.Time
}

func (s *memoryStore) Project(context.Context, string) (*weir.Project, error) { return s.project, nil }

func (s *memoryStore) ActiveAlerts(context.Context) ([]*weir.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*weir.Alert, len(s.alerts))
	for i, a := range s.alerts {
		b := *a
		all[i] = &b
	}
	return all, nil
}

func (s *memoryStore) Alert(_ context.Context, _, id string) (*weir.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		if a.ID == id {
			b := *a
			return &b, nil
		}
	}
	return nil, weir.Errorf(weir.ENOTFOUND, "no such alert")
}

func (s *memoryStore) StepAlert(_ context.Context, step *weir.AlertStep) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.alerts {
		if a.ID != step.AlertID {
			continue
		}
		if !a.Status.CheckedTo.Equal(step.Was) {
			return false, nil
		}
		a.Status = step.Status
		for _, m := range step.Messages {
			for _, c := range a.Channels {
				now := s.clock.Now()
				s.outbox = append(s.outbox, &parcel{weir.AlertDelivery{
					Key: m.ID + "." + c.ID, ProjectID: a.ProjectID, AlertID: a.ID, Channel: c, Message: m, CreatedAt: now,
				}, now})
			}
		}
	}
	return true, nil
}

func (s *memoryStore) TrimAlertHistory(context.Context, time.Time) error { return nil }

func (s *memoryStore) ClaimAlertDeliveries(_ context.Context, lease time.Duration, limit int) (due []weir.AlertDelivery, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	seen := map[string]bool{}
	for _, p := range s.outbox {
		first := !seen[p.Channel.ID]
		seen[p.Channel.ID] = true
		if first && (!p.due.After(now) || p.due.Sub(now) > 2*time.Hour) && len(due) < limit {
			due = append(due, p.AlertDelivery)
			p.due, p.Attempts = now.Add(lease), p.Attempts+1
		}
	}
	return due, nil
}

func (s *memoryStore) DropAlertDelivery(_ context.Context, d *weir.AlertDelivery, _ *weir.AlertEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.outbox {
		if p.Key == d.Key {
			s.outbox = append(s.outbox[:i:i], s.outbox[i+1:]...)
			return nil
		}
	}
	return nil
}

func (s *memoryStore) PutOffAlertDelivery(_ context.Context, key string, due time.Time, attempts int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.outbox {
		if p.Key == key {
			p.due, p.Attempts = due, attempts
		}
	}
	return nil
}

func (s *memoryStore) AlertBacklog(context.Context) (n int, oldest time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.outbox) > 0 {
		oldest = s.outbox[0].CreatedAt
	}
	return len(s.outbox), oldest, nil
}

// tallies are the counters by minute since the simulation's first, and who wrote them:
// a minute that two settings of the clock both showed is murky.
type simCounters struct {
	first   time.Time
	minutes []minuteCounts
	away    bool
}

type minuteCounts struct {
	good, bad int32
	era       int32 // 0 is none yet
	murky     bool
}

var errAway = errors.New("the hot tier is away")

func (c *simCounters) at(m time.Time) *minuteCounts {
	i := int(m.Sub(c.first) / time.Minute)
	if m.Before(c.first) || i >= len(c.minutes) {
		return &minuteCounts{}
	}
	return &c.minutes[i]
}

func (c *simCounters) add(m time.Time, era int32, good, bad int32) {
	t := c.at(m)
	t.murky = t.murky || t.era != 0 && t.era != era
	t.era, t.good, t.bad = era, t.good+good, t.bad+bad
}

// murky says whether a minute of [from, to) is.
func (c *simCounters) murky(from, to time.Time) bool {
	for ; from.Before(to); from = from.Add(time.Minute) {
		if c.at(from).murky {
			return true
		}
	}
	return false
}

func (c *simCounters) sum(from, to time.Time) (good, bad int64) {
	for ; from.Before(to); from = from.Add(time.Minute) {
		t := c.at(from)
		good, bad = good+int64(t.good), bad+int64(t.bad)
	}
	return good, bad
}

func (c *simCounters) Series(_ context.Context, _ string, _ hot.Grain, _ hot.Dimension, _ string, from, to time.Time) ([]hot.Point, error) {
	if c.away {
		return nil, errAway
	}
	good, bad := c.sum(from, to)
	return []hot.Point{{Start: from, Count: good + bad}}, nil
}

func (c *simCounters) Members(_ context.Context, _ string, _ hot.Grain, _ hot.Dimension, from, to time.Time, _ int) ([]hot.Member, error) {
	if c.away {
		return nil, errAway
	}
	good, bad := c.sum(from, to)
	return []hot.Member{{Name: "2xx", Count: good}, {Name: "5xx", Count: bad}}, nil
}

func (c *simCounters) Uniques(context.Context, string, hot.Grain, time.Time, time.Time) (int64, error) {
	return 0, errAway
}

func (c *simCounters) Inquire(context.Context, string, hot.Inquiry) (hot.Findings, error) {
	return hot.Findings{}, errAway
}

func (c *simCounters) Live(context.Context, string, time.Time) (int, error) { return 0, errAway }

// postbox is a webhook that is away at times, and notes what it got.
type postbox struct {
	mu   sync.Mutex
	away bool
	got  []string // keys
}

func (b *postbox) Send(_ context.Context, p deliver.Post) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return errors.New("the receiver is away")
	}
	b.got = append(b.got, p.Key)
	return nil
}

// process is one process of the simulated server.
type process struct {
	evaluator *alert.Evaluator
	courier   *alert.Courier
}

func (s *sim) newProcess() process {
	log, metrics := slog.New(slog.DiscardHandler), alert.NewMetrics(prometheus.NewRegistry())
	sender := &alert.Sender{Webhooks: s.box, Limiter: local.New(local.Options{Clock: s.clock}).Limiter, MailsPerHour: 60, Texts: alert.English()}
	return process{
		alert.NewEvaluator(alert.Config{
			Store: told{s.store, s}, Counters: s.counts, Clock: s.clock, Log: log, Metrics: metrics, Texts: sender.Texts,

			Behind: func() bool { return len(s.spill) > 0 },
			Once: func(context.Context, string, time.Duration) (bool, error) {
				if s.locksAway {
					return false, errAway
				}
				return true, nil
			},
		}),
		alert.NewCourier(told{s.store, s}, sender, s.clock, log, metrics, func() float64 { return 0 }),
	}
}

// told notes what an alert tells, and when it does by the true time.
type told struct {
	store
	s *sim
}

func (w told) StepAlert(ctx context.Context, step *weir.AlertStep) (bool, error) {
	ok, err := w.store.StepAlert(ctx, step)
	if ok && err == nil {
		w.s.telling.Lock()
		defer w.s.telling.Unlock()
		for _, m := range step.Messages {
			text, _ := json.Marshal(m.AlertReading)
			w.s.tells = append(w.s.tells, tell{w.s.now, step.AlertID, m, string(text)})
			w.s.posted = append(w.s.posted, w.s.now)
		}
	}
	return ok, err
}

type tell struct {
	at    time.Time
	alert string
	weir.AlertMessage
	reading string
}

func (t tell) String() string {
	return fmt.Sprintf("%s %s %s %d (it showed %s) %s", t.at.Format(time.DateTime), t.alert, t.Type, t.Incident, t.At.Format(time.DateTime), t.reading)
}

// newSim is a simulation with a project in a zone that sets its clock.
func newSim(t *testing.T, seed uint64, days int) *sim {
	t.Helper()
	s := &sim{t: t, random: rand.New(rand.NewPCG(seed, 0)), now: at("2026-02-20T00:00:00Z"), era: 1, box: &postbox{}}
	zones := []string{"UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"}
	project := &weir.Project{ID: "p", Name: "Shop", Timezone: zones[s.random.IntN(len(zones))]}
	if err := project.Resolve(); err != nil {
		t.Fatal(err)
	}
	first := s.now.AddDate(0, 0, -3)
	s.counts = &simCounters{first: first, minutes: make([]minuteCounts, (days+6)*1440)}
	for m := first; m.Before(s.now); m = m.Add(time.Minute) {
		s.counts.add(m, 1, 100, 0)
	}
	store := &memoryStore{project: project, clock: s.clock}
	for i, spec := range simSpecs() {
		spec.Channels[0].ID = fmt.Sprint("c", i)
		store.alerts = append(store.alerts, &weir.Alert{ID: spec.Name, ProjectID: project.ID, AlertSpec: spec, Status: weir.AlertStatus{State: weir.AlertOK}})
	}
	s.store = store
	return s
}

// murky says whether what an alert measured up to a time was of minutes that two
// settings of the clock showed, or of such as none did.
func (s *sim) murky(name string, from, to time.Time) bool {
	if name == "day" {
		day := 24 * time.Hour
		return s.counts.murky(from, to) || s.counts.murky(from.Add(-day-2*time.Hour), to.Add(-day+2*time.Hour))
	}
	return s.counts.murky(from, to)
}

// stepped says whether the clock was set between two times.
func (s *sim) stepped(from, to time.Time) bool {
	for _, at := range s.steps {
		if at.After(from) && at.Before(to) {
			return true
		}
	}
	return false
}
