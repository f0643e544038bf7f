package wire

import (
	"bytes"
	"time"

	weir "github.com/weir-analytics/weir"
)

// stamp is an item's time as the sender has it, in unix microseconds.
type stamp struct {
	us    int64
	given bool
	exact bool // not to be corrected by the sender's clock
}

// timed reads the item's time: RFC 3339, the same without an offset (UTC), or a
// unix time, also as a string. What is none leaves the item without one.
func (d *draft) timed() {
	if us, ok := d.moment(); ok {
		d.stamp.us, d.stamp.given = us, true
	}
}

// moment reads a time in unix microseconds.
func (d *draft) moment() (us int64, ok bool) {
	at := d.texted()
	text := bytes.TrimSpace(d.text[at.from:at.to])
	us, ok = readMoment(text)
	d.text = d.text[:at.from]
	return us, ok
}

// readMoment is Moment in UTC.
func readMoment(text []byte) (us int64, ok bool) { return Moment(text, time.UTC) }

// MaxSkew is how far from ours a sender's clock may be without being corrected for. A
// request takes its time, which would go into the correction, and of the requests of
// one sender the later may be the faster: within this the sender's times are the truer
// ones.
const MaxSkew = time.Minute

// skew is by how much the sender's clock is ahead, in unix microseconds, when it is
// sentAt; 0 within MaxSkew. What is beyond two centuries is no clock.
func (d *draft) skew(sentAt int64) time.Duration {
	const most = 200 * 365 * 24 * int64(time.Hour/time.Microsecond)
	us := sentAt - d.now
	if max(us, -us) <= MaxSkew.Microseconds() || max(us, -us) > most {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// date gives each event its time: that of its stamp, less skew, by which the
// sender's clock is ahead, unless it is exact. What is more than ahead after now,
// and what has no time, is now; what is before Limits.Oldest is rejected.
func (d *draft) date(skew time.Duration, ahead time.Duration) {
	oldest, latest := d.limits.Oldest.UnixMicro(), d.now+ahead.Microseconds()
	taken := 0
	for i := range d.in {
		s := d.stamps[i]
		us := s.us
		if !s.exact {
			us -= skew.Microseconds()
		}
		if !s.given || us > latest {
			us = d.now
		}
		if us < oldest {
			d.rejected = append(d.rejected, weir.Rejection{
				Index: d.in[i].Index, Reason: ReasonTimeAncient, Detail: "before " + d.limits.Oldest.UTC().Format("2006-01-02"),
			})
			continue
		}
		d.in[i].Event.Time = time.UnixMicro(us).UTC()
		if taken < i {
			d.in[taken] = d.in[i]
		}
		taken++
	}
	clear(d.in[taken:])
	d.in = d.in[:taken]
}
