package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/metricstest"
	"github.com/weir-analytics/weir/internal/report"
	"github.com/weir-analytics/weir/internal/stats"
)

// replayZones are those of the projects that a replay is sent to.
var replayZones = []string{"UTC", "Asia/Kolkata", "America/New_York"}

func TestCountersCallsAndReportsOfAReplayAreTheTruth(t *testing.T) {
	calls := 25_000
	if os.Getenv("WEIR_TEST_LONG") != "" {
		calls = 100_000
	}
	t.Run("Pebble and DuckDB", func(t *testing.T) {
		replayOn(newReplayWorld(t, embedded), replay(calls, 1))
	})
	t.Run("Redis and ClickHouse", func(t *testing.T) {
		replayOn(newReplayWorld(t, clustered), replay(10_000, 2))
	})
}

// replayProject is a project with what was sent to it.
type replayProject struct {
	w *replayWorld
	*weir.Project
	key  string
	loc  *time.Location
	sent facts
	days map[string]facts // of them, by date
}

func (p *replayProject) send(events []*replayed) {
	p.w.t.Helper()
	p.w.send(p.key, events, rand.New(rand.NewPCG(7, 7)))
	p.sent.events = append(p.sent.events, events...)
	p.days = map[string]facts{}
	for _, r := range p.sent.events {
		date := r.at.In(p.loc).Format(time.DateOnly) // as a calendar on the wall shows it
		p.days[date] = facts{append(p.days[date].events, r)}
	}
}

// on returns the events of a date that were sent.
func (p *replayProject) on(date string) facts { return p.days[date] }

func (p *replayProject) path(path string) string { return "/api/v1/projects/" + p.ID + path }

func (p *replayProject) errorf(format string, args ...any) {
	p.w.t.Helper()
	p.w.t.Errorf(p.Timezone+": "+format, args...)
}

func replayOn(w *replayWorld, all facts) {
	var projects []*replayProject
	for _, z := range replayZones {
		p, key, err := w.meta.CreateProject(w.t.Context(), meta.NewProject{Name: z, Timezone: z})
		if err != nil {
			w.t.Fatal(err)
		}
		projects = append(projects, &replayProject{w: w, Project: p, key: key, loc: p.Location()})
	}
	each := func(f func(p *replayProject)) {
		for _, p := range projects {
			f(p)
		}
	}
	part := func(from, to time.Time, late bool) []*replayed {
		return all.between(from, to).where(func(r *replayed) bool { return r.late == late }).events
	}

	w.set(replayNoon)
	each(func(p *replayProject) {
		p.send(part(replayFrom, replayNoon, false))
		p.checkOverview()
		p.checkTrends()
		p.checkRates()
	})
	w.nightly.Look(w.t.Context())
	each(func(p *replayProject) { p.checkReports(1) })

	w.set(replayEnd)
	each(func(p *replayProject) { p.send(part(replayNoon, replayTo, false)) })
	w.nightly.Look(w.t.Context())
	each(func(p *replayProject) { p.checkReports(1) })

	w.set(replayEnd.Add(2 * time.Hour))
	each(func(p *replayProject) { p.send(part(replayFrom, replayTo, true)) })
	w.nightly.Look(w.t.Context())
	each(func(p *replayProject) {
		if len(p.sent.events) != len(all.events) {
			p.errorf("%d of %d events were sent", len(p.sent.events), len(all.events))
		}
		p.checkReports(2)
		p.checkCalls()
		p.checkTrends()
		p.checkCSV()
	})
	if n := metricstest.Gather(w.t, w.reg); n["weir_reports_failed_total"] != 0 || n["weir_reports_unexplained_total"] != 0 || n["weir_reports_revised_total"] < 12 {
		w.t.Errorf("%v", n)
	}
}

func (p *replayProject) checkOverview() {
	p.w.t.Helper()
	var o stats.Overview
	p.w.get(p.path("/stats/overview"), &o)
	now := p.w.clock()
	date := now.In(p.loc).Format(time.DateOnly)
	today := p.on(date)
	hour := today.where(func(r *replayed) bool { return hourOf(r.at, p.loc) == hourOf(now, p.loc) })
	if o.Today.Date != date || o.Today.Calls != int64(len(today.calls().events)) || o.Today.Events != int64(len(today.events)) {
		p.errorf("today: %+v; true are %d calls of %d events", o.Today, len(today.calls().events), len(today.events))
	}
	if o.CurrentHour.Calls != int64(len(hour.calls().events)) || o.CurrentHour.Events != int64(len(hour.events)) {
		p.errorf("this hour: %+v; true are %d calls of %d events", o.CurrentHour, len(hour.calls().events), len(hour.events))
	}
	routes := today.calls().byRoute()
	var want []stats.API
	hot := ranked(routes)
	for _, name := range hot[:min(len(hot), 10)] {
		want = append(want, stats.API{API: name, Calls: routes[name]})
	}
	if d := cmp.Diff(want, o.HotAPIs); d != "" {
		p.errorf("hot APIs: %s", d)
	}
	p.same("success rate of today", o.SuccessRate, today.calls().rate(100, 400))
}

func (p *replayProject) checkTrends() {
	p.w.t.Helper()
	now := p.w.clock()
	for rng, name := range map[string]func(at time.Time) string{
		"minute": func(at time.Time) string { return at.In(p.loc).Format("2006-01-02 15:04 -0700") },
		"hour":   func(at time.Time) string { return hourOf(at, p.loc) },
		"day":    func(at time.Time) string { return at.In(p.loc).Format(time.DateOnly) },
	} {
		for _, calls := range []bool{true, false} {
			of, query := p.sent, ""
			if calls {
				of, query = of.calls(), "&event=api_call"
			}
			var got stats.Trend
			p.w.get(p.path("/stats/trend?range="+rng+query), &got)
			counts := of.where(func(r *replayed) bool { return !r.at.After(now) }).by(func(r *replayed) string { return name(r.at) })
			seen := map[string]bool{}
			for _, pt := range got.Data {
				bucket := name(pt.Time)
				if seen[bucket] || pt.Count != counts[bucket] {
					p.errorf("trend of %s%s: %s has %d, true are %d", rng, query, bucket, pt.Count, counts[bucket])
				}
				seen[bucket] = true
			}
			if len(got.Data) != map[string]int{"minute": 60, "hour": 24, "day": 30}[rng] || !seen[name(now)] {
				p.errorf("trend of %s has %d points, the last of %s", rng, len(got.Data), got.Data[len(got.Data)-1].Time)
			}
		}
	}
}

// checkReports looks at the reports of all days that are over, whose revisions are
// to be as given.
func (p *replayProject) checkReports(revision int) {
	p.w.t.Helper()
	now := p.w.clock()
	var got struct{ Reports []weir.Report }
	p.w.get(p.path("/reports/daily?from=2026-10-01&to=2026-11-10"), &got)
	over := map[string]bool{}
	for date := range p.days {
		next, err := time.ParseInLocation(time.DateOnly+" 15", date+" 01", p.loc)
		if err != nil {
			p.w.t.Fatal(err)
		}
		if !next.AddDate(0, 0, 1).After(now) {
			over[date] = true
		}
	}
	if len(got.Reports) != len(over) {
		p.errorf("%d reports, of days %v", len(got.Reports), over)
	}
	for i := range got.Reports {
		a := &got.Reports[i]
		if !over[string(a.Date)] || a.Revision != revision {
			p.errorf("a report of %s, revision %d", a.Date, a.Revision)
		}
		p.checkReport(a)
	}
}

func (p *replayProject) checkReport(a *weir.Report) {
	p.w.t.Helper()
	date := string(a.Date)
	of := p.on(date)
	calls := of.calls()
	hours := map[string]float64{"America/New_York 2026-11-01": 25}[p.Timezone+" "+date]
	if hours == 0 {
		hours = 24
	}
	if a.To.Sub(a.From).Hours() != hours || a.From.In(p.loc).Format("2006-01-02 15:04:05") != date+" 00:00:00" {
		p.errorf("%s is from %s to %s", date, a.From, a.To)
	}
	total := weir.ReportTotals{Events: int64(len(of.events)), Calls: int64(len(calls.events)), Visitors: int64(len(of.persons()))}
	if d := cmp.Diff(total, a.Totals); d != "" {
		p.errorf("totals of %s: %s", date, d)
	}
	if a.Difference != nil || a.Counters == nil || a.Counters.Events != total.Events || a.Counters.Calls != total.Calls {
		p.errorf("counters of %s: %+v, %+v", date, a.Counters, a.Difference)
	}
	p.sameFigures(date, &a.Calls.CallFigures, calls, hours)
	routes, callsOf := calls.byRoute(), map[string]facts{}
	for _, r := range calls.events {
		callsOf[r.route] = facts{append(callsOf[r.route].events, r)}
	}
	var rest, least int64
	for i, api := range a.Calls.ByAPI {
		switch {
		case api.Other:
			rest = api.Calls
		case api.API == nil:
			p.errorf("%s: calls without an API: %+v", date, api)
		default:
			least = api.Calls
			p.sameFigures(date+" "+*api.API, &api.CallFigures, callsOf[*api.API], hours)
			delete(routes, *api.API)
		}
		if i > 100 {
			p.errorf("%s: API %d", date, i)
		}
	}
	for name, n := range routes {
		if n > least {
			p.errorf("%s: %s with %d calls is not listed, one with %d is", date, name, n, least)
		}
		rest -= n
	}
	if rest != 0 {
		p.errorf("%s: the other APIs have %d calls too many", date, rest)
	}

	yesterday := p.on(string(a.Date.Add(-1))).persons()
	now, past := of.persons(), p.sent.between(time.Time{}, a.From).persons()
	g := weir.ReportGrowth{
		Active: int64(len(now)), New: without(now, past), Dormant: -without(yesterday, now), Cumulative: int64(len(past)) + without(now, past),
		Returning: int64(len(now)) - without(now, yesterday), WeeklyActive: int64(len(past)) + without(now, past),
	}
	g.Resurrecting = g.Active - g.New - g.Returning
	g.Net, g.MonthlyActive = g.New+g.Resurrecting+g.Dormant, g.WeeklyActive
	if d := cmp.Diff(g, a.Growth); d != "" {
		p.errorf("growth of %s: %s", date, d)
	}
	customers, before := calls.consumers(), p.sent.between(time.Time{}, a.From).consumers()
	c := weir.ReportConsumers{Active: int64(len(customers)), New: without(customers, before)}
	c.Returning = c.Active - c.New
	if d := cmp.Diff(c, a.Calls.Consumers); d != "" {
		p.errorf("consumers of %s: %s", date, d)
	}
	if views := int64(len(of.events) - len(calls.events)); a.Visits.Views != views {
		p.errorf("%s has %d views, true are %d", date, a.Visits.Views, views)
	}
	if b := a.Compare.DayBefore; b != nil {
		n := float64(len(p.on(string(b.Date)).calls().events))
		p.same("change of calls of "+date, b.Change.Calls, float64(total.Calls)/n-1)
	}
}

// sameFigures compares figures with the truth of so many hours.
func (p *replayProject) sameFigures(what string, got *weir.CallFigures, of facts, hours float64) {
	p.w.t.Helper()
	var unknown int64
	for _, r := range of.events {
		if r.status == 0 {
			unknown++
		}
	}
	if got.Calls != int64(len(of.events)) || got.Unknown != unknown {
		p.errorf("%s has %d calls, %d of them without a status; true are %d and %d", what, got.Calls, got.Unknown, len(of.events), unknown)
	}
	p.same("rate of "+what, &got.Rate, float64(len(of.events))/hours/3600)
	if int64(len(of.events)) == unknown {
		return
	}
	p.same("success rate of "+what, got.SuccessRate, of.rate(100, 400))
	p.same("4xx of "+what, got.ErrorRate4xx, of.rate(400, 500))
	p.same("5xx of "+what, got.ErrorRate5xx, of.rate(500, 600))
	took := of.latencies()
	if len(took) == 0 {
		return
	}
	l := &got.Latency
	p.same("mean of "+what, l.Mean, mean(took))
	for q, got := range map[float64]*float64{0.5: l.P50, 0.9: l.P90, 0.95: l.P95, 0.99: l.P99} {
		p.same(fmt.Sprint("quantile ", q, " of ", what), got, quantile(took, q))
	}
}

// same compares numbers but for their last bits, as a sum in another order has them,
// or a millionth of a millisecond.
func (p *replayProject) same(what string, got *float64, want float64) {
	p.w.t.Helper()
	if got == nil || math.Abs(*got-want) > 1e-6 {
		text := "null"
		if got != nil {
			text = fmt.Sprint(*got)
		}
		p.errorf("%s is %s, true is %v", what, text, want)
	}
}

// checkCalls asks the insight about the days around the night, by hour.
func (p *replayProject) checkCalls() {
	p.w.t.Helper()
	query, err := json.Marshal(map[string]any{
		"kind": "calls", "from": "2026-10-31", "to": "2026-11-02", "interval": "hour", "breakdown": "route", "limit": 100,
	})
	if err != nil {
		p.w.t.Fatal(err)
	}
	var got insight.Calls
	p.w.call("POST", p.path("/query"), p.w.admin, query, &got)
	var of facts
	for _, date := range []string{"2026-10-31", "2026-11-01", "2026-11-02"} {
		of.events = append(of.events, p.on(date).calls().events...)
	}
	hours := 72.0
	if p.Timezone == "America/New_York" {
		hours = 73
	}
	if len(got.Points) != int(hours) {
		p.errorf("%d hours", len(got.Points))
	}
	total := report.Figures(&got.Totals)
	p.sameFigures("three days", &total, of, hours)
	byHour := of.by(func(r *replayed) string { return hourOf(r.at, p.loc) })
	for _, pt := range got.Points {
		if h := hourOf(pt.Time, p.loc); pt.Calls != byHour[h] {
			p.errorf("%s has %d calls, true are %d", h, pt.Calls, byHour[h])
		}
	}
	routes := of.byRoute()
	var listed int64
	for _, g := range got.Groups {
		listed += g.Calls
		if !g.Other && g.Calls != routes[g.Breakdown.Value] {
			p.errorf("%s has %d calls, true are %d", g.Breakdown.Value, g.Calls, routes[g.Breakdown.Value])
		}
	}
	if listed != int64(len(of.events)) {
		p.errorf("%d calls in groups, true are %d", listed, len(of.events))
	}
}

// checkCSV reads the reports as a spreadsheet would.
func (p *replayProject) checkCSV() {
	p.w.t.Helper()
	var text string
	p.w.get(p.path("/reports/daily?from=2026-10-31&to=2026-11-02&format=csv&by_api=true"), &text)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		p.w.t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	days, formula := 0, false
	var routes map[string]int64
	for _, row := range rows[1:] {
		date := row[column["date"]]
		switch row[column["row"]] {
		case "day":
			days++
			calls := p.on(date).calls()
			routes = calls.byRoute()
			if row[column["calls"]] != fmt.Sprint(len(calls.events)) {
				p.errorf("%s has %s calls in CSV, true are %d", date, row[column["calls"]], len(calls.events))
			}
		case "api":
			name := row[column["api"]]
			formula = formula || strings.HasPrefix(name, "'=HYPERLINK")
			if n := routes[strings.TrimPrefix(name, "'")]; row[column["calls"]] != fmt.Sprint(n) {
				p.errorf("%s: %s has %s calls in CSV, true are %d", date, name, row[column["calls"]], n)
			}
		}
	}
	if days != 3 || !formula {
		p.errorf("%d days in CSV, formula made harmless: %v", days, formula)
	}
}
