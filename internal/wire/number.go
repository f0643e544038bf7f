package wire

import (
	"math"
	"strconv"
)

// numeral is a JSON number as it came.
type numeral struct {
	text   []byte // part of the scanned data
	digits int    // digits before the point
	whole  bool   // has neither point nor exponent
	power  bool   // has an exponent
}

// number reads the number at pos.
func (s *scanner) number() (numeral, bool) {
	d, i := s.data, s.pos
	if i < len(d) && d[i] == '-' {
		i++
	}
	first := i
	i = digits(d, i)
	n := numeral{digits: i - first, whole: true}
	if n.digits == 0 || n.digits > 1 && d[first] == '0' {
		return n, s.failAt(min(i, first+1), "want a number")
	}
	if i < len(d) && d[i] == '.' {
		n.whole = false
		first, i = i+1, digits(d, i+1)
		if i == first {
			return n, s.failAt(i, "want a digit")
		}
	}
	if i < len(d) && (d[i] == 'e' || d[i] == 'E') {
		n.whole, n.power = false, true
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		first, i = i, digits(d, i)
		if i == first {
			return n, s.failAt(i, "want a digit")
		}
	}
	n.text = d[s.pos:i]
	s.pos = i
	return n, true
}

// digits is the index of the first byte from i on that is no digit.
func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// float is the nearest double; ok is false when it would be infinite.
func (n numeral) float() (f float64, ok bool) {
	if n.whole && n.digits <= 15 { // exact in a double
		for _, c := range n.text {
			if c != '-' {
				f = f*10 + float64(c-'0')
			}
		}
		if n.text[0] == '-' {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(string(n.text), 64)
	return f, err == nil
}

// finite says whether the number fits a double. The greatest has 309 digits.
func (n numeral) finite() bool {
	if !n.power && n.digits <= 308 {
		return true
	}
	f, ok := n.float()
	return ok && !math.IsInf(f, 0)
}

// wide says whether the number is whole and fits neither int64 nor uint64.
func (n numeral) wide() bool {
	if !n.whole || n.digits < 19 {
		return false
	}
	var err error
	if n.text[0] == '-' {
		_, err = strconv.ParseInt(string(n.text), 10, 64)
	} else {
		_, err = strconv.ParseUint(string(n.text), 10, 64)
	}
	return err != nil
}
