package segment

import (
	"github.com/weir-analytics/weir/internal/wire/item"
)

// consumeTrack reads the money of an event.
func (s *decoder) consumeTrack(key []byte) bool {
	switch string(key) {
	case "revenue":
		return s.tookRevenue()
	case "currency":
		return s.tookCurrency()
	case "total":
		s.message.total = s.Pos
	}
	return false
}

// tookRevenue reads a revenue, if that is what is at pos.
func (s *decoder) tookRevenue() bool {
	begin := s.Pos
	sum, ok := s.ReadAmount()
	if !ok && s.Fault == "" {
		s.Pos = begin
		return false
	}
	s.Revenue = sum
	return true
}

// tookCurrency reads a currency, if that is what is at pos.
func (s *decoder) tookCurrency() bool {
	begin := s.Pos
	s.Read(item.Currency)
	if s.CheckCurrency(); !s.Has(item.Currency) && s.Fault == "" {
		s.Pos = begin
		return false
	}
	return true
}

// ordered finds the revenue of an order, for which Segment's own is the total where
// there is no other; that of a refund is below 0.
func (s *decoder) ordered() {
	m := &s.message
	order, refund := orderOf(s.Get(item.Name))
	if (order || refund) && s.Revenue == 0 && m.total > 0 {
		s.Pos = m.total
		s.Revenue, _ = s.ReadAmount()
	}
	if refund && s.Revenue > 0 {
		s.Revenue = -s.Revenue
	}
}

// orderOf says whether an event is the completion of an order, or its refund, however
// it is spelt.
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
