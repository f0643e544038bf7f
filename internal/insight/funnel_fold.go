package insight

import (
	weir "github.com/weir-analytics/weir"
)

// maxOpen is the most attempts of one person that wait for the same step. Of more, the first
// ones and the newest are kept: the newest has the longest time left, so whether a step is
// reached does not depend on the others. Only when the attempt began can: with more than a
// thousand step 1 within a window.
const maxOpen = 1000

// funnelRules say which attempts there are. Steps have numbers from 1; times are in microseconds.
type funnelRules struct {
	order    weir.FunnelOrder
	optional []bool // by step
	window   int64
	entry    span // where step 1 lies
	exclude  []stretchOfSteps
	of       int // the step whose group counts, 0 for the furthest one
}

// stretchOfSteps is what lies after one step and before another.
type stretchOfSteps struct{ from, to int }

// funnelEvent is an event of a person.
type funnelEvent struct {
	at       int64
	steps    uint64 // bit i is set if the event fits step i+1
	excluded uint64 // bit i is set if exclusion i means the event
	group    Group
}

// attempt is one way through a funnel, from one step 1 on.
type attempt struct {
	nth      int     // of the person's events, that which began it
	furthest int     // step
	at       []int64 // by step; of those that were taken
	taken    uint64  // bit i is set if step i+1 was taken
	group    Group
}

// funnelFold finds the attempt that counts for each person. It reads a person's events one
// after another. An event moves all attempts that wait for the same step together, so the time
// that it takes does not grow with the number of attempts.
//
// Attempts that got as far as each other stand in the order of their beginning, and those that
// got further began earlier: whatever an event moves, it moves into the step behind those that
// are there.
type funnelFold struct {
	funnelRules
	last  int         // step
	until []int       // by step: the furthest one that may come next
	open  [][]attempt // by the furthest step that they took
	best  *attempt    // of those that are over
	nth   int         // events of the person so far

	// Of funnels in any order.
	taken    [][]uint64 // by number of steps: which events take them, see augment
	spare    []uint64   // to try an event
	excluded int        // the last event that an exclusion means
}

func newFunnelFold(rules funnelRules) *funnelFold {
	last := len(rules.optional)
	f := &funnelFold{funnelRules: rules, last: last, until: make([]int, last), open: make([][]attempt, last), taken: make([][]uint64, last), spare: make([]uint64, last)}
	for step := range f.taken {
		f.taken[step] = make([]uint64, last)
	}
	for step := 1; step < last; step++ {
		for f.until[step] = step + 1; f.until[step] < last && rules.optional[f.until[step]-1]; {
			f.until[step]++
		}
	}
	return f
}

// add reads the next event of the person.
func (f *funnelFold) add(e *funnelEvent) {
	f.nth++
	if f.best != nil && f.best.furthest == f.last {
		return // An attempt took the last step, so no other gets further. All that began before it have ended.
	}
	f.expire(e.at)
	for step := f.last - 1; step > 0; step-- { // an attempt is moved once
		if len(f.open[step]) > 0 {
			f.move(step, e)
		}
	}
	f.begin(e)
	if e.excluded != 0 {
		f.excluded = f.nth
	}
}

// move takes the attempts of a step as far as the event brings them.
func (f *funnelFold) move(step int, e *funnelEvent) {
	to := f.next(step, e)
	all := f.open[step]
	if f.order == weir.OrderAny {
		for to > 0 && len(all) > 0 && all[0].nth < f.excluded {
			all = all[1:] // void
		}
	} else if f.voids(step, max(step, to), e.excluded) {
		all = nil
	}
	switch {
	case len(all) == 0:
		f.open[step] = f.open[step][:0]
	case to > 0:
		for i := range all {
			f.take(&all[i], to, e)
		}
		if to == f.last {
			f.end(all[0])
		} else {
			f.open[to] = thin(append(f.open[to], all...))
		}
		f.open[step] = f.open[step][:0]
	case f.order == weir.OrderStrict:
		f.end(all[0])
		f.open[step] = f.open[step][:0]
	}
}

// next returns the step that the event takes for attempts that got to a step; 0 is none. Where a
// step may be skipped, the event takes the furthest step that it fits.
func (f *funnelFold) next(step int, e *funnelEvent) int {
	if f.order == weir.OrderAny {
		copy(f.spare, f.taken[step])
		if !augment(f.spare, e.steps, new(uint64)) {
			return 0
		}
		if step+1 < f.last && len(f.open[step+1]) == 0 {
			copy(f.taken[step+1], f.spare)
		}
		return step + 1
	}
	for to := f.until[step]; to > step; to-- {
		if e.steps>>(to-1)&1 == 1 {
			return to
		}
	}
	return 0
}

// augment gives an event that fits some steps one of them, and returns false if it cannot. taken
// has for each step what the event fits that takes it, 0 for none. That event gives way if it
// fits another step that is free. So the steps that are taken are as many as they can be.
//
// Attempts that took equally many steps are alike for all later events: what the later attempt
// read the earlier one read too, so an event that helps the one helps the other.
func augment(taken []uint64, fits uint64, tried *uint64) bool {
	for i := range taken {
		if bit := uint64(1) << i; fits&bit != 0 && *tried&bit == 0 {
			*tried |= bit
			if taken[i] == 0 || augment(taken, taken[i], tried) {
				taken[i] = fits
				return true
			}
		}
	}
	return false
}

// voids says whether an event makes attempts void that had taken a step before it, and that have
// taken step after with it.
func (f *funnelFold) voids(before, after int, excluded uint64) bool {
	for i, x := range f.exclude {
		if excluded>>i&1 == 1 && x.from <= before && after < x.to {
			return true
		}
	}
	return false
}

// begin begins an attempt if the event is a first step.
func (f *funnelFold) begin(e *funnelEvent) {
	first := e.steps&1 == 1
	if f.order == weir.OrderAny {
		first = e.steps != 0
	}
	if !first || e.at < f.entry.from || e.at >= f.entry.to {
		return
	}
	if len(f.open[1]) == 0 && f.order == weir.OrderAny {
		clear(f.taken[1])
		augment(f.taken[1], e.steps, new(uint64))
	}
	a := attempt{nth: f.nth, at: make([]int64, f.last), group: Group{None: true}}
	f.take(&a, 1, e)
	f.open[1] = thin(append(f.open[1], a))
}

func (f *funnelFold) take(a *attempt, step int, e *funnelEvent) {
	a.furthest, a.at[step-1], a.taken = step, e.at, a.taken|1<<(step-1)
	if f.of == step || f.of == 0 {
		a.group = e.group
	}
}

// thin keeps maxOpen attempts.
func thin(all []attempt) []attempt {
	if len(all) > maxOpen {
		all[maxOpen-1] = all[len(all)-1]
		all = all[:maxOpen]
	}
	return all
}

// expire ends the attempts whose window is over. It includes its end.
func (f *funnelFold) expire(now int64) {
	for step, all := range f.open {
		for len(all) > 0 && all[0].at[0]+f.window < now {
			f.end(all[0])
			all = all[1:]
		}
		f.open[step] = all
	}
}

// end keeps an attempt that is over if it is the one that counts.
func (f *funnelFold) end(a attempt) {
	if f.best == nil || a.furthest > f.best.furthest || a.furthest == f.best.furthest && a.nth < f.best.nth {
		f.best = &a
	}
}

// finish returns the attempt that counts for the person whose events were read, nil if there is
// none, and begins the next person.
func (f *funnelFold) finish() *attempt {
	for step, all := range f.open {
		if len(all) > 0 {
			f.end(all[0])
		}
		f.open[step] = all[:0]
	}
	best := f.best
	f.best, f.nth, f.excluded = nil, 0, 0
	return best
}
