package redis

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// cell is where events count alike: one minute of one project. All buckets of
// a minute's events are the same, so an event is added up once, not once a
// bucket.
type cell struct {
	project string
	minute  int64
	loc     *time.Location
}

// sums are what a cell or a bucket adds to the counters.
type sums struct {
	counts  [len(kinds)]map[string]int64 // by kind, then field
	devices map[string]struct{}
}

var kinds = [...]string{kindTotals, kindNames, kindRoutes, kindConsumers}

func kindIndex(d hot.Dimension) int {
	switch d {
	case hot.Name:
		return 1
	case hot.Route:
		return 2
	case hot.Consumer:
		return 3
	default:
		return 0
	}
}

func newSums() *sums {
	s := &sums{devices: map[string]struct{}{}}
	for i := range s.counts {
		s.counts[i] = map[string]int64{}
	}
	return s
}

func (s *sums) reset() {
	for i := range s.counts {
		clear(s.counts[i])
	}
	clear(s.devices)
}

func (s *sums) add(e *weir.Event, counted bool) {
	var facts [8]hot.Fact
	for _, f := range hot.Facts(facts[:0], e) {
		s.counts[kindIndex(f.Dimension)][field(f.Dimension, f.Member)]++
	}
	if e.DeviceID != "" && !counted {
		s.devices[e.DeviceID] = struct{}{}
	}
}

func (s *sums) merge(from *sums) {
	for i := range s.counts {
		for k, n := range from.counts[i] {
			s.counts[i][k] += n
		}
	}
	for d := range from.devices {
		s.devices[d] = struct{}{}
	}
}

// bucketOf names one bucket of one project.
type bucketOf struct {
	project string
	hot.Bucket
}

// tally adds a group up by bucket.
type tally struct {
	cells map[cell]*sums
	spare []*sums
	last  cell
	into  *sums // of last
}

func (t *tally) reset() {
	for _, s := range t.cells {
		s.reset()
		t.spare = append(t.spare, s)
	}
	clear(t.cells)
	t.into = nil
}

func (t *tally) sums() *sums {
	if n := len(t.spare); n > 0 {
		s := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return s
	}
	return newSums()
}

func (t *tally) add(it hot.Item, m marks) {
	e := it.Event
	c := cell{e.ProjectID, floorMinute(e.Time), it.Location}
	if t.into == nil || c != t.last {
		s := t.cells[c]
		if s == nil {
			s = t.sums()
			t.cells[c] = s
		}
		t.last, t.into = c, s
	}
	t.into.add(e, m.counted(visitor{e.ProjectID, e.DeviceID}, c.minute))
}

// eachBucket calls fn with each bucket that is still kept at now, and what it
// gets. Buckets that get the same are given the same sums.
func (t *tally) eachBucket(now time.Time, fn func(b bucketOf, s *sums)) {
	var buckets [len(hot.Grains)]hot.Bucket
	if len(t.cells) == 1 {
		for c, s := range t.cells {
			for _, b := range hot.Buckets(buckets[:0], time.Unix(c.minute*60, 0), c.loc, now) {
				fn(bucketOf{c.project, b}, s)
			}
		}
		return
	}
	all, own := map[bucketOf]*sums{}, map[*sums]bool{}
	for c, s := range t.cells {
		for _, b := range hot.Buckets(buckets[:0], time.Unix(c.minute*60, 0), c.loc, now) {
			k := bucketOf{c.project, b}
			switch had := all[k]; {
			case had == nil:
				all[k] = s
			case own[had]:
				had.merge(s)
			default: // a cell's own sums are shared by its buckets
				m := t.sums()
				m.merge(had)
				m.merge(s)
				own[m] = true
				all[k] = m
			}
		}
	}
	for b, s := range all {
		fn(b, s)
	}
	for m := range own {
		m.reset()
		t.spare = append(t.spare, m)
	}
}

func floorMinute(t time.Time) int64 {
	u := t.Unix()
	if u < 0 {
		u -= 59
	}
	return u / 60
}
