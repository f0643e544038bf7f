package report_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/report"
)

// world is a cold tier, counters and a store that say what a test tells them to.
// Everything that happened is an event of a day.
type world struct {
	mu      sync.Mutex
	p       *weir.Project
	clock   weir.Clock
	today   func(context.Context) (time.Time, error)
	stored  map[weir.Date]int64 // events of the cold tier
	counted map[weir.Date]int64 // events of the counters
	calls   map[string]int64    // of each day, by API: in the cold tier
	members []hot.Member        // of each day: in the counters; nil is as calls
	dead    int64               // calls of each day that were refused
	asOf    func(asked time.Time) time.Time

	reports map[weir.Date]*weir.Report
	// elsewhere are the days with a report in a former timezone of the project.
	elsewhere map[weir.Date]bool
	times     map[string]string
	asked     []weir.Date // whose totals were asked for
	fails     map[string]error
	failDay   map[weir.Date]bool // days that cannot be computed
	saved     map[weir.Date]int  // how often each was stored
	before    func(what string)  // is called before each question

	log bytes.Buffer
	reg *prometheus.Registry
	r   *report.Reporter
}

func newWorld(t *testing.T, zoneName string) *world {
	t.Helper()
	w := &world{
		p:      &weir.Project{ID: "p", Timezone: zoneName},
		stored: map[weir.Date]int64{}, counted: map[weir.Date]int64{},
		reports: map[weir.Date]*weir.Report{}, times: map[string]string{}, fails: map[string]error{},
		failDay: map[weir.Date]bool{}, saved: map[weir.Date]int{},
		reg: prometheus.NewRegistry(),
	}
	if err := w.p.Resolve(); err != nil {
		t.Fatal(err)
	}
	w.p.CreatedAt = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	return w
}

// reporter is the one over the world.
func (w *world) reporter() *report.Reporter {
	if w.r == nil {
		w.r = w.another(w.reg)
	}
	return w.r
}

// another is a reporter of another node.
func (w *world) another(reg *prometheus.Registry) *report.Reporter {
	at, err := report.ParseAt("01:00")
	if err != nil {
		panic(err)
	}
	return report.New(report.Config{
		Store: w, Source: w, Counters: counters{w}, At: at, Clock: w.clock, Today: w.today, Registry: reg,
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
}

func (w *world) question(what string) error {
	if w.before != nil {
		w.before(what)
	}
	return w.fails[what]
}

// happens adds events to a day, in both tiers.
func (w *world) happens(d weir.Date, n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stored[d] += n
	w.counted[d] += n
}

func (w *world) day(from time.Time) weir.Date { return weir.DateOf(from, w.p.Location()) }

func (w *world) callsOfADay() (n int64) {
	for _, c := range w.calls {
		n += c
	}
	return n
}

// Flush implements report.Source.
func (w *world) Flush(context.Context) (time.Time, error) {
	now := w.clock.Now()
	if w.asOf != nil {
		return w.asOf(now), w.question("flush")
	}
	return now, w.question("flush")
}

// Totals implements report.Source.
func (w *world) Totals(_ context.Context, _ *weir.Project, from, _ time.Time) (weir.ReportTotals, error) {
	err := w.question("totals")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, w.day(from))
	if w.failDay[w.day(from)] {
		err = errors.New("a row that cannot be read")
	}
	return weir.ReportTotals{Events: w.stored[w.day(from)]}, err
}

// Calls implements report.Source.
func (w *world) Calls(context.Context, *weir.Project, time.Time, time.Time, int) (weir.ReportCalls, error) {
	var a weir.ReportCalls
	a.Calls = w.callsOfADay()
	for _, m := range hot.Ranked(w.calls, 0, 0) {
		a.ByAPI = append(a.ByAPI, weir.ReportAPI{API: &m.Name, CallFigures: weir.CallFigures{Calls: m.Count}})
	}
	return a, w.question("calls")
}

// Growth implements report.Source.
func (w *world) Growth(context.Context, *weir.Project, time.Time, time.Time) (weir.ReportGrowth, error) {
	return weir.ReportGrowth{}, w.question("growth")
}

// Visits implements report.Source.
func (w *world) Visits(context.Context, *weir.Project, time.Time, time.Time, int) (weir.ReportVisits, error) {
	return weir.ReportVisits{}, w.question("visits")
}

// Dead implements report.Source.
func (w *world) Dead(context.Context, *weir.Project, time.Time, time.Time) (events, calls int64, err error) {
	return w.dead, w.dead, w.question("dead")
}

// Events implements report.Source.
func (w *world) Events(context.Context, *weir.Project, time.Time, time.Time) (map[weir.Date]int64, error) {
	err := w.question("events")
	w.mu.Lock()
	defer w.mu.Unlock()
	days := map[weir.Date]int64{}
	maps.Copy(days, w.stored)
	return days, err
}

// counters are the world's.
type counters struct{ *world }

func (c counters) Series(_ context.Context, _ string, _ hot.Grain, d hot.Dimension, _ string, from, to time.Time) ([]hot.Point, error) {
	err := c.question("series")
	c.mu.Lock()
	defer c.mu.Unlock()
	var points []hot.Point
	for day, n := range c.counted {
		start := day.Begin(c.p.Location())
		if start.Before(from) || !start.Before(to) {
			continue
		}
		if d == hot.Calls {
			if n = c.callsOfADay(); c.members != nil {
				n = 0
				for _, m := range c.members {
					n += m.Count
				}
			}
		}
		points = append(points, hot.Point{Start: start, Count: n})
	}
	return points, err
}

func (c counters) Members(context.Context, string, hot.Grain, hot.Dimension, time.Time, time.Time, int) ([]hot.Member, error) {
	if c.members != nil {
		return c.members, c.question("members")
	}
	return hot.Ranked(c.calls, 0, 0), c.question("members")
}

func (c counters) Inquire(context.Context, string, hot.Inquiry) (hot.Findings, error) {
	return hot.Findings{}, nil
}

func (c counters) Uniques(context.Context, string, hot.Grain, time.Time, time.Time) (int64, error) {
	return 0, errors.New("nobody asks for this")
}

// Report implements report.Store.
func (w *world) Report(_ context.Context, _ string, d weir.Date) (*weir.Report, error) {
	if err := w.question("report"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.reports[d]
	if !ok {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no report of %s", d)
	}
	b := *a
	return &b, nil
}

// Reports implements report.Store.
func (w *world) Reports(ctx context.Context, id string, first, last weir.Date) ([]*weir.Report, error) {
	var all []*weir.Report
	for d := first; d <= last; d = d.Add(1) {
		if a, err := w.Report(ctx, id, d); err == nil {
			all = append(all, a)
		} else if weir.ErrorCode(err) != weir.ENOTFOUND {
			return nil, err
		}
	}
	return all, w.question("reports")
}

// ReportHeads implements report.Store.
func (w *world) ReportHeads(ctx context.Context, id string, first, last weir.Date) ([]weir.ReportHead, error) {
	all, err := w.Reports(ctx, id, first, last)
	var heads []weir.ReportHead
	for _, a := range all {
		h := a.Head()
		if w.elsewhere[h.Date] {
			h.Counted = weir.CountedElsewhere
		}
		heads = append(heads, h)
	}
	return heads, err
}

// SaveReport implements report.Store.
func (w *world) SaveReport(_ context.Context, a *weir.Report, after int) (bool, error) {
	if err := w.question("save"); err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.elsewhere, a.Date)
	b, ok := w.reports[a.Date]
	if after == 0 && ok || after > 0 && (!ok || b.Revision != after) {
		return false, nil
	}
	w.reports[a.Date] = a
	w.saved[a.Date]++
	return true, nil
}

// PruneReports implements report.Store.
func (w *world) PruneReports(_ context.Context, _ string, before weir.Date) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for d := range w.reports {
		if d < before {
			delete(w.reports, d)
		}
	}
	return w.question("prune")
}

// ReportTimes implements report.Store.
func (w *world) ReportTimes(context.Context) (map[string]string, error) {
	return w.times, w.question("times")
}

// ReportTime implements report.Store.
func (w *world) ReportTime(_ context.Context, id string) (string, error) {
	return w.times[id], w.question("times")
}

// SetReportTime implements report.Store.
func (w *world) SetReportTime(_ context.Context, id, at string) error {
	w.times[id] = at
	return w.question("set time")
}

// Projects implements report.Projects.
func (w *world) Projects(context.Context) ([]*weir.Project, error) {
	return []*weir.Project{w.p}, w.question("projects")
}

// metric is the value of a counter or gauge.
func (w *world) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
