package weir

import "strconv"

// Number is a number that may be unknown, as the latency of a call or the revenue of an
// event. 0 is a number like others; the zero Number is unknown.
type Number struct {
	Value float64 // 0 if unknown
	Known bool
}

// Known returns a known number. -0 becomes 0.
func Known(value float64) Number { return Number{Value: value + 0, Known: true} }

// MarshalJSON writes the number, or null if it is unknown.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, n.Value, 'f', -1, 64), nil
}

// String returns the number, or "unknown".
func (n Number) String() string {
	if !n.Known {
		return "unknown"
	}
	return strconv.FormatFloat(n.Value, 'g', -1, 64)
}

// Pointer returns the number, or nil if it is unknown.
func (n Number) Pointer() *float64 {
	if !n.Known {
		return nil
	}
	return &n.Value
}
