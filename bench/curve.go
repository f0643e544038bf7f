package bench

import "time"

// hourly is how busy a site is at each hour of a day (UTC), relative.
var hourly = [24]float64{3, 2, 2, 1, 1, 2, 4, 7, 10, 12, 13, 13, 12, 13, 13, 12, 11, 11, 12, 13, 12, 10, 7, 5}

// curve maps fractions of all visits to times.
type curve struct {
	from time.Time
	ends []float64     // cumulative weight at the end of each hour, the last is the sum
	last time.Duration // length of the last, perhaps shorter, hour
	hour int           // where the last answer was
}

// newCurve spreads visits over [from, to). Weekends are half as busy.
func newCurve(from, to time.Time) *curve {
	c := &curve{from: from, last: time.Hour}
	sum := 0.0
	for t := from; t.Before(to); t = t.Add(time.Hour) {
		weight := hourly[t.Hour()]
		if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
			weight /= 2
		}
		if rest := to.Sub(t); rest < time.Hour {
			c.last = rest
			weight *= float64(rest) / float64(time.Hour)
		}
		sum += weight
		c.ends = append(c.ends, sum)
	}
	return c
}

// at returns the time by which the fraction, in [0, 1), of visits has begun. Fractions
// must not decrease from call to call.
func (c *curve) at(fraction float64) time.Time {
	n := len(c.ends)
	target := fraction * c.ends[n-1]
	for c.hour < n-1 && c.ends[c.hour] <= target {
		c.hour++
	}
	begin, width := 0.0, time.Hour
	if c.hour > 0 {
		begin = c.ends[c.hour-1]
	}
	if c.hour == n-1 {
		width = c.last
	}
	share := (target - begin) / (c.ends[c.hour] - begin)
	return c.from.Add(time.Duration(c.hour)*time.Hour + time.Duration(share*float64(width))).Truncate(time.Microsecond)
}
