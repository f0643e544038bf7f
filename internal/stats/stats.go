// Package stats answers from counters: at once, whatever the number of events
// stored.
package stats

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Store is what stats reads. See hot.Counters.
type Store interface {
	Inquire(ctx context.Context, project string, in hot.Inquiry) (hot.Findings, error)
}

// Stats answers from the counters of a store. It is safe for concurrent use.
type Stats struct {
	store Store
	clock weir.Clock
	names pageNames
}

// New makes a Stats.
func New(s Store, clock weir.Clock) *Stats {
	return &Stats{store: s, clock: clock, names: pageNames{of: map[string]*projectNames{}}}
}

// Overview is a project's state now. Days and hours are in its timezone. The doc
// and nullable tags, here and in Trend, are for the API's description.
type Overview struct {
	Today struct {
		Calls    int64  `json:"calls"`
		Events   int64  `json:"events"`
		Visitors int64  `json:"visitors" doc:"distinct devices, without bots, estimated within 1 %"`
		Bots     int64  `json:"bots" doc:"distinct devices that are bots: what visitors leaves out"`
		Date     string `json:"date" format:"date"`
	} `json:"today"`
	CurrentHour struct {
		Calls  int64 `json:"calls"`
		Events int64 `json:"events"`
		Hour   int   `json:"hour" doc:"0 to 23"`
	} `json:"current_hour"`
	HotAPIs      []API      `json:"hot_apis" nullable:"false" doc:"of today, most called first"`
	ErrorAPIs    []ErrorAPI `json:"error_apis" nullable:"false" doc:"of today, most failed calls first"`
	TopConsumers []Consumer `json:"top_consumers" nullable:"false" doc:"of today, most calls first"`
	SuccessRate  *float64   `json:"success_rate" doc:"today's calls with a status below 400 over all with a status, 0 to 1; null without any"`
	Yesterday    Past       `json:"yesterday" doc:"the day before, up to this time of day"`
	LastWeek     Past       `json:"last_week" doc:"the same day of the week before, up to this time of day"`
	LiveVisitors int        `json:"live_visitors" doc:"devices with an event in the last 5 minutes, without bots"`
	LiveBots     int        `json:"live_bots" doc:"bots with one: what live_visitors leaves out"`
	AsOf         time.Time  `json:"as_of"`
}

// API is a route and its calls.
type API struct {
	API   string `json:"api"`
	Calls int64  `json:"calls"`
	Other bool   `json:"other,omitempty" doc:"not one API, but all that came after a thousand in this day"`
}

// ErrorAPI is a route with failed calls: those with a status of 400 to 599.
type ErrorAPI struct {
	API       string  `json:"api"`
	Calls     int64   `json:"calls"`
	Errors    int64   `json:"errors"`
	ErrorRate float64 `json:"error_rate" doc:"errors over calls, those without a status too, 0 to 1"`
	Other     bool    `json:"other,omitempty" doc:"not one API, but all that came after a thousand in this day"`
}

// Consumer is who calls, and how often.
type Consumer struct {
	Consumer string `json:"consumer"`
	Calls    int64  `json:"calls"`
	Other    bool   `json:"other,omitempty" doc:"not one consumer, but all that came after a thousand in this day"`
}

// listed is how many members an overview lists.
const listed = 10

// Places of an overview's questions.
const (
	todayEvents = iota
	todayCalls
	todayStatuses
	hourEvents
	hourCalls
	routes
	failed
	consumers
	minuteEvents
	minuteCalls
	before // and on: questions about the days before
)

// Overview answers for now.
func (s *Stats) Overview(ctx context.Context, p *weir.Project) (*Overview, error) {
	now, loc := s.clock.Now(), p.Location()
	local := now.In(loc)
	day, hour, minute := hot.Day.Start(now, loc), hot.Hour.Start(now, loc), hot.Minute.Start(now, loc)
	one := func(g hot.Grain, start time.Time, d hot.Dimension) hot.Question {
		return hot.Question{Grain: g, Dimension: d, Starts: []time.Time{start}, Top: listed}
	}
	in := hot.Inquiry{
		Tables: []hot.Question{
			todayEvents:   one(hot.Day, day, hot.Total),
			todayCalls:    one(hot.Day, day, hot.Calls),
			todayStatuses: one(hot.Day, day, hot.Status),
			hourEvents:    one(hot.Hour, hour, hot.Total),
			hourCalls:     one(hot.Hour, hour, hot.Calls),
			routes:        one(hot.Day, day, hot.Route),
			failed:        one(hot.Day, day, hot.Failed),
			consumers:     one(hot.Day, day, hot.Consumer),
			minuteEvents:  one(hot.Minute, minute, hot.Total),
			minuteCalls:   one(hot.Minute, minute, hot.Calls),
		},
		Devices: []hot.Bucket{{Grain: hot.Day, Start: day.Unix()}},
		Live:    now,
	}
	in.Tables[failed].AlsoCount = hot.Route
	in.Tables[routes].Named = s.names.project(p)
	in.Tables[failed].Named = in.Tables[routes].Named
	yesterday, lastWeek := daysAgo(minute, 1, loc), daysAgo(minute, 7, loc)
	in.Tables = append(in.Tables, yesterday.questions()...)
	in.Tables = append(in.Tables, lastWeek.questions()...)

	f, err := s.store.Inquire(ctx, p.ID, in)
	if err != nil {
		return nil, err
	}
	bots, err := s.store.Inquire(ctx, hot.BotsOf(p.ID), hot.Inquiry{Devices: in.Devices, Live: in.Live})
	if err != nil {
		return nil, err
	}
	t := f.Tables
	var o Overview
	o.Today.Bots, o.LiveBots = bots.Devices[0], bots.Live
	o.AsOf = local
	o.Today.Date = local.Format(time.DateOnly)
	o.Today.Calls, o.Today.Events, o.Today.Visitors = t[todayCalls].Sum(), t[todayEvents].Sum(), f.Devices[0]
	o.CurrentHour.Hour, o.CurrentHour.Calls, o.CurrentHour.Events = local.Hour(), t[hourCalls].Sum(), t[hourEvents].Sum()
	o.SuccessRate = successRate(t[todayStatuses])
	o.LiveVisitors = f.Live
	o.list(t[routes], t[failed], t[consumers])
	calls, events := o.Today.Calls-t[minuteCalls].Sum(), o.Today.Events-t[minuteEvents].Sum()
	o.Yesterday = yesterday.past(t[before:before+perDay], calls, events)
	o.LastWeek = lastWeek.past(t[before+perDay:], calls, events)
	return &o, nil
}

// list fills the lists in. What was beyond the cap of a bucket's members stands
// at their ends, as itself.
func (o *Overview) list(routes, failed, consumers hot.Table) {
	o.HotAPIs, o.ErrorAPIs, o.TopConsumers = []API{}, []ErrorAPI{}, []Consumer{}
	for _, r := range routes.Rows {
		o.HotAPIs = append(o.HotAPIs, API{API: r.Member, Calls: r.Sum})
	}
	if routes.Rest > 0 {
		o.HotAPIs = append(o.HotAPIs, API{hot.Other, routes.Rest, true})
	}
	for _, r := range failed.Rows {
		calls := max(r.AlsoCount, r.Sum) // a route may be beyond the cap of the calls, and not of those that failed
		o.ErrorAPIs = append(o.ErrorAPIs, ErrorAPI{r.Member, calls, r.Sum, float64(r.Sum) / float64(calls), false})
	}
	if failed.Rest > 0 {
		calls := max(routes.Rest, failed.Rest)
		o.ErrorAPIs = append(o.ErrorAPIs, ErrorAPI{hot.Other, calls, failed.Rest, float64(failed.Rest) / float64(calls), true})
	}
	for _, r := range consumers.Rows {
		o.TopConsumers = append(o.TopConsumers, Consumer{Consumer: r.Member, Calls: r.Sum})
	}
	if consumers.Rest > 0 {
		o.TopConsumers = append(o.TopConsumers, Consumer{hot.Other, consumers.Rest, true})
	}
}

// successRate returns that of the calls in tables of statuses.
func successRate(statuses ...hot.Table) *float64 {
	var o hot.CallResults
	for _, t := range statuses {
		for _, r := range t.Rows {
			o.Add(r.Member, r.Sum)
		}
	}
	return o.SuccessRate()
}

// ratio is nil when there is nothing to divide by.
func ratio(a, b int64) *float64 {
	if b == 0 {
		return nil
	}
	r := float64(a) / float64(b)
	return &r
}
