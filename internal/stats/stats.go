// Package stats answers from counters: at once, whatever the number of events
// stored.
package stats

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Store is what stats reads.
type Store interface {
	hot.Counters
	Live(ctx context.Context, project string, now time.Time) (int, error)
}

// Stats answers from the counters of a store. It is safe for concurrent use.
type Stats struct {
	store Store
	clock weir.Clock
}

// New makes a Stats.
func New(s Store, clock weir.Clock) *Stats { return &Stats{s, clock} }

// Overview is a project's state now. Days and hours are in its timezone. The doc
// and nullable tags, here and in Trend, are for the API's description.
type Overview struct {
	Today struct {
		Calls    int64  `json:"calls"`
		Events   int64  `json:"events"`
		Visitors int64  `json:"visitors" doc:"distinct devices, estimated within 1 %"`
		Date     string `json:"date" format:"date"`
	} `json:"today"`
	CurrentHour struct {
		Calls  int64 `json:"calls"`
		Events int64 `json:"events"`
		Hour   int   `json:"hour" doc:"0 to 23"`
	} `json:"current_hour"`
	HotAPIs      []API     `json:"hot_apis" nullable:"false" doc:"of today, most called first"`
	SuccessRate  *float64  `json:"success_rate" doc:"today's calls with a status below 400 over all with a status, 0 to 1; null without any"`
	LiveVisitors int       `json:"live_visitors" doc:"devices with an event in the last 5 minutes"`
	AsOf         time.Time `json:"as_of"`
}

// API is a route and its calls.
type API struct {
	API   string `json:"api"`
	Calls int64  `json:"calls"`
}

// hotAPIs is how many routes an overview lists.
const hotAPIs = 10

// Overview answers for now.
func (s *Stats) Overview(ctx context.Context, p *weir.Project) (*Overview, error) {
	now := s.clock.Now()
	local := now.In(p.Location())
	r := reader{ctx: ctx, store: s.store, project: p.ID}
	day, hour := hot.Day.Start(now, p.Location()), hot.Hour.Start(now, p.Location())

	var o Overview
	o.AsOf = local
	o.Today.Date = local.Format(time.DateOnly)
	o.Today.Calls = r.at(hot.Day, hot.Calls, day)
	o.Today.Events = r.at(hot.Day, hot.Total, day)
	o.Today.Visitors = r.uniques(hot.Day, day)
	o.CurrentHour.Hour = local.Hour()
	o.CurrentHour.Calls = r.at(hot.Hour, hot.Calls, hour)
	o.CurrentHour.Events = r.at(hot.Hour, hot.Total, hour)
	o.HotAPIs = []API{}
	for _, m := range r.members(hot.Day, hot.Route, day, hotAPIs) {
		o.HotAPIs = append(o.HotAPIs, API{m.Name, m.Count})
	}
	o.SuccessRate = successRate(r.members(hot.Day, hot.Status, day, 0))
	if r.err == nil {
		o.LiveVisitors, r.err = s.store.Live(ctx, p.ID, now)
	}
	if r.err != nil {
		return nil, r.err
	}
	return &o, nil
}

func successRate(classes []hot.Member) *float64 {
	var ok, all int64
	for _, c := range classes {
		switch c.Name {
		case "1xx", "2xx", "3xx":
			ok += c.Count
			all += c.Count
		case "4xx", "5xx":
			all += c.Count
		}
	}
	if all == 0 {
		return nil
	}
	rate := float64(ok) / float64(all)
	return &rate
}

// reader reads single buckets; its first error stays.
type reader struct {
	ctx     context.Context
	store   Store
	project string
	err     error
}

func (r *reader) at(g hot.Grain, d hot.Dimension, start time.Time) int64 {
	if r.err != nil {
		return 0
	}
	points, err := r.store.Series(r.ctx, r.project, g, d, "", start, start.Add(time.Second))
	r.err = err
	if len(points) == 0 {
		return 0
	}
	return points[0].Count
}

func (r *reader) uniques(g hot.Grain, start time.Time) (n int64) {
	if r.err == nil {
		n, r.err = r.store.Uniques(r.ctx, r.project, g, start, start.Add(time.Second))
	}
	return n
}

func (r *reader) members(g hot.Grain, d hot.Dimension, start time.Time, limit int) (ms []hot.Member) {
	if r.err == nil {
		ms, r.err = r.store.Members(r.ctx, r.project, g, d, start, start.Add(time.Second), limit)
	}
	return ms
}
