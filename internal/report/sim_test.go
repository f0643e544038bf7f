package report_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

// sim simulates the reports of a project, minute by minute: a clock that is wrong at
// times, stops, a cold tier that is away, days that cannot be computed, events that come
// late, and imports of a past before the project.
type sim struct {
	*world
	t      *testing.T
	random *rand.Rand
	now    time.Time     // the true time
	skew   time.Duration // of the server's clock

	up        bool
	scheduler *report.Scheduler
	disturbed time.Time               // when something was last not as it should be
	changed   map[weir.Date]time.Time // when events last came in for a day, or it failed
	changes   map[weir.Date]int
	steps     int // of the clock
	log       []string
}

func (s *sim) note(format string, args ...any) {
	s.log = append(s.log, s.now.Format(time.DateTime)+" "+fmt.Sprintf(format, args...))
}

func (s *sim) span(from, to time.Duration) time.Duration {
	d := float64(from) * math.Pow(float64(to)/float64(from), s.random.Float64())
	return time.Duration(d).Truncate(time.Minute)
}

func (s *sim) happen(d weir.Date, n int64) {
	s.happens(d, n)
	s.changed[d] = s.now
	s.changes[d]++
}

type fault struct {
	name          string
	every         time.Duration // about
	least, most   time.Duration // it lasts
	begin, finish func()

	begins, ends time.Time
	on           bool
}

func (s *sim) faults() []*fault {
	var failing weir.Date
	skews := []time.Duration{24 * time.Hour, 25 * time.Hour, 240 * time.Hour, time.Hour, -time.Hour, -24 * time.Hour, -100 * time.Hour, 2 * time.Minute}
	return []*fault{
		{name: "stop", every: 6 * 24 * time.Hour, least: time.Minute, most: 12 * 24 * time.Hour, begin: func() { s.up = false }, finish: func() {
			s.up, s.scheduler = true, report.NewScheduler(s.r, s.world, always)
		}},
		{name: "clock", every: 5 * 24 * time.Hour, least: time.Minute, most: 12 * time.Hour, begin: func() {
			s.skew = skews[s.random.IntN(len(skews))]
			s.steps++
			s.note("skew %v", s.skew)
		}, finish: func() { s.skew = 0 }},
		{name: "cold tier", every: 6 * 24 * time.Hour, least: time.Minute, most: 30 * time.Hour, begin: func() {
			s.fails["totals"], s.fails["events"] = errors.New("away"), errors.New("away")
		}, finish: func() { delete(s.fails, "totals"); delete(s.fails, "events") }},
		{name: "day", every: 6 * 24 * time.Hour, least: time.Hour, most: 20 * 24 * time.Hour, begin: func() {
			failing = s.today().Add(-s.random.IntN(10))
			s.failDay[failing] = true
			s.note("%s cannot be computed", failing)
		}, finish: func() { delete(s.failDay, failing); s.changed[failing] = s.now }},
		{name: "late", every: 2 * 24 * time.Hour, least: time.Minute, most: time.Hour, begin: func() {
			s.happen(s.today().Add(-1-s.random.IntN(20)), 1+s.random.Int64N(5))
		}, finish: func() {}},
		{name: "import", every: 20 * 24 * time.Hour, least: time.Minute, most: time.Hour, begin: func() {
			for range 5 {
				s.happen(s.today().Add(-1-s.random.IntN(30)), 7)
			}
		}, finish: func() {}},
	}
}

// today is the true one.
func (s *sim) today() weir.Date { return weir.DateOf(s.now, s.p.Location()) }

func (s *sim) run(until time.Time) {
	all := s.faults()
	for _, f := range all {
		f.begins = s.now.Add(s.span(time.Hour, f.every))
	}
	for ; s.now.Before(until); s.now = s.now.Add(time.Minute) {
		for _, f := range all {
			switch {
			case f.on && !s.now.Before(f.ends):
				f.on, f.begins = false, s.now.Add(time.Hour+s.span(time.Hour, 2*f.every))
				s.note("%s is over", f.name)
				f.finish()
				s.disturbed = s.now
			case !f.on && !s.now.Before(f.begins):
				f.on, f.ends = true, s.now.Add(s.span(f.least, f.most))
				s.note("%s until %s", f.name, f.ends.Format(time.DateTime))
				f.begin()
			}
		}
		if s.random.IntN(180) == 0 {
			s.happen(weir.DateOf(s.clock(), s.p.Location()), 1+s.random.Int64N(50))
		}
		if !s.up || s.skew != 0 || s.fails["totals"] != nil {
			s.disturbed = s.now
		}
		if s.up {
			s.scheduler.Look(s.t.Context())
		}
		if s.now.Minute() == 0 && s.now.Sub(s.disturbed) > 3*time.Hour {
			s.compare()
		}
	}
}

// compare sets the reports against what happened.
func (s *sim) compare() {
	today := s.today()
	loc := s.p.Location()
	last := today.Add(-1)
	if s.now.Before(last.Add(1).At(2*time.Hour, loc)) {
		last = last.Add(-1) // may not be due yet
	}
	made := weir.DateOf(s.p.CreatedAt, loc)
	for d := last.Add(-30); d <= last; d = d.Add(1) {
		if d < made && s.stored[d] == 0 || s.failDay[d] || s.now.Sub(s.changed[d]) < 3*time.Hour {
			continue
		}
		if from, to := d.Span(loc); !from.Before(to) {
			continue
		}
		if a := s.reports[d]; a == nil {
			s.fail("%s has no report", d)
		} else if a.Totals.Events != s.stored[d] {
			s.fail("the report of %s has %d events, there are %d", d, a.Totals.Events, s.stored[d])
		}
		if most := 1 + s.changes[d] + 3*s.steps; s.saved[d] > most {
			s.fail("%s was stored %d times, %d were enough", d, s.saved[d], most)
		}
	}
	days, err := s.r.Days(s.t.Context(), s.p, today, today.Add(20))
	if err != nil {
		s.fail("%v", err)
	}
	for a, err := range days {
		if err != nil {
			s.fail("%v", err)
		}
		s.fail("%s is not over and has a report, of %d events", a.Date, a.Totals.Events)
	}
	if _, err := s.r.Daily(s.t.Context(), s.p, today); weir.ErrorCode(err) != weir.ENOTFOUND {
		s.fail("%s is not over and has a report: %v", today, err)
	}
}

func (s *sim) fail(format string, args ...any) {
	s.t.Helper()
	for _, l := range s.log[max(len(s.log)-25, 0):] {
		s.t.Log(l)
	}
	s.t.Fatalf("%s, at %s: %s", s.p.Timezone, s.now.Format(time.DateTime), fmt.Sprintf(format, args...))
}

func TestAYearOfReportsHasEachDayOnce(t *testing.T) {
	seed, days := uint64(time.Now().UnixNano()), 60
	if n, err := strconv.ParseUint(os.Getenv("WEIR_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("WEIR_TEST_SEED=%d", seed)
	zones := []string{"UTC", "America/New_York", "Asia/Kolkata", "Europe/Lisbon", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"}
	if os.Getenv("WEIR_TEST_LONG") != "" {
		days = 365
	} else {
		zones = zones[seed%uint64(len(zones)):][:1]
	}
	for i, zone := range zones {
		s := &sim{
			world: newWorld(t, zone), t: t, random: rand.New(rand.NewPCG(seed, uint64(i))),
			now: time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC), changed: map[weir.Date]time.Time{}, changes: map[weir.Date]int{},
		}
		s.madeOn("2026-01-08")
		s.clock = func() time.Time { return s.now.Add(s.skew) }
		at, err := report.ParseAt("01:00")
		if err != nil {
			t.Fatal(err)
		}
		s.r = report.New(report.Config{
			Store: s.world, Source: s.world, Counters: counters{s.world}, At: at, Clock: s.clock, Registry: prometheus.NewRegistry(),
			Logger: slog.New(slog.DiscardHandler),
		})
		s.up, s.scheduler = true, report.NewScheduler(s.r, s.world, always)
		s.run(s.now.AddDate(0, 0, days))
	}
}
