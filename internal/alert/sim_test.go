package alert_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

const tick = 15 * time.Second

// sim simulates a server and its surroundings, tick by tick: a clock that is wrong at
// times, stops, outages of the hot tier with a spill, senders that keep what nobody
// took, a receiver that is away, late events, and incidents that alerts have to tell of.
type sim struct {
	t      *testing.T
	random *rand.Rand
	now    time.Time     // the true time
	skew   time.Duration // of the server's clock
	era    int32         // one more with each step of the clock

	store  store
	counts *simCounters
	box    *postbox

	process
	up        bool
	nextPass  time.Time // true time
	locksAway bool      // as the hot tier, when both are one Redis

	kept      []batch // by senders, while the server is down
	keptTicks int     // in which they send it
	spill     []batch // by the server, while the hot tier is away
	spillTick int

	failing, silent *incident // under way
	incidents       []*incident
	telling         sync.Mutex // held to append to the next two: alerts are checked at the same time
	tells           []tell
	posted          []time.Time
	disturbed       time.Time // when something was last not as it should be
	boxBack         time.Time // when delivery was last not possible, or the clock wrong

	steps      []time.Time          // when the clock was set
	begin, end map[string]time.Time // of faults
	log        []string
}

type batch struct {
	minute    time.Time
	era       int32
	good, bad int32
}

// incident is a time in which all calls fail, or there are none.
type incident struct {
	kind     string
	from, to time.Time
	seen     bool // for long enough, without any disturbance: has to be told
	calm     bool // the time before it was calm: a drop has to be told
}

func (s *sim) clock() time.Time { return s.now.Add(s.skew) }

func (s *sim) note(format string, args ...any) {
	s.log = append(s.log, s.now.Format(time.DateTime)+" "+fmt.Sprintf(format, args...))
}

// span is a duration between two, short ones as probable as long ones.
func (s *sim) span(from, to time.Duration) time.Duration {
	d := float64(from) * math.Pow(float64(to)/float64(from), s.random.Float64())
	return time.Duration(d).Truncate(tick)
}

// fault is one that comes every so often; begin and end are called when it does.
type fault struct {
	name          string
	every         time.Duration // about
	least, most   time.Duration // it lasts
	begin, finish func()
}

func (s *sim) faults() []fault {
	return []fault{
		{"stop", 3 * 24 * time.Hour, time.Minute, 3 * 24 * time.Hour, func() { s.up = false }, func() {
			s.up, s.process, s.keptTicks = true, s.newProcess(), 1+s.random.IntN(14)
			s.schedule()
		}},
		{"hot tier", 4 * 24 * time.Hour, 15 * time.Second, 6 * time.Hour, func() {
			s.counts.away, s.locksAway = true, s.random.IntN(2) == 0
		}, func() { s.counts.away, s.locksAway, s.spillTick = false, false, 1+s.random.IntN(40) }},
		{"clock", 4 * 24 * time.Hour, time.Minute, 12 * time.Hour, func() {
			steps := []time.Duration{24 * time.Hour, 24 * time.Hour, 25 * time.Hour, time.Hour, -time.Hour, -24 * time.Hour, 10 * time.Minute, -10 * time.Minute, 3 * time.Minute, -3 * time.Minute}
			s.skew, s.era = steps[s.random.IntN(len(steps))], s.era+1
			s.steps = append(s.steps, s.now)
			s.note("skew %v", s.skew)
		}, func() { s.skew, s.era, s.steps = 0, s.era+1, append(s.steps, s.now) }},
		{"receiver", 3 * 24 * time.Hour, time.Minute, 10 * time.Hour, func() { s.box.away = true }, func() { s.box.away = false }},
		{"failing", 36 * time.Hour, 30 * time.Minute, 6 * time.Hour, func() { s.failing = s.incident("failing") }, func() {
			s.failing.to, s.failing = s.now, nil
		}},
		{"silent", 48 * time.Hour, 30 * time.Minute, 3 * time.Hour, func() { s.silent = s.incident("silent") }, func() {
			s.silent.to, s.silent = s.now, nil
		}},
	}
}

func (s *sim) incident(kind string) *incident {
	i := &incident{kind: kind, from: s.now, to: s.now.Add(1000 * time.Hour), calm: s.now.Sub(s.disturbed) > 30*time.Minute}
	s.incidents = append(s.incidents, i)
	return i
}

// schedule makes the next pass due as Run does: timers do not follow the clock.
func (s *sim) schedule() {
	c := s.clock()
	s.nextPass = s.now.Add(c.Add(-15 * time.Second).Truncate(time.Minute).Add(75 * time.Second).Sub(c))
}

// run simulates until a time, after which the last hours bring no new faults.
func (s *sim) run(until time.Time) {
	s.begin, s.end = map[string]time.Time{}, map[string]time.Time{}
	all := s.faults()
	for _, f := range all {
		s.begin[f.name] = s.now.Add(6*time.Hour + s.span(time.Hour, f.every))
	}
	s.up, s.process = true, s.newProcess()
	s.schedule()
	for ; s.now.Before(until); s.now = s.now.Add(tick) {
		for _, f := range all {
			if end, on := s.end[f.name]; on && !s.now.Before(end) {
				delete(s.end, f.name)
				s.begin[f.name] = s.now.Add(90*time.Minute + s.span(time.Hour, 2*f.every))
				s.note("%s is over", f.name)
				f.finish()
				s.disturbed = s.now
			} else if begin := s.begin[f.name]; !on && !s.now.Before(begin) && s.now.Before(until.Add(-48*time.Hour)) {
				if f.name == "failing" && s.silent != nil || f.name == "silent" && s.failing != nil {
					continue
				}
				s.end[f.name] = s.now.Add(s.span(f.least, f.most))
				s.note("%s until %s", f.name, s.end[f.name].Format(time.DateTime))
				f.begin()
				if f.name != "failing" && f.name != "silent" {
					s.disturbed = s.now
				}
			}
		}
		s.traffic()
		s.serve()
		s.look()
	}
}

// traffic is what senders bring in a tick: what is new, late, or was kept.
func (s *sim) traffic() {
	b := batch{minute: s.clock().Truncate(time.Minute), era: s.era, good: 24 + s.random.Int32N(3)}
	switch {
	case s.silent != nil:
		b.good = 0
	case s.failing != nil:
		b.good, b.bad = 0, b.good
	case s.random.IntN(50) == 0: // late, of hours ago
		s.counts.add(b.minute.Add(-time.Duration(2+s.random.IntN(20))*time.Hour), s.era, 1, 0)
	}
	if !s.up {
		s.kept = append(s.kept, b)
		return
	}
	now := []batch{b}
	if n := len(s.kept); n > 0 {
		part := (n + s.keptTicks - 1) / max(s.keptTicks, 1)
		now = append(now, s.kept[:part]...)
		s.kept, s.keptTicks = s.kept[part:], s.keptTicks-1
	}
	if s.counts.away || len(s.spill) > 0 {
		s.spill = append(s.spill, now...)
		now = nil
		if !s.counts.away {
			part := (len(s.spill) + s.spillTick - 1) / max(s.spillTick, 1)
			now, s.spill, s.spillTick = s.spill[:part], s.spill[part:], s.spillTick-1
		}
	}
	for _, b := range now {
		s.counts.add(b.minute, b.era, b.good, b.bad)
	}
}

func (s *sim) serve() {
	if !s.up {
		return
	}
	ctx := s.t.Context()
	if !s.now.Before(s.nextPass) {
		s.evaluator.Pass(ctx)
		s.schedule()
	}
	if n, _, _ := s.store.AlertBacklog(ctx); n > 0 {
		for s.courier.Deliver(ctx) > 0 {
		}
	}
}

// look notes what the model needs, and finds messages that wait though they could go.
func (s *sim) look() {
	if !s.up || s.counts.away || s.skew != 0 || len(s.kept)+len(s.spill) > 0 {
		s.disturbed = s.now
	}
	if !s.up || s.box.away || s.skew != 0 {
		s.boxBack = s.now
	}
	if s.now.Sub(s.boxBack) > 90*time.Minute {
		for _, at := range s.posted {
			if s.now.Sub(at) > 90*time.Minute && len(s.posted) > 0 {
				if n, oldest, _ := s.store.AlertBacklog(s.t.Context()); n > 0 && s.clock().Sub(oldest) > 90*time.Minute {
					s.fail(s.now, "%d messages wait, the oldest since %s", n, oldest)
				}
				break
			}
		}
		s.posted = nil
	}
	for _, i := range []*incident{s.failing, s.silent} {
		if i == nil {
			continue
		}
		calm := s.disturbed
		if i.from.After(calm) {
			calm = i.from
		}
		if !i.seen && s.now.Sub(calm) >= 20*time.Minute && s.now.Sub(calm) < 25*time.Minute && !s.counts.murky(calm.Add(-11*time.Minute), s.now) {
			i.seen = true
		}
		if s.disturbed.After(i.from) && s.disturbed.Before(i.from.Add(20*time.Minute)) || s.counts.murky(i.from.Add(-11*time.Minute), i.from.Add(20*time.Minute)) {
			i.calm = false
		}
	}
}

// fail ends the test, with what happened in the hours around a time.
func (s *sim) fail(at time.Time, format string, args ...any) {
	s.t.Helper()
	around := slices.Clone(s.log)
	for _, t := range s.tells {
		around = append(around, t.String())
	}
	slices.Sort(around)
	for _, l := range around {
		if l > at.Add(-8*time.Hour).Format(time.DateTime) && l < at.Add(3*time.Hour).Format(time.DateTime) {
			s.t.Log(l)
		}
	}
	s.t.Fatalf("at %s: %s", at.Format(time.DateTime), fmt.Sprintf(format, args...))
}

// simAlerts are what is simulated, by the kind of incident that each tells of.
var simAlerts = map[string]string{"errors": "failing", "gone": "silent", "drop": "silent", "day": "silent"}

func simSpecs() []weir.AlertSpec {
	channel := []weir.AlertChannel{{Kind: weir.AlertByWebhook, URL: "https://example.org/hook"}}
	spec := func(name string, kind weir.MeasureKind, window, n int, c weir.AlertCondition) weir.AlertSpec {
		return weir.AlertSpec{
			Name: name, Enabled: true, Measure: weir.AlertMeasure{Kind: kind}, Window: window, Condition: c, For: n, ClearFor: n,
			MinVolume: 20, NoData: weir.NoDataKeep, Channels: slices.Clone(channel),
		}
	}
	all := []weir.AlertSpec{
		spec("errors", weir.MeasureErrorRate, 5, 2, weir.AlertCondition{Op: "above", Value: 0.7, Clear: 0.2}),
		spec("gone", weir.MeasureCalls, 1, 1, weir.AlertCondition{Op: "below", Value: 10, Clear: 20}),
		spec("drop", weir.MeasureCalls, 5, 1, weir.AlertCondition{Op: "below", Value: -60, Clear: -20, Against: weir.AgainstPrevious}),
		spec("day", weir.MeasureCalls, 30, 2, weir.AlertCondition{Op: "below", Value: -80, Clear: -20, Against: weir.AgainstDay}),
	}
	all[1].MinVolume = 0
	return all
}

// judge sets what was told against the incidents that there were.
func (s *sim) judge() {
	for name, kind := range simAlerts {
		var tells []tell
		for _, t := range s.tells {
			if t.Alert.Name == name {
				tells = append(tells, t)
			}
		}
		for i, t := range tells {
			if i > 0 && tells[i-1].Type == t.Type {
				s.fail(t.at, "twice the same, one after the other:\n%s\n%s", tells[i-1], t)
			}
			if i > 0 && t.Type == weir.AlertRecoveredMessage && t.Incident != tells[i-1].Incident {
				s.fail(t.at, "another incident is over than was told of: %s", t)
			}
		}
		for _, t := range tells {
			within := slices.ContainsFunc(s.incidents, func(i *incident) bool {
				return i.kind == kind && !t.at.Before(i.from) && t.at.Before(i.to.Add(10*time.Minute))
			})
			length := 12 * time.Minute
			if name == "day" {
				length = 65 * time.Minute
			}
			// A window of half an hour has minutes that no setting of the clock showed.
			holes := name == "day" && s.stepped(t.at.Add(-length), t.at)
			if t.Type == weir.AlertFiredMessage && !within && !holes && !s.murky(name, t.At.Add(-length), t.At) {
				s.fail(t.at, "told of nothing: %s", t)
			}
		}
		for _, i := range s.incidents {
			if i.kind != kind || name == "day" {
				continue
			}
			fired, before := 0, "" // before is what was told last before it
			for _, t := range tells {
				if t.at.Before(i.from) {
					before = t.Type
				}
				if t.Type == weir.AlertFiredMessage && !t.at.Before(i.from) && t.at.Before(i.to.Add(10*time.Minute)) {
					fired++
				}
			}
			// Where it was not seen that the one before is over, it is the same one.
			must := i.seen
			if name == "drop" {
				must = i.seen && i.calm
			}
			if fired == 0 && must && before != weir.AlertFiredMessage {
				s.fail(i.from, "%s did not tell of the incident from %s to %s", name, i.from, i.to)
			}
			if fired > 1 && !s.counts.murky(i.from, i.to.Add(10*time.Minute)) && !s.stepped(i.from.Add(-15*time.Minute), i.to.Add(10*time.Minute)) {
				s.fail(i.from, "%s told %d times of the incident from %s to %s", name, fired, i.from, i.to)
			}
		}
	}
}

func TestAYearOfAlertsTellsOfEachIncidentOnce(t *testing.T) {
	seed, days := uint64(time.Now().UnixNano()), 20
	if n, err := strconv.ParseUint(os.Getenv("WEIR_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	if os.Getenv("WEIR_TEST_LONG") != "" {
		days = 365
	}
	t.Logf("WEIR_TEST_SEED=%d", seed)
	s := newSim(t, seed, days)
	s.run(s.now.AddDate(0, 0, days))
	s.judge()
	t.Logf("%d incidents, %d messages", len(s.incidents), len(s.tells))
}
