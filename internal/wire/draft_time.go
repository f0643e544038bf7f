package wire

import (
	"bytes"
	"time"

	weir "github.com/weir-analytics/weir"
)

// stamp is an item's time by the sender's clock, in unix microseconds.
type stamp struct {
	us    int64
	given bool
	exact bool // not to be corrected by the sender's clock
}

// timed reads the item's time: RFC 3339 (without an offset it is UTC), or a unix time as
// number or string. Any other value leaves the item without a time.
func (d *draft) timed() {
	if us, ok := d.moment(); ok {
		d.stamp.us, d.stamp.given = us, true
	}
}

// moment reads a time in unix microseconds.
func (d *draft) moment() (us int64, ok bool) {
	at := d.readText()
	text := bytes.TrimSpace(d.text[at.from:at.to])
	us, ok = readMoment(text)
	d.text = d.text[:at.from]
	return us, ok
}

// readMoment calls Moment with UTC as the default zone.
func readMoment(text []byte) (us int64, ok bool) { return Moment(text, time.UTC) }

// MaxSkew is the largest difference between a sender's clock and ours that is not
// corrected. The correction includes the time that the request took, and a later request
// may be faster than an earlier one. So below MaxSkew the sender's times are more exact.
const MaxSkew = time.Minute

// skew returns how far the sender's clock is ahead of ours, given that it shows sentAt
// (unix microseconds). It returns 0 within MaxSkew, and for more than two centuries, which
// cannot be a clock.
func (d *draft) skew(sentAt int64) time.Duration {
	const most = 200 * 365 * 24 * int64(time.Hour/time.Microsecond)
	us := sentAt - d.now
	if max(us, -us) <= MaxSkew.Microseconds() || max(us, -us) > most {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// date sets the time of each event: its stamp minus skew, or the stamp itself if it is
// exact. An event without a time, or more than ahead in the future, gets now. An event
// before Limits.Oldest is rejected.
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
