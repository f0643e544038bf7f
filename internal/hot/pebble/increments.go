package pebble

import (
	"cmp"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// increments adds up a group's events by bucket. Events of one minute of a project count
// in the same buckets, so they are added up once per minute (cell) and shared.
type increments struct {
	cells   map[cell]*sums
	last    cell
	into    *sums // of last; nil without any
	buckets []bucketSums
	spare   []*sums
}

// cell is one minute of one project.
type cell struct {
	project string
	minute  int64
	loc     *time.Location
}

// bucketOf names one bucket of one project.
type bucketOf struct {
	project string
	hot.Bucket
}

// bucketSums are the increments of one bucket. Buckets with equal increments share them.
type bucketSums struct {
	bucketOf
	sums *sums
}

// sums are numbers of events by fact: by name, route, status and so on.
type sums struct {
	facts []sum
	index map[hot.Fact]int // while events are added

	kept    int // of buckets; 0 is no cell's own sums
	buckets [len(hot.Grains)]hot.Bucket
}

type sum struct {
	hot.Fact
	n int64
}

func newIncrements() increments { return increments{cells: map[cell]*sums{}} }

func (t *increments) reset() {
	for _, s := range t.cells {
		clear(s.facts) // what is spare must not hold the request
		s.facts = s.facts[:0]
		t.spare = append(t.spare, s)
	}
	clear(t.cells)
	clear(t.buckets)
	t.last, t.into, t.buckets = cell{}, nil, t.buckets[:0]
}

// add adds an event that counts in the buckets, which are those of its minute.
func (t *increments) add(e *weir.Event, minute int64, loc *time.Location, buckets []hot.Bucket) {
	if c := (cell{e.ProjectID, minute, loc}); t.into == nil || c != t.last {
		s := t.cells[c]
		if s == nil {
			s = t.sums()
			s.kept = copy(s.buckets[:], buckets)
			t.cells[c] = s
		}
		t.last, t.into = c, s
	}
	var facts [8]hot.Fact
	s := t.into
	for _, f := range hot.Facts(facts[:0], e) {
		i, ok := s.index[f]
		if !ok {
			i = len(s.facts)
			s.index[f] = i
			s.facts = append(s.facts, sum{Fact: f})
		}
		s.facts[i].n++
	}
}

func (t *increments) sums() *sums {
	if n := len(t.spare); n > 0 {
		s := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return s
	}
	return &sums{index: map[hot.Fact]int{}}
}

// done makes the buckets from the cells. They and their facts are in the order of
// their keys, for which the memtable is much faster.
func (t *increments) done() {
	for c, s := range t.cells {
		clear(s.index)
		s.sort()
		for _, b := range s.buckets[:s.kept] {
			t.buckets = append(t.buckets, bucketSums{bucketOf{c.project, b}, s})
		}
	}
	slices.SortFunc(t.buckets, func(a, b bucketSums) int { return a.compare(b.bucketOf) })
	all := t.buckets
	t.buckets = t.buckets[:0]
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].bucketOf == all[0].bucketOf {
			n++
		}
		b := all[0]
		if n > 1 {
			b.sums = merged(all[:n])
		}
		t.buckets, all = append(t.buckets, b), all[n:]
	}
}

// merged returns the sums of all in one.
func merged(all []bucketSums) *sums {
	m := &sums{}
	for _, b := range all {
		m.facts = append(m.facts, b.sums.facts...)
	}
	m.sort()
	to := 0
	for _, f := range m.facts[1:] {
		if f.Fact == m.facts[to].Fact {
			m.facts[to].n += f.n
		} else {
			to++
			m.facts[to] = f
		}
	}
	m.facts = m.facts[:to+1]
	return m
}

func (s *sums) sort() {
	slices.SortFunc(s.facts, func(a, b sum) int { return compareFacts(a.Fact, b.Fact) })
}

// remove subtracts an event again (it was a duplicate). Call it after done.
func (t *increments) remove(e *weir.Event, buckets []hot.Bucket) {
	var facts [8]hot.Fact
	var from []*sums
	for _, b := range buckets {
		i, _ := slices.BinarySearchFunc(t.buckets, bucketOf{e.ProjectID, b}, bucketSums.compare)
		s := t.buckets[i].sums
		if slices.Contains(from, s) {
			continue
		}
		from = append(from, s)
		for _, f := range hot.Facts(facts[:0], e) {
			i, _ := slices.BinarySearchFunc(s.facts, f, func(s sum, f hot.Fact) int { return compareFacts(s.Fact, f) })
			s.facts[i].n--
		}
	}
}

func (b bucketSums) compare(k bucketOf) int {
	return cmp.Or(strings.Compare(b.project, k.project), cmp.Compare(b.Grain, k.Grain), cmp.Compare(b.Start, k.Start))
}

func compareFacts(a, b hot.Fact) int {
	return cmp.Or(cmp.Compare(a.Dimension, b.Dimension), strings.Compare(a.Member, b.Member))
}
