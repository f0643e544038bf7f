package stats

import (
	"context"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// TrendQuery says what a trend counts.
type TrendQuery struct {
	Range string // minute, hour or day
	Event string // this event alone
	By    string // api, status, consumer, event: a series for each; "" for none
	Top   int    // series at most, the others are one more; 0 is DefaultTop
}

// Series of a trend.
const (
	DefaultTop = 10
	MaxTop     = 50
)

// Trend is a count over the last buckets, oldest first, the current one last.
type Trend struct {
	Range  string    `json:"range" enum:"minute,hour,day"`
	By     string    `json:"by,omitempty" enum:"api,status,consumer,event"`
	Data   []Point   `json:"data" nullable:"false" doc:"all events; with by of api, status and consumer all calls"`
	Series []Series  `json:"series,omitempty" nullable:"false" doc:"with by: most counted first, then the others, then what has none; they add up to data"`
	AsOf   time.Time `json:"as_of"`
}

// Point is one bucket.
type Point struct {
	Time  time.Time `json:"time" doc:"its start, in the project's timezone"`
	Count int64     `json:"count"`
}

// Series is the part of one API, status, consumer or event.
type Series struct {
	Name    string  `json:"name"`
	Total   int64   `json:"total"`
	Counts  []int64 `json:"counts" nullable:"false" doc:"one for each point of data"`
	Other   bool    `json:"other,omitempty" doc:"not one of that name, but all that are no series of their own"`
	None    bool    `json:"none,omitempty" doc:"calls that name no API, or no consumer"`
	Unnamed int64   `json:"unnamed,omitempty" doc:"how much of the others was beyond the thousand names that a bucket keeps"`
}

// Names of the series that are none of one member. Their fields other and none
// tell them from members that are called so.
const (
	nameOther = hot.Other
	nameNone  = "(none)"
)

// Trend counts the project's events per minute (60 points), hour (24) or day
// (30). Error: EINVALID for another range or by, a top out of 1 to MaxTop, or an
// event with a by.
func (s *Stats) Trend(ctx context.Context, p *weir.Project, q TrendQuery) (*Trend, error) {
	now, loc := s.clock.Now(), p.Location()
	starts, g, err := starts(q.Range, now, loc)
	if err != nil {
		return nil, err
	}
	all := hot.Question{Grain: g, Dimension: hot.Total, Starts: starts}
	if q.Event != "" {
		all.Dimension, all.Only = hot.Name, q.Event
	}
	in := hot.Inquiry{Tables: []hot.Question{all}}
	if q.By != "" {
		by, err := q.by(g, starts)
		if err != nil {
			return nil, err
		}
		if by.Dimension != hot.Name {
			in.Tables[0].Dimension = hot.Calls
		}
		in.Tables = append(in.Tables, by)
	}
	f, err := s.store.Inquire(ctx, p.ID, in)
	if err != nil {
		return nil, err
	}
	t := &Trend{Range: q.Range, By: q.By, Data: make([]Point, len(starts)), AsOf: now.In(loc)}
	total := f.Tables[0].Rows[0].Counts
	for i, start := range starts {
		t.Data[i] = Point{firstOf(g, start, loc), total[i]}
	}
	if q.By != "" {
		t.Series = series(f.Tables[1], total)
	}
	return t, nil
}

// by is the question for the series.
func (q TrendQuery) by(g hot.Grain, starts []time.Time) (hot.Question, error) {
	by := hot.Question{Grain: g, Starts: starts, Top: q.Top}
	switch q.By {
	case "api":
		by.Dimension = hot.Route
	case "status":
		by.Dimension = hot.Status
	case "consumer":
		by.Dimension = hot.Consumer
	case "event":
		by.Dimension = hot.Name
	default:
		return by, weir.Errorf(weir.EINVALID, "by %q: use api, status, consumer or event", q.By)
	}
	if q.Event != "" {
		return by, weir.Errorf(weir.EINVALID, "event and by do not go together: a counter counts by one of them")
	}
	if by.Top == 0 {
		by.Top = DefaultTop
	}
	if by.Top < 1 || by.Top > MaxTop {
		return by, weir.Errorf(weir.EINVALID, "top %d: use 1 to %d", q.Top, MaxTop)
	}
	return by, nil
}

func series(t hot.Table, total []int64) []Series {
	out := []Series{}
	none := Series{Name: nameNone, None: true, Counts: slices.Clone(total)}
	add := func(s Series) {
		for i, n := range s.Counts {
			s.Total += n
			none.Counts[i] -= n
		}
		if s.Total > 0 {
			out = append(out, s)
		}
	}
	for _, r := range t.Rows {
		add(Series{Name: r.Member, Counts: r.Counts})
	}
	add(Series{Name: nameOther, Other: true, Counts: t.Others, Unnamed: t.Rest})
	for _, n := range none.Counts {
		none.Total += n
	}
	if none.Total > 0 {
		out = append(out, none)
	}
	return out
}

// starts are those of the last buckets, the one of now last.
func starts(rng string, now time.Time, loc *time.Location) (starts []time.Time, g hot.Grain, err error) {
	switch rng {
	case "minute":
		g = hot.Minute
		for i := range 60 {
			starts = append(starts, g.Start(now.Add(time.Duration(i-59)*time.Minute), loc))
		}
	case "hour":
		g = hot.Hour
		// Hours of local time are not always 60 minutes apart: in steps that are
		// shorter than any of them none is left out.
		for t := now; len(starts) < 24; t = t.Add(-zoneStep) {
			if start := g.Start(t, loc); len(starts) == 0 || start.Before(starts[len(starts)-1]) {
				starts = append(starts, start)
			}
		}
		slices.Reverse(starts)
	case "day":
		g = hot.Day
		y, m, d := now.In(loc).Date()
		for i := range 30 {
			// Noon exists on every day of every zone, so its day is the right one.
			starts = append(starts, g.Start(time.Date(y, m, d+i-29, 12, 0, 0, 0, loc), loc))
		}
	default:
		err = weir.Errorf(weir.EINVALID, "range %q: use minute, hour or day", rng)
	}
	return starts, g, err
}

// firstOf is the first instant of a bucket. An hour that begins while the clock
// is set by half an hour is named for a time that its clock never showed.
func firstOf(g hot.Grain, start time.Time, loc *time.Location) time.Time {
	start = start.In(loc)
	if g == hot.Hour {
		if began, _ := start.Add(time.Hour - time.Second).ZoneBounds(); began.After(start) {
			return began.In(loc)
		}
	}
	return start
}
