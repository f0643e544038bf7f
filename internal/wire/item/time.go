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
func (b *Builder) ReadTime() {
	if us, ok := b.Moment(); ok {
		b.Stamp.Micros, b.Stamp.Given = us, true
	}
}

// Moment reads a time in unix microseconds.
func (b *Builder) Moment() (us int64, ok bool) {
	return ReadMoment(bytes.TrimSpace(b.ReadBrief()))
}

// ReadMoment calls Moment with UTC as the default zone.
func ReadMoment(text []byte) (us int64, ok bool) { return Moment(text, time.UTC) }

// Skew returns how far the sender's clock is ahead of ours, given that it shows sentAt
// (unix microseconds). It returns 0 within MaxSkew, and for more than two centuries, which
// cannot be a clock.
func (b *Builder) Skew(sentAt int64) time.Duration {
	const most = 200 * 365 * 24 * int64(time.Hour/time.Microsecond)
	us := sentAt - b.Now
	if max(us, -us) <= wire.MaxSkew.Microseconds() || max(us, -us) > most {
		return 0
	}
	return time.Duration(us) * time.Microsecond
}

// OwnTimes returns the events with the times of their stamps. ok is false if one has none.
func (b *Builder) OwnTimes() (events []weir.Incoming, ok bool) {
	for i, s := range b.stamps {
		if !s.Given {
			return nil, false
		}
		b.events[i].Event.Time = time.UnixMicro(s.Micros).UTC()
	}
	return b.events, true
}

// SetTimes sets the time of each event: its stamp minus skew, or the stamp itself if it is
// exact. An event without a time, or more than ahead in the future, gets now. An event
// before Limits.Oldest is rejected.
func (b *Builder) SetTimes(skew time.Duration, ahead time.Duration) {
	oldest, latest := b.Limits.Oldest.UnixMicro(), b.Now+ahead.Microseconds()
	kept := 0
	for i := range b.events {
		s := b.stamps[i]
		us := s.Micros
		if !s.Exact {
			us -= skew.Microseconds()
		}
		if !s.Given || us > latest {
			us = b.Now
		}
		if us < oldest {
			b.rejected = append(b.rejected, weir.Rejection{
				Index: b.events[i].Index, Reason: wire.ReasonTimeAncient, Detail: "before " + b.Limits.Oldest.UTC().Format("2006-01-02"),
			})
			continue
		}
		b.events[i].Event.Time = time.UnixMicro(us).UTC()
		if kept < i {
			b.events[kept] = b.events[i]
		}
		kept++
	}
	clear(b.events[kept:])
	b.events = b.events[:kept]
}
