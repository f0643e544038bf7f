package item

import (
	"bytes"
	"math"
	"strconv"

	weir "github.com/weir-analytics/weir"
)

// ReadAmount reads a sum of money: a number, or a text such as "$1,234.50" or "12,30 €".
// Anything else is 0 and not ok.
func (b *Builder) ReadAmount() (sum float64, ok bool) {
	return Amount(b.ReadBrief())
}

// Amount reads a sum of money. It skips signs of currencies, letters and spaces around
// it. The last point or comma stands before the fraction. But if only one of the two signs
// occurs, and exactly three digits follow the last one, it separates thousands: always if it
// is a comma, and if it is a point that occurs more than once.
func Amount(text []byte) (sum float64, ok bool) {
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	if sum, err := strconv.ParseFloat(string(text), 64); err == nil {
		return sum, !math.IsInf(sum, 0) && !math.IsNaN(sum)
	}
	var buf [64]byte
	digits := buf[:0]
	negative, begun, ended := false, false, false
	point, points, commas := -1, 0, 0 // point: digits before the last mark
	var last byte
	for _, c := range text {
		switch {
		case c-'0' <= 9:
			if ended {
				return 0, false
			}
			begun = true
			digits = append(digits, c)
		case (c == '.' || c == ',') && begun && !ended:
			point, last = len(digits), c
			if c == '.' {
				points++
			} else {
				commas++
			}
		case c == '-' && !begun, c == '(' && !begun:
			negative = true
		case c == '\'' && begun: // 1'234.50, as the Swiss write
		case begun:
			ended = true
		}
	}
	if len(digits) == 0 {
		return 0, false
	}
	thousands := point >= 0 && len(digits)-point == 3 && (points == 0 || commas == 0) && (last == ',' || points > 1)
	if thousands || points > 1 && last == '.' || commas > 1 && last == ',' {
		point = -1
	}
	if point >= 0 {
		digits = append(digits, 0)
		copy(digits[point+1:], digits[point:])
		digits[point] = '.'
	}
	sum, err := strconv.ParseFloat(string(digits), 64)
	if negative {
		sum = -sum
	}
	return sum, err == nil
}

// ReadNumber reads a number as ReadDecimal does; without one it is unknown.
func (b *Builder) ReadNumber() weir.Number {
	if f, ok := b.ReadDecimal(); ok {
		return weir.Known(f)
	}
	return weir.Number{}
}

// ReadDecimal reads a number, or a string that contains one. Otherwise ok is false.
func (b *Builder) ReadDecimal() (f float64, ok bool) {
	text := b.ReadBrief()
	if len(text) > maxDecimal {
		return 0, false
	}
	return Decimal(bytes.TrimSpace(text))
}

// maxDecimal is how long the text of a number may be, in bytes.
const maxDecimal = 64

// Decimal reads a finite number. A text over 64 bytes is none.
func Decimal(text []byte) (f float64, ok bool) {
	if len(text) == 0 || len(text) > maxDecimal {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil && f-f == 0
}

// CheckCurrency makes the currency upper case, and drops it if it is not three letters.
func (b *Builder) CheckCurrency() {
	code := b.Get(Currency)
	ok := len(code) == 3
	for _, c := range code {
		ok = ok && c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if !ok { // the text stays unchanged: it may be stored as a property
		b.Clear(Currency)
		return
	}
	for i := range code {
		code[i] &^= 0x20
	}
}

// ReadCurrency reads a currency. It returns false, and leaves the value, if it is none.
func (b *Builder) ReadCurrency() bool {
	return b.Try(func() bool {
		b.Read(Currency)
		b.CheckCurrency()
		return b.Has(Currency)
	})
}
