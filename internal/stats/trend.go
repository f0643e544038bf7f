package stats

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Trend is a count over the last buckets, oldest first, the current one last.
type Trend struct {
	Range string    `json:"range" enum:"minute,hour,day"`
	Data  []Point   `json:"data" nullable:"false"`
	AsOf  time.Time `json:"as_of"`
}

// Point is one bucket.
type Point struct {
	Time  time.Time `json:"time" doc:"its start, in the project's timezone"`
	Count int64     `json:"count"`
}

// Trend counts the project's events, or those of a name, per minute (60
// points), hour (24) or day (30), as rng says. Error: EINVALID for another rng.
func (s *Stats) Trend(ctx context.Context, p *weir.Project, rng, event string) (*Trend, error) {
	now, loc := s.clock.Now(), p.Location()
	var g hot.Grain
	var starts []time.Time
	switch rng {
	case "minute":
		g = hot.Minute
		for i := range 60 {
			starts = append(starts, g.Start(now.Add(time.Duration(i-59)*time.Minute), loc))
		}
	case "hour":
		g = hot.Hour
		for i := range 24 {
			starts = append(starts, g.Start(now.Add(time.Duration(i-23)*time.Hour), loc))
		}
	case "day":
		g = hot.Day
		y, m, d := now.In(loc).Date()
		for i := range 30 {
			// Noon exists on every day of every zone, so its day is the right one.
			starts = append(starts, g.Start(time.Date(y, m, d+i-29, 12, 0, 0, 0, loc), loc))
		}
	default:
		return nil, weir.Errorf(weir.EINVALID, "range %q: use minute, hour or day", rng)
	}
	dim := hot.Total
	if event != "" {
		dim = hot.Name
	}
	points, err := s.store.Series(ctx, p.ID, g, dim, event, starts[0], now.Add(time.Second))
	if err != nil {
		return nil, err
	}
	counts := make(map[int64]int64, len(points))
	for _, pt := range points {
		counts[pt.Start.Unix()] += pt.Count
	}
	t := &Trend{Range: rng, Data: make([]Point, len(starts)), AsOf: now.In(loc)}
	for i, start := range starts {
		t.Data[i] = Point{start.In(loc), counts[start.Unix()]}
	}
	return t, nil
}
