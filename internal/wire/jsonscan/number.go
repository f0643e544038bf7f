package jsonscan

import (
	"math"
	"strconv"
)

// Number is a JSON number as it came.
type Number struct {
	Text   []byte // part of the scanned data
	Digits int    // digits before the point
	whole  bool   // has neither point nor exponent
	Power  bool   // has an exponent
}

// Number reads the number at the cursor.
func (s *Scanner) Number() (Number, bool) {
	d, i := s.data, s.pos
	if i < len(d) && d[i] == '-' {
		i++
	}
	first := i
	i = Digits(d, i)
	n := Number{Digits: i - first, whole: true}
	if n.Digits == 0 || n.Digits > 1 && d[first] == '0' {
		return n, s.failAt(min(i, first+1), "want a number")
	}
	if i < len(d) && d[i] == '.' {
		n.whole = false
		first, i = i+1, Digits(d, i+1)
		if i == first {
			return n, s.failAt(i, "want a digit")
		}
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		n.whole, n.Power = false, true
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		first, i = i, Digits(d, i)
		if i == first {
			return n, s.failAt(i, "want a digit")
		}
	}
	n.Text = d[s.pos:i]
	s.pos = i
	return n, true
}

// Digits is the index of the first byte from i on that is no digit.
func Digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// Float is the nearest double; ok is false when it would be infinite.
func (n Number) Float() (f float64, ok bool) {
	if n.whole && n.Digits <= 15 { // exact in a double
		for _, c := range n.Text {
			if c != '-' {
				f = f*10 + float64(c-'0')
			}
		}
		if n.Text[0] == '-' {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(string(n.Text), 64)
	return f, err == nil
}

// Finite reports whether the number fits a double. The greatest has 309 digits.
func (n Number) Finite() bool {
	if !n.Power && n.Digits <= 308 {
		return true
	}
	f, ok := n.Float()
	return ok && !math.IsInf(f, 0)
}

// Wide reports whether the number is whole and fits neither int64 nor uint64.
func (n Number) Wide() bool {
	if !n.whole || n.Digits < 19 {
		return false
	}
	var err error
	if n.Text[0] == '-' {
		_, err = strconv.ParseInt(string(n.Text), 10, 64)
	} else {
		_, err = strconv.ParseUint(string(n.Text), 10, 64)
	}
	return err != nil
}
