package stats

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Past is a day before today, from its beginning up to the time of day that it
// is now, to the minute.
type Past struct {
	Date         string    `json:"date" format:"date"`
	Until        time.Time `json:"until" doc:"the minute of that day that is now's; what happened before it counts"`
	Calls        int64     `json:"calls"`
	Events       int64     `json:"events"`
	SuccessRate  *float64  `json:"success_rate" doc:"null without any call that has a status"`
	CallsChange  *float64  `json:"calls_change" doc:"(today − then) / then, both up to this minute: 0.5 is half as many more; null when then is 0"`
	EventsChange *float64  `json:"events_change" doc:"the same of events"`
}

// stretch is a day from its beginning to until, as the counters have it: whole
// hours, and the minutes of the hour that is cut.
type stretch struct {
	until          time.Time
	hours, minutes []time.Time // starts of buckets
}

// daysAgo returns the date that lies days before the minute's date, up to the same time of
// day.
func daysAgo(minute time.Time, days int, loc *time.Location) stretch {
	from := weir.DateOf(minute, loc).Add(-days).Begin(loc)
	s := stretch{until: weir.DaysBefore(minute, days, loc)}
	for t := from; t.Before(s.until); {
		h := hot.Hour.Start(t, loc)
		next := t.Add(zoneStep)
		for hot.Hour.Start(next, loc).Equal(h) {
			next = next.Add(zoneStep)
		}
		if !next.After(s.until) && !h.Before(from) {
			s.hours = append(s.hours, h)
		} else {
			for ; t.Before(next) && t.Before(s.until); t = t.Add(time.Minute) {
				s.minutes = append(s.minutes, hot.Minute.Start(t, loc))
			}
		}
		t = next
	}
	s.until = s.until.In(loc)
	return s
}

// zoneStep divides the distance of any two zones, and of any two hours of theirs.
const zoneStep = 15 * time.Minute

// perDay is how many questions a stretch asks.
const perDay = 6

var pastDimensions = [perDay / 2]hot.Dimension{hot.Calls, hot.Total, hot.Status}

func (s stretch) questions() (qs []hot.Question) {
	for _, d := range pastDimensions {
		qs = append(qs,
			hot.Question{Grain: hot.Hour, Dimension: d, Starts: s.hours},
			hot.Question{Grain: hot.Minute, Dimension: d, Starts: s.minutes})
	}
	return qs
}

// past returns the answer, beside what today has up to the same minute.
func (s stretch) past(t []hot.Table, calls, events int64) Past {
	p := Past{
		Date: s.until.Format(time.DateOnly), Until: s.until,
		Calls: t[0].Sum() + t[1].Sum(), Events: t[2].Sum() + t[3].Sum(), SuccessRate: successRate(t[4], t[5]),
	}
	p.CallsChange, p.EventsChange = ratio(calls-p.Calls, p.Calls), ratio(events-p.Events, p.Events)
	return p
}
