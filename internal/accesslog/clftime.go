package accesslog

import (
	"errors"
	"strings"
	"time"
)

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// clfTime parses 17/May/2015:10:05:03 +0000, with or without a fraction of a
// second, or an RFC 3339 time, which nginx's $time_iso8601 is. A time without an offset is of
// the zone. The answer is in UTC, to the microsecond.
func clfTime(s string, in *time.Location) (time.Time, bool) {
	if len(s) > 4 && s[4] == '-' {
		t, err := time.Parse(time.RFC3339Nano, s)
		return t.UTC().Truncate(time.Microsecond), err == nil && inRange(t)
	}
	if len(s) < len("02/Jan/2006:15:04:05") ||
		s[2] != '/' || s[6] != '/' || s[11] != ':' || s[14] != ':' || s[17] != ':' {
		return time.Time{}, false
	}
	month := strings.Index(months, s[3:6])
	day, ok1 := digits(s[0:2])
	year, ok2 := digits(s[7:11])
	hour, ok3 := digits(s[12:14])
	minute, ok4 := digits(s[15:17])
	second, ok5 := digits(s[18:20])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || month < 0 || month%3 != 0 {
		return time.Time{}, false
	}
	rest, nanos := s[20:], 0
	if rest != "" && rest[0] == '.' {
		n, size, ok := fraction(rest[1:])
		if !ok {
			return time.Time{}, false
		}
		nanos, rest = n, rest[1+size:]
	}
	offset, ok := time.Duration(0), true
	if rest != "" {
		offset, ok = zone(rest)
		in = time.UTC
	}
	// A leap second is :60; time.Date carries it over.
	if !ok || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month/3+1), day, hour, minute, second, nanos, in)
	if t.Day() != day && second < 60 {
		return time.Time{}, false // 31/Feb
	}
	t = t.UTC().Add(-offset).Truncate(time.Microsecond)
	return t, inRange(t)
}

// zone parses " +0000".
func zone(s string) (time.Duration, bool) {
	if len(s) != 6 || s[0] != ' ' || s[1] != '+' && s[1] != '-' {
		return 0, false
	}
	h, ok1 := digits(s[2:4])
	m, ok2 := digits(s[4:6])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, false
	}
	d := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if s[1] == '-' {
		d = -d
	}
	return d, true
}

func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// fraction reads the digits that s begins with as nanoseconds.
func fraction(s string) (nanos, size int, ok bool) {
	unit := int(time.Second)
	for size < len(s) && s[size] >= '0' && s[size] <= '9' {
		unit /= 10
		nanos += unit * int(s[size]-'0')
		size++
	}
	return nanos, size, size > 0
}

// inRange keeps times to years that RFC 3339 can write.
func inRange(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 1 && y <= 9999
}

// timeLayout returns the layout of package time for one of strftime, such as %d/%b/%Y:%H:%M:%S %z.
func timeLayout(strftime string) string {
	for _, prefix := range []string{"begin:", "end:"} {
		strftime = strings.TrimPrefix(strftime, prefix)
	}
	return strings.NewReplacer("%Y", "2006", "%m", "01", "%d", "02", "%e", "_2", "%b", "Jan", "%h", "Jan", "%B", "January", "%H", "15", "%M", "04", "%S", "05",
		"%T", "15:04:05", "%F", "2006-01-02", "%z", "-0700", "%Z", "MST", "%y", "06", "%a", "Mon", "%D", "01/02/06", "%R", "15:04", "%%", "%").Replace(strftime)
}

func timeIn(layout, s string, in *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(layout, s, in)
	if err == nil && !inRange(t) {
		err = errors.New("out of range")
	}
	return t.UTC().Truncate(time.Microsecond), err
}
