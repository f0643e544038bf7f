package redis

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// cell is one minute of one project. All events of a cell count in the same buckets, so
// an event is added up once, and not once per bucket.
type cell struct {
	project string
	minute  int64
	loc     *time.Location
}

// sums are the increments of a cell or a bucket.
type sums struct {
	fixed   [hot.FixedSlots]int64
	members map[hot.Fact]int64 // of open dimensions
	devices map[string]struct{}
	bots    map[string]struct{} // devices that are bots
	botted  int64               // events of bots
}

func newSums() *sums {
	return &sums{members: map[hot.Fact]int64{}, devices: map[string]struct{}{}, bots: map[string]struct{}{}}
}

func (s *sums) reset() {
	clear(s.fixed[:])
	clear(s.members)
	clear(s.devices)
	clear(s.bots)
	s.botted = 0
}

func (s *sums) add(e *weir.Event, counted bool) {
	var facts [8]hot.Fact
	for _, f := range hot.Facts(facts[:0], e) {
		if slot := hot.FixedSlot(f.Dimension, f.Member); slot >= 0 {
			s.fixed[slot]++
		} else {
			s.members[f]++
		}
	}
	in := s.devices
	if e.Bot {
		in = s.bots
		s.botted++
	}
	if e.DeviceID != "" && !counted {
		in[e.DeviceID] = struct{}{}
	}
}

func (s *sums) merge(from *sums) {
	for i, n := range from.fixed {
		s.fixed[i] += n
	}
	for f, n := range from.members {
		s.members[f] += n
	}
	for d := range from.devices {
		s.devices[d] = struct{}{}
	}
	for d := range from.bots {
		s.bots[d] = struct{}{}
	}
	s.botted += from.botted
}

// bucketOf names one bucket of one project.
type bucketOf struct {
	project string
	hot.Bucket
}

// increments adds up a group's events by bucket.
type increments struct {
	cells map[cell]*sums
	spare []*sums
	last  cell
	into  *sums // of last
}

func (t *increments) reset() {
	for _, s := range t.cells {
		s.reset()
		t.spare = append(t.spare, s)
	}
	clear(t.cells)
	t.into = nil
}

func (t *increments) sums() *sums {
	if n := len(t.spare); n > 0 {
		s := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return s
	}
	return newSums()
}

func (t *increments) add(it hot.Item, m marks) {
	e := it.Event
	c := cell{e.ProjectID, hot.MinuteOf(e.Time), it.Location}
	if t.into == nil || c != t.last {
		s := t.cells[c]
		if s == nil {
			s = t.sums()
			t.cells[c] = s
		}
		t.last, t.into = c, s
	}
	t.into.add(e, m.counted(visitor{hot.CrowdOf(e), e.DeviceID}, c.minute))
}

// eachBucket calls fn with each bucket that is still kept at now, and the sums to add to it.
// Buckets with equal sums share them.
func (t *increments) eachBucket(now time.Time, fn func(b bucketOf, s *sums)) {
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
