package item

import (
	"bytes"
	"time"

	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// longestMoment is how long a time may be as text, in bytes.
const longestMoment = 40

// Moment reads a time as vendors and databases write it, in unix microseconds: RFC 3339;
// the same with a comma before the fraction, without seconds or without a time of day;
// with an offset as +00:00, +0000, +00, Z, UTC or GMT, after a space or none; a date
// in digits alone, as 20240102, 202401020304, 20240102030405 or 20240102030405678; a
// unix time, whose unit its size tells. zone is that of what names none.
//
// Digits that are a date are no unix time: as one they would be of the first months of 1970,
// of 1976 or of the year 2611. ok is false of anything else.
func Moment(text []byte, zone *time.Location) (us int64, ok bool) {
	if len(text) == 0 || len(text) > longestMoment {
		return 0, false
	}
	if us, ok = ParseRFC3339(text); ok {
		return us, true
	}
	var buf [longestMoment + len("T00:00:00+00:00")]byte
	if b, named, good := dated(buf[:0], text); good {
		if us, ok = ParseRFC3339(b); !ok || named {
			return us, ok
		}
		return inZone(us, zone), true
	}
	var s jsonscan.Scanner
	s.Reset(text)
	if n, good := s.Number(); good && len(n.Text) == len(text) {
		return Epoch(n)
	}
	return 0, false
}

// inZone is the moment when a clock of the zone shows what one of UTC shows at us.
func inZone(us int64, zone *time.Location) int64 {
	t := time.UnixMicro(us).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone).UnixMicro()
}

// dated appends a date, with or without a time of day, in the form of RFC 3339, with Z
// where it names no offset; named reports whether it does. ok is false of what does not
// look like a date; what looks like one may still be none.
func dated(b, text []byte) (_ []byte, named, ok bool) {
	if jsonscan.Digits(text, 0) == len(text) {
		return compact(b, text)
	}
	if len(text) < len("2006-01-02") || text[4] != '-' || text[7] != '-' {
		return b, false, false
	}
	b, text = append(append(b, text[:10]...), 'T'), text[10:]
	if len(text) == 0 {
		return append(b, "00:00:00Z"...), false, true
	}
	if c := text[0]; c != 'T' && c != 't' && c != ' ' {
		return b, false, false
	}
	text = text[1:]
	i := 0
	for i < len(text) && (text[i]-'0' <= 9 || text[i] == ':' || text[i] == '.' || text[i] == ',') {
		i++
	}
	clock, offset := text[:i], bytes.TrimLeft(text[i:], " ")
	b = append(b, bytes.Replace(clock, []byte(","), []byte("."), 1)...)
	if len(clock) == len("15:04") {
		b = append(b, ":00"...)
	}
	switch n := len(offset); {
	case n == 0:
		return append(b, 'Z'), false, true
	case string(offset) == "UTC" || string(offset) == "GMT":
		return append(b, 'Z'), true, true
	case n == len("+00"):
		return append(append(b, offset...), ":00"...), true, true
	case n == len("+0000"):
		return append(append(append(b, offset[:3]...), ':'), offset[3:]...), true, true
	}
	return append(b, offset...), true, true // or it does not parse
}

// compact is dated of digits alone: a day of 1970 to 2199, perhaps with minutes, seconds
// or milliseconds.
func compact(b, text []byte) (_ []byte, named, ok bool) {
	switch len(text) {
	case len("20060102"), len("200601021504"), len("20060102150405"), len("20060102150405000"):
	default:
		return b, false, false
	}
	if y := string(text[:2]); y != "19" && y != "20" && y != "21" || string(text[:4]) < "1970" {
		return b, false, false
	}
	var all [17]byte
	copy(all[:], "00000000000000000")
	copy(all[:], text)
	for i, part := range [][]byte{all[:4], all[4:6], all[6:8], all[8:10], all[10:12], all[12:14], all[14:]} {
		if i > 0 {
			b = append(b, "--T::."[i-1])
		}
		b = append(b, part...)
	}
	b = append(b, 'Z')
	_, ok = ParseRFC3339(b)
	return b, false, ok
}
