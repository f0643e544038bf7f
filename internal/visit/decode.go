package visit

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
)

// DecodeState is the inverse of Encode.
//
// The state keeps parts of b. DecodeState also reads states of earlier versions. A state of version 2
// does not say who was in a visit, so it may have been anybody.
// A state of version 1 does not say which row was written for the visit. That row stays as it is. The
// visit's next row counts the events from now on, under the start that is known.
// So a visit that was open at the upgrade counts twice, and its events once.
func DecodeState(b string) (State, error) {
	r := reader{Reader: codec.NewStringReader(b)}
	sitting := (*reader).sitting
	switch r.version = r.Byte(); r.version {
	case stateVersion, 4, 3, 2:
	case 1:
		sitting = (*reader).sitting1
	default:
		return nil, fmt.Errorf("visit: state of version %d: %w", r.version, codec.ErrCorrupt)
	}
	n := int(r.Byte())
	st := make(State, 0, min(n, 2))
	for range n {
		s := sitting(&r)
		if r.Err() != nil {
			break
		}
		st = append(st, s)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("visit: state: %w", err)
	}
	if r.wrong {
		return nil, fmt.Errorf("visit: state: %w", codec.ErrCorrupt)
	}
	return st, nil
}

// anybody may be in a visit of an earlier version.
const anybody = "\n" + weir.BesideAnonymous + "\n" + weir.BesideCrowd + "\n"

// reader takes back what this package appends.
type reader struct {
	codec.Reader
	version byte
	wrong   bool // a value was out of range
}

func (r *reader) sitting() (s Sitting) {
	flags, more := r.Byte(), byte(0)
	if r.version >= 4 {
		more = r.Byte()
	}
	s.Named, s.Ended, s.Bot, s.Final = flags&flagNamed != 0, flags&flagEnded != 0, flags&flagBot != 0, more&flagFinal != 0
	s.Human, s.HumanView, s.Over = more&flagHuman != 0, more&flagHumanView != 0, more&flagOver != 0
	if r.version < 5 { // a visit with an event of a bot's was a bot's
		s.Human, s.HumanView = !s.Bot, !s.Bot
	}
	s.SessionID = r.id()
	s.Start = r.Time()
	s.End = r.since(s.Start)
	s.Touched = r.since(s.End)
	if r.version >= 3 {
		s.ReceivedAt = r.since(s.Start)
	}
	if s.ProfileID = r.id(); s.ProfileID != "" {
		if s.ProfileAt = s.End; r.version >= 4 {
			s.ProfileAt = r.since(s.End)
		}
	}
	if r.version < 4 {
		s.Final = s.Ended // there is no telling by what
	}
	if s.Beside = anybody; r.version >= 3 {
		s.Beside = weir.Beside(r.String())
	}
	s.Version = uint32(r.Uint())
	for _, n := range []*int64{&s.Events, &s.ScreenViews, &s.Interactive, &s.Calls} {
		*n = int64(r.Uint())
	}
	if flags&flagRevenue != 0 {
		s.Revenue = r.Float()
		r.wrong = r.wrong || math.IsNaN(s.Revenue) || math.IsInf(s.Revenue, 0)
	}
	if flags&flagTrail != 0 {
		r.trail(&s, flags)
	}
	if more&flagFormerly != 0 {
		former := make([]string, min(r.Uint(), mostNames+1))
		for i := range former {
			former[i] = r.id()
		}
		s.Formerly = strings.Join(former, " ")
		r.wrong = r.wrong || !slices.Equal(former, formerly(&s)) || len(former) == 0
	}
	if s.ScreenViews != 0 {
		if flags&flagExit != 0 {
			last := s.lastView()
			s.Exit, s.ExitAt = last.Path, last.At
		} else {
			s.Exit, s.ExitAt = r.String(), r.since(s.Start)
		}
		switch {
		case more&flagFirst == 0:
			if s.Entry = s.Exit; flags&flagEntry == 0 {
				s.Entry = r.String()
			}
			s.EntryAt = r.since(s.Start)
		case len(s.Trail) > 0:
			s.Entry, s.EntryAt = s.Trail[0].Path, s.Trail[0].At
		default:
			r.wrong = true
		}
	}
	for _, w := range []*string{&s.Channel, &s.Browser, &s.OS, &s.DeviceType} {
		*w = r.word()
	}
	for _, t := range s.texts() {
		*t = r.String()
	}
	return s
}

// trail takes the steps of a visit. Before version 5 there was the last screen view alone.
func (r *reader) trail(s *Sitting, flags byte) {
	if r.version < 5 {
		p := Step{EventID: r.id(), Path: r.String(), Origin: r.String(), At: r.since(s.Start)}
		if flags&flagClosed != 0 {
			p.Closed, p.ClosedAt = true, p.At
		}
		s.Trail = []Step{p}
		return
	}
	before, next := Step{At: s.Start}, false
	n := r.Uint()
	s.Trail = make([]Step, 0, min(n, mostSteps))
	for range n {
		if r.Err() != nil || r.wrong {
			return
		}
		f := r.Byte()
		p := Step{At: r.since(before.At)}
		if next {
			s.Trail[len(s.Trail)-1].ClosedAt = p.At
		}
		n := int(r.Byte())
		if n > len(before.Path) {
			r.wrong = true
			return
		}
		// A path without a beginning of another's stays a part of what is read.
		if p.Path = r.String(); n > 0 {
			p.Path = before.Path[:n] + p.Path
		}
		if f&stepView != 0 {
			p.EventID = r.id()
		}
		if p.Origin = before.Origin; f&stepOrigin == 0 {
			p.Origin = r.String()
		}
		p.Closed = f&stepClosed != 0
		if next = f&stepNext != 0; p.Closed && !next {
			p.ClosedAt = r.since(p.At)
		}
		r.wrong = r.wrong || p.isView() != (f&stepView != 0) || next && !p.Closed
		before = p
		s.Trail = append(s.Trail, p)
	}
	r.wrong = r.wrong || next
}

// sitting1 takes a visit as version 1 had it. Version is that of the row which
// the cold tier made of those that stood for the visit.
func (r *reader) sitting1() (s Sitting) {
	flags := r.Byte()
	s.Named, s.Ended, s.Version = flags&flagNamed != 0, flags&flagEnded != 0, 1
	s.SessionID = r.String()
	s.Start, s.End, s.Touched = r.Time(), r.Time(), r.Time()
	s.ProfileID, s.Beside, s.Final = r.String(), anybody, s.Ended
	if s.ProfileID != "" {
		s.ProfileAt = s.End
	}
	s.Human, s.HumanView = true, true
	if p := (Step{EventID: r.String(), Path: r.String(), Origin: r.String(), At: r.Time()}); p.isView() {
		if flags&flagClosed != 0 {
			p.Closed, p.ClosedAt = true, p.At
		}
		s.Trail = []Step{p}
	}
	return s
}

func (r *reader) since(from time.Time) time.Time {
	return time.UnixMicro(from.UnixMicro() + r.Int()).UTC()
}

func (r *reader) id() string {
	form, raw := r.Byte(), r.String()
	if form == idText {
		return raw
	}
	r.wrong = r.wrong || form > idUUID || form == idUUID && len(raw) != 16
	if r.wrong {
		return ""
	}
	return idOf(form, raw)
}

func (r *reader) word() string {
	i := int(r.Byte())
	switch {
	case i == 0:
		return r.String()
	case i <= len(words):
		return words[i-1]
	}
	r.wrong = true
	return ""
}
