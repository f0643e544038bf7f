package item

import (
	"bytes"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Stamp is an item's time by the sender's clock, in unix microseconds.
type Stamp struct {
	Micros int64
	Given  bool
	Exact  bool // not to be corrected by the sender's clock
}

// ReadTime reads the item's time: RFC 3339 (without an offset it is UTC), or a unix time as
// number or string. Any other value leaves the item without a time.
func (d *Builder) ReadTime() {
	if us, ok := d.Moment(); ok {
		d.Stamp.Micros, d.Stamp.Given = us, true
	}
}

// Moment reads a time in unix microseconds.
func (d *Builder) Moment() (us int64, ok bool) {
	at := d.ReadText()
	text := bytes.TrimSpace(d.Text[at.From:at.To])
	us, ok = ReadMoment(text)
	d.Text = d.Text[:at.From]
	return us, ok
}

// ReadMoment calls Moment with UTC as the default zone.
func ReadMoment(text []byte) (us int64, ok bool) { return Moment(text, time.UTC) }

// Skew returns how far the sender's clock is ahead of ours, given that it shows sentAt
// (unix microseconds). It returns 0 within MaxSkew, and for more than two centuries, which
// cannot be a clock.
func (d *Builder) Skew(sentAt int64) time.Duration {
	const most = 200 * 365 * 24 * int64(time.Hour/time.Microsecond)
	us := sentAt - d.Now
	if max(us, -us) <= wire.MaxSkew.Microseconds() || max(us, -us) > most {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// SetTimes sets the time of each event: its stamp minus skew, or the stamp itself if it is
// exact. An event without a time, or more than ahead in the future, gets now. An event
// before Limits.Oldest is rejected.
func (d *Builder) SetTimes(skew time.Duration, ahead time.Duration) {
	oldest, latest := d.Limits.Oldest.UnixMicro(), d.Now+ahead.Microseconds()
	taken := 0
	for i := range d.Events {
		s := d.Stamps[i]
		us := s.Micros
		if !s.Exact {
			us -= skew.Microseconds()
		}
		if !s.Given || us > latest {
			us = d.Now
		}
		if us < oldest {
			d.Rejected = append(d.Rejected, weir.Rejection{
				Index: d.Events[i].Index, Reason: wire.ReasonTimeAncient, Detail: "before " + d.Limits.Oldest.UTC().Format("2006-01-02"),
			})
			continue
		}
		d.Events[i].Event.Time = time.UnixMicro(us).UTC()
		if taken < i {
			d.Events[taken] = d.Events[i]
		}
		taken++
	}
	clear(d.Events[taken:])
	d.Events = d.Events[:taken]
}
