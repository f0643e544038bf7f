package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Times of a replay: the clocks of New York are set back at 06:00 UTC on 1 November.
var (
	replayFrom = time.Date(2026, 10, 30, 0, 0, 0, 0, time.UTC)
	replayTo   = time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)
	// In the first of them the day after the night is a few hours old.
	replayNoon = time.Date(2026, 11, 1, 18, 45, 30, 0, time.UTC)
	replayEnd  = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)
)

// replayed is an event of a replay: a call, or a screen view.
type replayed struct {
	id      string
	at      time.Time
	call    bool
	method  string
	route   string
	status  int     // 0 is unknown
	latency float64 // ms; 0 is unknown
	who     string  // a call's consumer and profile, "" for none; a view's device
	late    bool    // sent when the reports have been computed
}

// person is as the numbers have it, "" for nobody.
func (r *replayed) person() string {
	switch {
	case r.who == "":
		return ""
	case r.call:
		return "profile " + r.who
	}
	return "device " + r.who
}

// replay makes n calls and a few screen views, the same for the same seed.
func replay(n int, seed uint64) facts {
	rnd := rand.New(rand.NewPCG(seed, seed))
	routes := make([]string, 130) // more than a report lists
	for i := range routes {
		routes[i] = fmt.Sprintf("/v1/things/{id}/part-%d", i)
	}
	routes[3], routes[7], routes[20] = `=HYPERLINK("http://evil.example","x")`, "/über, \"quoted\"", "other"
	zipf := rand.NewZipf(rnd, 1.1, 8, uint64(len(routes)-1))
	statuses := []int{200, 200, 200, 200, 200, 200, 201, 204, 304, 301, 399, 400, 401, 404, 404, 429, 499, 500, 502, 503, 0}
	all := make([]*replayed, 0, n+n/50)
	span := int64(replayTo.Sub(replayFrom) / time.Microsecond)
	moment := func() time.Time {
		if rnd.IntN(8) == 0 { // near the ends of days and of the repeated hour, in any of the zones
			edge := replayFrom.Add(time.Duration(rnd.IntN(192)) * 30 * time.Minute)
			at := edge.Add(time.Duration(rnd.IntN(7)-3) * time.Microsecond)
			if !at.Before(replayFrom) {
				return at
			}
		}
		return replayFrom.Add(time.Duration(rnd.Int64N(span)) * time.Microsecond)
	}
	for i := range n {
		r := &replayed{
			id: fmt.Sprintf("call-%06d", i), at: moment(), call: true,
			method: []string{"GET", "GET", "POST", "DELETE"}[rnd.IntN(4)],
			route:  routes[zipf.Uint64()], status: statuses[rnd.IntN(len(statuses))],
			latency: math.Round(1000*(0.1+rnd.ExpFloat64()*80)) / 1000,
			late:    rnd.IntN(50) == 0,
		}
		if rnd.IntN(30) == 0 {
			r.latency = 0
		}
		if rnd.IntN(20) > 0 { // customers appear one after the other, some seldom
			most := 5 + int(float64(r.at.Sub(replayFrom))/float64(replayTo.Sub(replayFrom))*400)
			r.who = fmt.Sprintf("customer-%d", int(float64(most)*math.Pow(rnd.Float64(), 2)))
		}
		all = append(all, r)
	}
	for i := range n / 50 {
		all = append(all, &replayed{id: fmt.Sprintf("view-%d", i), at: moment(), who: fmt.Sprintf("device-%d", rnd.IntN(300)), late: rnd.IntN(50) == 0})
	}
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return facts{all}
}

// facts are some of the events, of which all is known, told in the plainest way.
type facts struct{ events []*replayed }

func (t facts) where(f func(r *replayed) bool) facts {
	var in []*replayed
	for _, r := range t.events {
		if f(r) {
			in = append(in, r)
		}
	}
	return facts{in}
}

func (t facts) calls() facts { return t.where(func(r *replayed) bool { return r.call }) }

func (t facts) between(from, to time.Time) facts {
	return t.where(func(r *replayed) bool { return !r.at.Before(from) && r.at.Before(to) })
}

// by counts them by what a clock or a field says.
func (t facts) by(key func(r *replayed) string) map[string]int64 {
	counts := map[string]int64{}
	for _, r := range t.events {
		counts[key(r)]++
	}
	return counts
}

func (t facts) byRoute() map[string]int64 { return t.by(func(r *replayed) string { return r.route }) }

// persons returns the distinct ones.
func (t facts) persons() map[string]bool {
	all := map[string]bool{}
	for _, r := range t.events {
		if p := r.person(); p != "" {
			all[p] = true
		}
	}
	return all
}

func (t facts) consumers() map[string]bool {
	all := map[string]bool{}
	for _, r := range t.events {
		if r.call && r.who != "" {
			all[r.who] = true
		}
	}
	return all
}

// without counts the members of a that are not in b.
func without(a, b map[string]bool) (n int64) {
	for k := range a {
		if !b[k] {
			n++
		}
	}
	return n
}

// rate returns the part of the calls with a known status whose status is in [from, to).
func (t facts) rate(from, to int) float64 {
	var in, all float64
	for _, r := range t.events {
		if s := r.status; s != 0 {
			all++
			if from <= s && s < to {
				in++
			}
		}
	}
	return in / all
}

func (t facts) latencies() []float64 {
	var all []float64
	for _, r := range t.events {
		if l := r.latency; l > 0 {
			all = append(all, l)
		}
	}
	slices.Sort(all)
	return all
}

func mean(all []float64) float64 {
	var sum float64
	for _, l := range all {
		sum += l
	}
	return sum / float64(len(all))
}

// quantile of sorted values, interpolated between the two nearest.
func quantile(all []float64, q float64) float64 {
	place := q * float64(len(all)-1)
	i := int(place)
	if i+1 == len(all) {
		return all[i]
	}
	return all[i] + (all[i+1]-all[i])*(place-float64(i))
}

// ranked returns the names of counts, most first, then by name.
func ranked(counts map[string]int64) []string {
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return names
}

// hourOf names the hour of a clock on the wall, of which a night may have two.
func hourOf(at time.Time, loc *time.Location) string { return at.In(loc).Format("2006-01-02 15 -0700") }
