package bench_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/insight"
)

const queryProject = "p"

var queryEnd = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// question is what a dashboard asks.
type question struct {
	name string
	weir.Question
	events *insight.EventsQuery // instead of Question
}

// questions returns those of 30 days.
func questions() []question {
	month := weir.Trend{Common: weir.Common{From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Interval: weir.Day}}
	total, unique := weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique}
	calls := weir.Series{Event: weir.NameCall, Math: weir.MathTotal}
	ask := func(name string, change func(*weir.Trend)) question {
		q := month
		change(&q)
		return question{name: name, Question: q}
	}
	whole := month.Common
	whole.Interval = ""
	hourly, weekly := month.Common, month.Common
	hourly.Interval, weekly.Interval = weir.Hour, weir.Week
	weekly.Filter = weir.Filter{{Column: "device_type", Op: "!=", Values: []string{"phone"}}}
	return []question{
		ask("daily-total", func(q *weir.Trend) { q.Series = []weir.Series{total} }),
		ask("daily-total-and-unique", func(q *weir.Trend) { q.Series = []weir.Series{total, unique} }),
		ask("daily-total-beside-the-month-before", func(q *weir.Trend) { q.Series, q.Compare = []weir.Series{total}, weir.ComparePrevious }),
		ask("daily-unique-of-screen-views", func(q *weir.Trend) {
			q.Series = []weir.Series{{Event: weir.NameScreenView, Math: weir.MathUnique}}
		}),
		ask("daily-total-by-country", func(q *weir.Trend) { q.Series, q.Breakdown = []weir.Series{total}, "country" }),
		ask("daily-total-by-name", func(q *weir.Trend) { q.Series, q.Breakdown = []weir.Series{total}, "name" }),
		ask("hourly-calls-by-route", func(q *weir.Trend) {
			q.Series, q.Interval, q.Breakdown = []weir.Series{calls}, weir.Hour, "route"
		}),
		ask("daily-calls-that-failed", func(q *weir.Trend) {
			q.Series = []weir.Series{calls}
			q.Filter = []weir.Condition{{Column: "status", Op: ">", Values: []string{"399"}}}
		}),
		ask("hourly-p95-of-latency", func(q *weir.Trend) {
			q.Interval = weir.Hour
			q.Series = []weir.Series{{Event: weir.NameCall, Math: weir.MathP95, Property: "latency_ms"}}
		}),
		ask("unique-of-a-day-by-hour-in-a-country", func(q *weir.Trend) {
			q.From, q.Interval, q.Series = queryEnd.AddDate(0, 0, -1), weir.Hour, []weir.Series{unique}
			q.Filter = []weir.Condition{{Column: "country", Op: "=", Values: []string{"DE"}}}
		}),
		{name: "pages", Question: weir.Pages{Common: month.Common}},
		{name: "calls-by-route", Question: weir.Calls{Common: whole}},
		{name: "calls-that-fail-by-hour", Question: weir.Calls{Common: hourly, Sort: weir.SortErrorRate, Limit: 5}},
		{name: "slowest-calls-beside-the-month-before", Question: weir.Calls{Common: whole, Sort: weir.SortLatency, Compare: weir.ComparePrevious}},
		{name: "growth-by-day", Question: weir.Growth{Common: month.Common}},
		{name: "growth-by-week-of-all-but-mobile", Question: weir.Growth{Common: weekly}},
		{name: "funnel", Question: weir.Funnel{Common: whole, Steps: []weir.Step{{Event: weir.NameScreenView, Filter: weir.Filter{{Column: "path", Op: "=", Values: []string{"/pricing"}}}}, {Event: "signup"}, {Event: "purchase"}}}},
		{name: "funnel-of-views-by-country", Question: weir.Funnel{Common: whole, Steps: []weir.Step{{Event: weir.NameScreenView}, {Event: weir.NameScreenView}, {Event: "signup"}}, Breakdown: "country", Over: weir.Day}},
		{name: "newest-events", events: &insight.EventsQuery{Limit: 100}},
	}
}

func (q question) ask(ctx context.Context, e *insight.Engine, p *weir.Project) (err error) {
	if q.events != nil {
		_, err = e.Events(ctx, p, *q.events, 0)
	} else {
		_, err = e.Ask(ctx, p, q.Question, 0)
	}
	return err
}

// BenchmarkQuery asks the questions of a dashboard over WEIR_BENCH_EVENTS events of
// 30 days (a million if it is not set). Beyond 10 million they are copies with other
// devices. WEIR_BENCH_COLD names one engine to measure.
func BenchmarkQuery(b *testing.B) {
	n := eventsWanted(b)
	p := &weir.Project{ID: queryProject, Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		b.Fatal(err)
	}
	engines(b, func(b *testing.B, e *engine) {
		first := min(n, 10_000_000)
		e.fill(b, bench.Mix(1, bench.Plan{Project: queryProject, From: queryEnd.AddDate(0, 0, -30), To: queryEnd, Events: first, Devices: first / 30}), 10_000)
		for i := 1; i < n/first; i++ {
			e.double(i)
		}
		b.Logf("%.1f bytes an event on disk", float64(e.bytes())/float64(n))
		engine := insight.New(e, complete{}, nil, insight.Options{})
		for _, q := range questions() {
			b.Run(q.name, func(b *testing.B) {
				var took []float64
				for b.Loop() {
					began := time.Now()
					if err := q.ask(b.Context(), engine, p); err != nil {
						b.Fatal(err)
					}
					took = append(took, float64(time.Since(began).Microseconds())/1000)
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2], "median-ms")
				b.ReportMetric(took[len(took)*95/100], "p95-ms")
			})
		}
	})
}

// double adds a copy of the first events, of other devices.
func (e *engine) double(number int) {
	again := func(table, names string, change map[string]string) {
		columns := strings.Fields(names)
		values := slices.Clone(columns)
		for i, c := range columns {
			if v, ok := change[c]; ok {
				values[i] = v
			}
		}
		e.exec(fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s NOT LIKE '%%~%%'",
			table, strings.Join(columns, ", "), strings.Join(values, ", "), table, columns[0]))
	}
	other := func(column string) string { return fmt.Sprintf("CONCAT(%s, '~%d')", column, number) }
	again("events", `device_id project_id ts quarter name id received_at profile_id session_id person path origin title referrer channel
utm_source utm_medium utm_campaign utm_term utm_content country region city browser browser_version os os_version device_type bot language library
method route status latency_ms consumer revenue currency properties inherited_from closes_event_id closes_path closes_ms shard seq`,
		map[string]string{"device_id": other("device_id"), "id": other("id"), "session_id": other("session_id"), "person": other("person"), "shard": strconv.Itoa(number)})
	again("sightings", "person project_id quarter", map[string]string{"person": other("person")})
	again("visits", `device_id project_id session_id profile_id start_at end_at entry exit entry_at exit_at events screen_views interactive calls revenue
ended bot referrer channel utm_source utm_medium utm_campaign country region city browser os device_type language sign version`,
		map[string]string{"device_id": other("device_id"), "session_id": other("session_id")})
	again("identities", "device_id project_id profile_id linked_at", map[string]string{"device_id": other("device_id")})
}

// complete is a barrier over data that does not change.
type complete struct{}

func (complete) Flush(context.Context) (time.Time, error) { return queryEnd, nil }
func (complete) AsOf() time.Time                          { return queryEnd }
