package insight

import (
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// buckets divide a range. Bucket i is [starts[i], starts[i+1]), the last one ends at to.
// The first may begin before from; only what is in [from, to) counts. Microseconds since
// 1970 UTC.
type buckets struct {
	from, to int64
	starts   []int64
}

// divide makes buckets of [from, to) by an interval on the clock of loc. A minute or an
// hour begins anew where the zone's offset changes, so an hour that occurs twice in a
// night is two buckets. A day begins at the first instant of its date; a week on Monday.
// Error: EINVALID.
func divide(from, to time.Time, interval weir.Interval, loc *time.Location, limit int) (buckets, error) {
	if !from.Before(to) {
		return buckets{}, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	width, ok := widths[interval]
	if !ok {
		return buckets{}, weir.Errorf(weir.EINVALID, "unknown interval %q: use minute, hour, day, week or month", interval)
	}
	if n := to.Sub(from)/width + 1; int64(n) > int64(limit) {
		return buckets{}, weir.Errorf(weir.EINVALID, "the range has %d points, more than %d: use a longer interval or a shorter range", n, limit)
	}
	b := buckets{from: from.UnixMicro(), to: to.UnixMicro()}
	if interval == weir.Minute || interval == weir.Hour {
		b.clock(from.In(loc), to, width)
	} else {
		b.calendar(from.In(loc), to, interval)
	}
	return b, nil
}

// oneBucket returns a range that is a single bucket.
func oneBucket(from, to time.Time) buckets {
	return buckets{from: from.UnixMicro(), to: to.UnixMicro(), starts: []int64{from.UnixMicro()}}
}

// widths are the least lengths of the intervals, up to an hour: a day on which clocks are
// put forward has 23 hours.
var widths = map[weir.Interval]time.Duration{
	weir.Minute: time.Minute,
	weir.Hour:   time.Hour,
	weir.Day:    24 * time.Hour,
	weir.Week:   7 * 24 * time.Hour,
	weir.Month:  28 * 24 * time.Hour,
}

// clock adds buckets of minutes or hours, for one stretch of constant offset after another.
func (b *buckets) clock(from, to time.Time, width time.Duration) {
	for t := from; t.Before(to); {
		begin, end := stretch(t)
		start := weir.TruncateLocal(t, width)
		if start.Before(begin) {
			start = begin
		}
		for t = start; t.Before(to) && (end.IsZero() || t.Before(end)); {
			b.starts = append(b.starts, t.UnixMicro())
			t = weir.TruncateLocal(t, width).Add(width) // the next full one, also from a start inside the width
		}
		if !end.IsZero() && !t.Before(end) {
			t = end
		}
	}
}

// stretch returns the time around t with the offset of t. end is zero if it never changes
// again. ZoneBounds alone also ends where only the zone's name changes.
func stretch(t time.Time) (begin, end time.Time) {
	_, offset := t.Zone()
	begin, end = t.ZoneBounds()
	for !begin.IsZero() {
		before := begin.Add(-time.Second)
		if _, o := before.Zone(); o != offset {
			break
		}
		begin, _ = before.ZoneBounds()
	}
	for !end.IsZero() {
		if _, o := end.Zone(); o != offset {
			break
		}
		_, end = end.ZoneBounds()
	}
	return begin, end
}

// calendar adds buckets of days, weeks or months.
func (b *buckets) calendar(from, to time.Time, interval weir.Interval) {
	y, m, d := weir.CalendarDate(from, from.Location())
	days, months := 1, 0
	switch interval {
	case weir.Week:
		d = weir.Monday(y, m, d)
		days = 7
	case weir.Month:
		d, days, months = 1, 0, 1
	}
	for {
		t := weir.Midnight(y, m, d, from.Location())
		if !t.Before(to) {
			return
		}
		// A date that the zone skipped begins where the next one does.
		if us := t.UnixMicro(); len(b.starts) == 0 || us > b.starts[len(b.starts)-1] {
			b.starts = append(b.starts, us)
		}
		d += days
		m += time.Month(months)
	}
}

// after returns the begin of the nth bucket after the one that begins at start. The interval is a day, a week or
// a month.
//
// Example: 2 weeks after Monday, 23 March is Monday, 6 April.
func after(start time.Time, interval weir.Interval, n int) time.Time {
	y, m, d := weir.CalendarDate(start, start.Location())
	switch interval {
	case weir.Week:
		d += 7 * n
	case weir.Month:
		m += time.Month(n)
	default:
		d += n
	}
	return weir.Midnight(y, m, d, start.Location())
}

// shift moves the range and each bucket; move must keep their order.
func (b buckets) shift(loc *time.Location, move func(time.Time) time.Time) buckets {
	at := func(us int64) int64 { return move(time.UnixMicro(us).In(loc)).UnixMicro() }
	s := buckets{from: at(b.from), to: at(b.to), starts: make([]int64, len(b.starts))}
	for i, us := range b.starts {
		s.starts[i] = at(us)
		if i > 0 {
			s.starts[i] = max(s.starts[i], s.starts[i-1])
		}
	}
	return s
}

// end returns the end of bucket i. A bucket may be empty, but it never ends before it
// begins.
func (b buckets) end(i int) int64 {
	if i+1 < len(b.starts) {
		return b.starts[i+1]
	}
	return max(b.to, b.starts[i])
}

// run is a number of buckets of one width, one after the other.
type run struct {
	start, width int64
	first, n     int // index of its first bucket, and how many it has
}

// runs joins buckets of equal width, so that SQL finds a bucket with one division for each
// run. Days have one width but where clocks change.
//
// Example: five days, the third with 23 hours, are three runs: {0, 24h, first 0, n 2},
// {48h, 23h, first 2, n 1} and {71h, 24h, first 3, n 2}.
func (b buckets) runs() []run {
	var rs []run
	for i, start := range b.starts {
		var width int64
		last := i+1 == len(b.starts)
		if last {
			width = max(b.to-start, 1)
		} else if width = b.starts[i+1] - start; width == 0 {
			continue // an empty bucket
		}
		if len(rs) > 0 {
			r := &rs[len(rs)-1]
			// A last bucket that the range cuts short goes with those before it.
			fits := width == r.width || last && width < r.width
			if fits && i == r.first+r.n && start == r.start+int64(r.n)*r.width {
				r.n++
				continue
			}
		}
		rs = append(rs, run{start: start, width: width, first: i, n: 1})
	}
	return rs
}

// quarterOfHour is the unit of the column quarter, in microseconds.
const quarterOfHour = 15 * 60 * 1_000_000

// moment is the SQL of what index needs of a row: its time, under the name moment. If all
// buckets begin with a quarter of an hour, it is the column quarter, which is cheaper to
// read than the timestamp.
func (b buckets) moment(d cold.Dialect) string {
	if b.inQuarters() {
		return "quarter AS moment"
	}
	return d.Micros("ts") + " AS moment"
}

// index is the SQL of a row's bucket number, made of its moment. It is a search tree over
// the runs, with a division at each leaf. DuckDB's own functions of timezones take 30
// times as long.
//
// Example: the three runs of the example of runs are
//
//	CASE WHEN moment < 48h THEN moment // 24h
//	ELSE CASE WHEN moment < 71h THEN 2 ELSE 3 + (moment - 71h) // 24h END END
func (b buckets) index(d cold.Dialect) string {
	rs := b.runs()
	if b.inQuarters() {
		for i := range rs {
			rs[i].start /= quarterOfHour
			rs[i].width /= quarterOfHour
		}
	}
	return tree(d, rs)
}

// inBuckets is a table of (b, columns…) made of picked, a statement with the columns moment
// and columns: b is the number of the row's bucket.
func (r *reader) inBuckets(b buckets, columns string, picked fragment) fragment {
	return selection{columns: names(b.index(r.d)+" AS b", columns), from: sql("(@) AS picked", picked)}.as("bucketed")
}

// inQuarters says whether all buckets begin with a quarter of an hour.
func (b buckets) inQuarters() bool {
	for _, us := range b.starts {
		if us%quarterOfHour != 0 {
			return false
		}
	}
	return true
}

// wholeQuarters says whether the range is one of whole quarters of an hour too.
func (b buckets) wholeQuarters() bool {
	return b.inQuarters() && b.from%quarterOfHour == 0 && b.to%quarterOfHour == 0
}

func tree(d cold.Dialect, rs []run) string {
	if len(rs) == 1 {
		r := rs[0]
		if r.n == 1 {
			return fmt.Sprint(r.first)
		}
		i := d.IntDiv(fmt.Sprintf("(moment - %d)", r.start), fmt.Sprint(r.width))
		if r.first == 0 {
			return i
		}
		return fmt.Sprintf("(%d + %s)", r.first, i)
	}
	mid := len(rs) / 2
	return fmt.Sprintf("CASE WHEN moment < %d THEN %s ELSE %s END", rs[mid].start, tree(d, rs[:mid]), tree(d, rs[mid:]))
}
