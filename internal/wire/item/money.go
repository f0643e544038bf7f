package item

import (
	"math"
	"strconv"
)

// ReadAmount reads a sum of money: a number, or a text such as "$1,234.50" or "12,30 €".
// Anything else is 0 and not ok.
func (d *Builder) ReadAmount() (sum float64, ok bool) {
	at := d.ReadText()
	sum, ok = readAmount(d.Text[at.From:at.To])
	d.Text = d.Text[:at.From]
	return sum, ok
}

// readAmount reads a sum of money. Signs of currencies, letters and spaces around it
// are passed over. Of points and commas the last one stands before the fraction,
// unless exactly three digits follow the only kind there is and it is a comma or
// stands more than once.
func readAmount(text []byte) (sum float64, ok bool) {
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
