package visit

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
)

// stateVersion: 1 has the begin, the end and the last screen view of a visit; 2 has all that a
// cancellation needs; 3 has the persons whose events are in it; 4 has whether a session_end
// ended it, and when its profile was last seen.
const stateVersion = 4

const (
	flagNamed = 1 << iota
	flagEnded
	flagClosed
	flagBot
	flagRevenue // there is some
	flagView    // there is a last screen view
	flagExit    // the exit is the last screen view
	flagEntry   // the entry has the path of the exit
)

// Encode is the state's stored form. The hot tier holds one for each device with
// an open visit, in memory where that is Redis: so times are relative to others
// of the visit, and nothing stands in it twice.
func (st State) Encode() []byte {
	b := make([]byte, 0, 256)
	b = append(b, stateVersion, byte(len(st)))
	for i := range st {
		b = st[i].append(b)
	}
	return b
}

func (s *Sitting) append(b []byte) []byte {
	flags := s.flags()
	b = append(b, flags, final(s.Final))
	b = appendID(b, s.SessionID)
	b = codec.AppendTime(b, s.Start)
	b = appendSince(b, s.End, s.Start)
	b = appendSince(b, s.Touched, s.End)
	b = appendSince(b, s.ReceivedAt, s.Start)
	b = appendID(b, s.ProfileID)
	if s.ProfileID != "" {
		b = appendSince(b, s.ProfileAt, s.End)
	}
	b = codec.AppendString(b, string(s.Beside))
	b = codec.AppendUint(b, uint64(s.Version))
	for _, n := range []int64{s.Events, s.ScreenViews, s.Interactive, s.Calls} {
		b = codec.AppendUint(b, uint64(n))
	}
	if flags&flagRevenue != 0 {
		b = codec.AppendFloat(b, s.Revenue)
	}
	if flags&flagView != 0 {
		b = appendID(b, s.View.EventID)
		b = codec.AppendString(b, s.View.Path)
		b = codec.AppendString(b, s.View.Origin)
		b = appendSince(b, s.View.At, s.Start)
	}
	if s.ScreenViews != 0 {
		if flags&flagExit == 0 {
			b = codec.AppendString(b, s.Exit)
			b = appendSince(b, s.ExitAt, s.Start)
		}
		if flags&flagEntry == 0 {
			b = codec.AppendString(b, s.Entry)
		}
		b = appendSince(b, s.EntryAt, s.Start)
	}
	for _, w := range []string{s.Channel, s.Browser, s.OS, s.DeviceType} {
		b = appendWord(b, w)
	}
	for _, t := range s.texts() {
		b = codec.AppendString(b, *t)
	}
	return b
}

func final(f bool) byte {
	if f {
		return 1
	}
	return 0
}

func (s *Sitting) flags() (flags byte) {
	for _, f := range []struct {
		flag byte
		set  bool
	}{
		{flagNamed, s.Named},
		{flagEnded, s.Ended},
		{flagClosed, s.View.Closed},
		{flagBot, s.Bot},
		{flagRevenue, s.Revenue != 0},
		{flagView, s.View != View{Closed: s.View.Closed}},
		{flagExit, s.Exit == s.View.Path && s.ExitAt.Equal(s.View.At)},
		{flagEntry, s.Entry == s.Exit},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}

// texts are the parts of the visitor that are stored as they are.
func (s *Sitting) texts() []*string {
	return []*string{&s.Referrer, &s.UTMSource, &s.UTMMedium, &s.UTMCampaign, &s.Country, &s.Region, &s.City, &s.Language}
}

// DecodeState is the inverse of Encode.
//
// The state keeps parts of b. It reads what servers of the versions before have left. Of version 2
// there is no telling who was in a visit: it may have been anybody.
// Of version 1 there is no telling what that one wrote of the visit: its row stays as it is, and the
// visit's next row counts the events from now on, under the start that is known.
// So a visit that was open at the upgrade counts twice, and its events once.
func DecodeState(b string) (State, error) {
	r := reader{Reader: codec.NewStringReader(b)}
	sitting := (*reader).sitting
	switch r.version = r.Byte(); r.version {
	case stateVersion, 3, 2:
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

// Idle says whether the state has a visit that no batch has touched for Idle
// before now: one that Expire would end.
func (st State) Idle(now time.Time) bool {
	for i := range st {
		if now.Sub(st[i].Touched) >= Idle {
			return true
		}
	}
	return false
}

// reader takes back what this package appends.
type reader struct {
	codec.Reader
	version byte
	wrong   bool // a value was out of range
}

func (r *reader) sitting() (s Sitting) {
	flags := r.Byte()
	if r.version >= 4 {
		f := r.Byte()
		s.Final, r.wrong = f == 1, r.wrong || f > 1
	}
	s.Named, s.Ended, s.Bot = flags&flagNamed != 0, flags&flagEnded != 0, flags&flagBot != 0
	s.View.Closed = flags&flagClosed != 0
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
	if flags&flagView != 0 {
		s.View.EventID, s.View.Path, s.View.Origin, s.View.At = r.id(), r.String(), r.String(), r.since(s.Start)
	}
	if s.ScreenViews != 0 {
		if flags&flagExit != 0 {
			s.Exit, s.ExitAt = s.View.Path, s.View.At
		} else {
			s.Exit, s.ExitAt = r.String(), r.since(s.Start)
		}
		if s.Entry = s.Exit; flags&flagEntry == 0 {
			s.Entry = r.String()
		}
		s.EntryAt = r.since(s.Start)
	}
	for _, w := range []*string{&s.Channel, &s.Browser, &s.OS, &s.DeviceType} {
		*w = r.word()
	}
	for _, t := range s.texts() {
		*t = r.String()
	}
	return s
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
	s.View = View{EventID: r.String(), Path: r.String(), Origin: r.String(), At: r.Time(), Closed: flags&flagClosed != 0}
	return s
}

// appendSince appends the microseconds from one time to another.
func appendSince(b []byte, t, from time.Time) []byte {
	return codec.AppendInt(b, t.UnixMicro()-from.UnixMicro())
}

func (r *reader) since(from time.Time) time.Time {
	return time.UnixMicro(from.UnixMicro() + r.Int()).UTC()
}

// Forms of an id.
const (
	idText = iota
	idHex  // lower case
	idUUID // lower case, with its dashes
)

// dashes of a UUID's text.
var dashes = []int{8, 13, 18, 23}

// appendID appends a text that often is a number in hexadecimal.
func appendID(b []byte, id string) []byte {
	form, digits := byte(idHex), id
	if len(id) == 36 {
		form, digits = idUUID, strings.ReplaceAll(id, "-", "")
	}
	if raw, err := hex.DecodeString(digits); err == nil && len(raw) > 1 && idOf(form, raw) == id {
		return codec.AppendString(append(b, form), string(raw))
	}
	return codec.AppendString(append(b, idText), id)
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
	return idOf(form, []byte(raw))
}

// idOf is the text of an id; a UUID has 16 bytes.
func idOf(form byte, raw []byte) string {
	id := hex.EncodeToString(raw)
	if form == idUUID {
		if len(raw) != 16 {
			return ""
		}
		for _, i := range dashes {
			id = id[:i] + "-" + id[i:]
		}
	}
	return id
}

// words are stored as their index from 1; 0 is another text, which follows. The
// order is part of the format.
var words = []string{
	"", weir.ChannelDirect, weir.ChannelSearch, weir.ChannelSocial, weir.ChannelEmail, weir.ChannelPaid, weir.ChannelReferral, weir.ChannelAI,
	weir.DevicePhone, weir.DeviceTablet, weir.DeviceDesktop, weir.DeviceTV,
	"Chrome", "Safari", "Firefox", "Edge", "Opera", "Samsung Internet", "Windows", "macOS", "iOS", "iPadOS", "Android", "Linux", "ChromeOS",
}

func appendWord(b []byte, w string) []byte {
	if i := slices.Index(words, w); i >= 0 {
		return append(b, byte(i+1))
	}
	return codec.AppendString(append(b, 0), w)
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
