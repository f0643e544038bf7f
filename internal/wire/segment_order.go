package wire

// takeTrack reads the money of an event.
func (s *segment) consumeTrack(key []byte) bool {
	switch string(key) {
	case "revenue":
		return s.tookRevenue()
	case "currency":
		return s.tookCurrency()
	case "total":
		s.message.total = s.pos
	}
	return false
}

// tookRevenue reads a revenue, if that is what is at pos.
func (s *segment) tookRevenue() bool {
	begin := s.pos
	sum, ok := s.amount()
	if !ok && s.fault == "" {
		s.pos = begin
		return false
	}
	s.revenue = sum
	return true
}

// tookCurrency reads a currency, if that is what is at pos.
func (s *segment) tookCurrency() bool {
	begin := s.pos
	s.read(fieldCurrency)
	if s.money(); !s.has(fieldCurrency) && s.fault == "" {
		s.pos = begin
		return false
	}
	return true
}

// ordered finds the revenue of an order, for which Segment's own is the total where
// there is no other; that of a refund is below 0.
func (s *segment) ordered() {
	m := &s.message
	order, refund := orderOf(s.get(fieldName))
	if (order || refund) && s.revenue == 0 && m.total > 0 {
		s.pos = m.total
		s.revenue, _ = s.amount()
	}
	if refund && s.revenue > 0 {
		s.revenue = -s.revenue
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
