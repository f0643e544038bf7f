package item

import (
	"strconv"
	"time"

	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// ParseRFC3339 reads a date-time of RFC 3339, section 5.6, in unix
// microseconds. "t", "z" and a space for the "T" are allowed, as the RFC does;
// second 60 is the next minute's 0; digits beyond microseconds are cut.
func ParseRFC3339(b []byte) (us int64, ok bool) {
	const shape = "0000-00-00T00:00:00"
	if len(b) <= len(shape) || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	if c := b[10]; c != 'T' && c != 't' && c != ' ' {
		return 0, false
	}
	y1, ok1 := two(b[0:])
	y2, ok2 := two(b[2:])
	month, ok3 := two(b[5:])
	day, ok4 := two(b[8:])
	hour, ok5 := two(b[11:])
	minute, ok6 := two(b[14:])
	second, ok7 := two(b[17:])
	year := y1*100 + y2
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) ||
		month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	i := len(shape)
	var micros int64
	if b[i] == '.' {
		first := i + 1
		scale := int64(100_000)
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			micros += int64(b[i]-'0') * scale
			scale /= 10
		}
		if i == first {
			return 0, false
		}
	}
	var offset int64 // seconds east of UTC
	switch rest := b[i:]; {
	case len(rest) == 1 && (rest[0] == 'Z' || rest[0] == 'z'):
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		h, okh := two(rest[1:])
		m, okm := two(rest[4:])
		if !okh || !okm || h > 23 || m > 59 {
			return 0, false
		}
		if offset = int64(h*3600 + m*60); rest[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return (t.Unix()-offset)*1_000_000 + micros, true
}

// two reads two digits.
func two(b []byte) (int, bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	return int(hi)*10 + int(lo), hi <= 9 && lo <= 9
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// Magnitudes that tell the units of a unix time apart: below the first it is
// seconds, then milliseconds, microseconds, nanoseconds. Each unit reaches
// from 1973, before any Limits.Oldest of use, to the year 5138.
const (
	millisFrom = 1e11
	microsFrom = 1e14
	nanosFrom  = 1e17
	nanosTo    = 1e19
)

// Epoch reads the number as a unix time, in microseconds. Digits beyond that
// are cut. ok is false when it is too great for any unit.
func Epoch(n jsonscan.Number) (us int64, ok bool) {
	if n.Power {
		return epochPower(n)
	}
	digits := n.Text
	if digits[0] == '-' {
		digits = digits[1:]
	}
	if n.Digits > 19 {
		return 0, false
	}
	var v uint64 // 19 digits fit
	for _, c := range digits[:n.Digits] {
		v = v*10 + uint64(c-'0')
	}
	fraction := digits[n.Digits:]
	if len(fraction) > 0 {
		fraction = fraction[1:] // the point
	}
	places := 0 // of the fraction, that count
	switch {
	case v < millisFrom:
		places = 6
	case v < microsFrom:
		places = 3
	case v >= nanosFrom:
		v /= 1000
	}
	for i := range places {
		v *= 10
		if i < len(fraction) {
			v += uint64(fraction[i] - '0')
		}
	}
	if us = int64(v); n.Text[0] == '-' {
		us = -us
	}
	return us, true
}

// epochPower is epoch for a number with an exponent, through a double.
func epochPower(n jsonscan.Number) (us int64, ok bool) {
	f, err := strconv.ParseFloat(string(n.Text), 64)
	if err != nil || f >= nanosTo || f <= -nanosTo {
		return 0, false
	}
	switch a := max(f, -f); {
	case a < millisFrom:
		f *= 1e6
	case a < microsFrom:
		f *= 1e3
	case a >= nanosFrom:
		f /= 1e3
	}
	return int64(f), true
}
