package visit

import (
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
)

// stateVersion: 1 has the begin, the end and the last screen view of a visit; 2 has all that a
// cancellation needs; 3 has the persons whose events are in it; 4 has whether a session_end
// ended it, and when its profile was last seen; 5 has the visit's trail and former session
// ids, and whether bots alone are in it.
const stateVersion = 5

const (
	flagNamed = 1 << iota
	flagEnded
	flagClosed // before version 5: the last screen view was closed
	flagBot
	flagRevenue // there is some
	flagTrail   // there is a trail
	flagExit    // the exit is the last screen view
	flagEntry   // the entry has the path of the exit
)

// Further flags, from version 4 on.
const (
	flagFinal = 1 << iota
	flagHuman
	flagHumanView
	flagFormerly // there are former session ids
	flagFirst    // the entry is the first step of the trail
	flagOver     // earlier versions do not read it
)

// Flags of a step.
const (
	stepView = 1 << iota
	stepClosed
	stepOrigin // the origin is that of the step before
	stepNext   // the next step closed the view, or another at the same time
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
	b = append(b, flags, s.moreFlags())
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
	if flags&flagTrail != 0 {
		b = s.appendTrail(b)
	}
	if former := formerly(s); len(former) > 0 {
		b = codec.AppendUint(b, uint64(len(former)))
		for _, id := range former {
			b = appendID(b, id)
		}
	}
	if s.ScreenViews != 0 {
		if flags&flagExit == 0 {
			b = codec.AppendString(b, s.Exit)
			b = appendSince(b, s.ExitAt, s.Start)
		}
		if !s.entersFirst() {
			if flags&flagEntry == 0 {
				b = codec.AppendString(b, s.Entry)
			}
			b = appendSince(b, s.EntryAt, s.Start)
		}
	}
	for _, w := range []string{s.Channel, s.Browser, s.OS, s.DeviceType} {
		b = appendWord(b, w)
	}
	for _, t := range s.texts() {
		b = codec.AppendString(b, *t)
	}
	return b
}

func (s *Sitting) appendTrail(b []byte) []byte {
	b = codec.AppendUint(b, uint64(len(s.Trail)))
	before := Step{At: s.Start}
	for i := range s.Trail {
		p := &s.Trail[i]
		next := p.Closed && i+1 < len(s.Trail) && p.ClosedAt.Equal(s.Trail[i+1].At)
		b = append(b, flagsOf(
			flag{stepView, p.isView()},
			flag{stepClosed, p.Closed},
			flag{stepOrigin, p.Origin == before.Origin},
			flag{stepNext, next},
		))
		b = appendSince(b, p.At, before.At)
		// Most pages of a site have addresses that begin alike.
		n := common(before.Path, p.Path)
		b = codec.AppendString(append(b, byte(n)), p.Path[n:])
		if p.isView() {
			b = appendID(b, p.EventID)
		}
		if p.Origin != before.Origin {
			b = codec.AppendString(b, p.Origin)
		}
		if p.Closed && !next {
			b = appendSince(b, p.ClosedAt, p.At)
		}
		before = *p
	}
	return b
}

// common returns how many bytes two texts have in common at their beginning, at most 255.
func common(a, b string) (n int) {
	for n < min(len(a), len(b), 255) && a[n] == b[n] {
		n++
	}
	return n
}

// entersFirst says whether the entry is the first step of the trail.
func (s *Sitting) entersFirst() bool {
	return len(s.Trail) > 0 && s.Trail[0].isView() && s.Entry == s.Trail[0].Path && s.EntryAt.Equal(s.Trail[0].At)
}

func (s *Sitting) flags() byte {
	last := s.lastView()
	return flagsOf(
		flag{flagNamed, s.Named},
		flag{flagEnded, s.Ended},
		flag{flagBot, s.Bot},
		flag{flagRevenue, s.Revenue != 0},
		flag{flagTrail, len(s.Trail) > 0},
		flag{flagExit, s.Exit == last.Path && s.ExitAt.Equal(last.At)},
		flag{flagEntry, s.Entry == s.Exit},
	)
}

func (s *Sitting) moreFlags() byte {
	return flagsOf(
		flag{flagFinal, s.Final},
		flag{flagHuman, s.Human},
		flag{flagHumanView, s.HumanView},
		flag{flagFormerly, s.Formerly != ""},
		flag{flagFirst, s.entersFirst()},
		flag{flagOver, s.Over},
	)
}

type flag struct {
	bit byte
	set bool
}

func flagsOf(all ...flag) (flags byte) {
	for _, f := range all {
		if f.set {
			flags |= f.bit
		}
	}
	return flags
}

// lastView returns the last screen view of the trail, a zero Step without one.
func (s *Sitting) lastView() (v Step) {
	for _, p := range slices.Backward(s.Trail) {
		if p.isView() {
			return p
		}
	}
	return v
}

// texts are the parts of the visitor that are stored as they are.
func (s *Sitting) texts() []*string {
	return []*string{&s.Referrer, &s.UTMSource, &s.UTMMedium, &s.UTMCampaign, &s.Country, &s.Region, &s.City, &s.Language}
}

// appendSince appends the microseconds from one time to another.
func appendSince(b []byte, t, from time.Time) []byte {
	return codec.AppendInt(b, t.UnixMicro()-from.UnixMicro())
}

// Forms of an id.
const (
	idText = iota
	idHex  // lower case
	idUUID // lower case, with its dashes
)

// uuidSize is the length of a UUID's text, whose dashes stand at these places.
const uuidSize = 36

func isDash(i int) bool { return i == 8 || i == 13 || i == 18 || i == 23 }

// appendID appends a text that often is a number in hexadecimal.
func appendID(b []byte, id string) []byte {
	form, digits := byte(idHex), len(id)
	if len(id) == uuidSize {
		form, digits = idUUID, uuidSize-4
	}
	from := len(b)
	if digits >= 4 && digits%2 == 0 {
		b = codec.AppendUint(append(b, form), uint64(digits/2))
		if packed, ok := appendDigits(b, id, form); ok {
			return packed
		}
	}
	return codec.AppendString(append(b[:from], idText), id)
}

// appendDigits appends the bytes whose text the id is. It returns false if that text would be
// another one.
func appendDigits(b []byte, id string, form byte) ([]byte, bool) {
	var high byte
	half := false
	for i := range len(id) {
		c := id[i]
		if form == idUUID && isDash(i) {
			if c != '-' {
				return nil, false
			}
			continue
		}
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		default:
			return nil, false
		}
		if half {
			b = append(b, high<<4|c)
		}
		high, half = c, !half
	}
	return b, true
}

// idOf is the text of an id; a UUID has 16 bytes.
func idOf(form byte, raw string) string {
	const digits = "0123456789abcdef"
	var room [uuidSize]byte // of a UUID, or of a session id that the fold derived
	id := room[:0]
	if len(raw)*2 > len(room) {
		id = make([]byte, 0, 2*len(raw))
	}
	for i := range len(raw) {
		if form == idUUID && isDash(len(id)) {
			id = append(id, '-')
		}
		id = append(id, digits[raw[i]>>4], digits[raw[i]&15])
	}
	return string(id)
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
