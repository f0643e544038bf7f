package segment

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// consumeTrack reads revenue and currency, and notes the total.
func (s *decoder) consumeTrack(key []byte) bool {
	switch string(key) {
	case "revenue":
		return s.readRevenue()
	case "currency":
		return s.ReadCurrency()
	case "total":
		s.message.total = s.Mark()
	}
	return false
}

// readRevenue reads a revenue. It returns false, and leaves the value, if it is none.
func (s *decoder) readRevenue() bool {
	return s.Try(func() bool {
		sum, ok := s.ReadAmount()
		if ok {
			s.Revenue = weir.Known(sum)
		}
		return ok
	})
}

// orderRevenue sets the revenue of an order to its total, if it has no revenue. The revenue
// of a refund is negative.
func (s *decoder) orderRevenue() {
	m := &s.message
	order, refund := orderOf(s.Get(item.Name))
	if (order || refund) && !s.Revenue.Known && m.total.IsSet() {
		s.ReadAt(m.total, func() { s.readRevenue() })
	}
	if refund && s.Revenue.Value > 0 {
		s.Revenue.Value = -s.Revenue.Value
	}
}

// orderOf reports whether an event is a completed order, or a refund of one. Case, spaces
// and underscores do not matter.
func orderOf(event []byte) (order, refund bool) {
	var buf [16]byte
	name := buf[:0]
	for _, c := range event {
		switch {
		case c == ' ' || c == '_':
		case len(name) == cap(name):
			return false, false
		default:
			name = append(name, c|0x20)
		}
	}
	switch string(name) {
	case "ordercompleted", "completedorder":
		return true, false
	case "orderrefunded":
		return false, true
	}
	return false, false
}
