package matomo

import (
	"github.com/weir-analytics/weir/internal/wire/item"
)

// keepParam keeps a parameter as a text.
func (m *decoder) keepParam(name string, k paramKey) {
	if m.said(k) && m.NewPropertyKey([]byte(name)) {
		m.AppendText(m.value(k))
	}
}

// keepNumber keeps a parameter that is a number; -1, Matomo's word for none, and other
// texts are left out.
func (m *decoder) keepNumber(name string, k paramKey) {
	text := m.value(k)
	f, ok := decimalOf(text)
	if !ok || f == -1 && k == paramSearchCount {
		return
	}
	if m.NewPropertyKey([]byte(name)) {
		m.AppendFloat(f, 'g')
	}
}

// others keeps the parameters that are not Matomo's, custom dimensions among them.
func (m *decoder) others() {
	for _, p := range m.params {
		value := m.buf[p.value.from:p.value.to]
		if p.key == paramOther && len(value) > 0 && m.NewPropertyKey(m.buf[p.name.from:p.name.to]) {
			m.AppendText(value)
		}
	}
}

// within reads a JSON text that a parameter holds. If it is none, the properties are
// what they were before.
func (m *decoder) within(k paramKey, read func()) {
	if text := m.value(k); len(text) > 0 {
		m.ReadInner(text, read)
	}
}

// variables keeps custom variables under their names: {"1":["name","value"]}.
func (m *decoder) variables(k paramKey) {
	m.within(k, func() {
		switch m.Peek() {
		case '{':
			for more := m.Begin('}'); more; more = m.More('}') {
				if _, ok := m.Key(); ok {
					m.variable()
				}
			}
		case '[':
			for more := m.Begin(']'); more; more = m.More(']') {
				m.variable()
			}
		default:
			m.Skip()
		}
	})
}

// variable keeps ["name", value].
func (m *decoder) variable() {
	if m.Peek() != '[' {
		m.Skip()
		return
	}
	n := 0
	var name item.Span
	for more := m.Begin(']'); more; more = m.More(']') {
		switch n++; {
		case n == 1:
			name = m.ReadText()
		case n == 2 && m.NewPropertyKey(m.Text(name)):
			m.AppendValue("properties", 2)
		default:
			m.Skip()
		}
	}
	if n == 1 && !m.Failed() && m.NewPropertyKey(m.Text(name)) {
		m.AppendRaw(`""`)
	}
}

// goodsKeys are the places of an item of an order.
var goodsKeys = [...]string{"sku", "name", "category", "price", "quantity"}

// goods keeps the items of an order or a cart, [[sku, name, category, price, quantity]],
// as objects.
func (m *decoder) goods() {
	m.within(paramItems, func() {
		if m.Peek() != '[' || !m.NewPropertyKey([]byte("items")) {
			m.Skip()
			return
		}
		m.AppendRaw("[")
		n := 0
		for more := m.Begin(']'); more; more = m.More(']') {
			if m.Peek() != '[' {
				m.Skip()
				continue
			}
			if n++; n > 1 {
				m.AppendRaw(",")
			}
			m.good()
		}
		m.AppendRaw("]")
	})
}

func (m *decoder) good() {
	m.AppendRaw("{")
	n := 0
	for more := m.Begin(']'); more; more = m.More(']') {
		if n == len(goodsKeys) {
			m.Skip()
			continue
		}
		if n > 0 {
			m.AppendRaw(",")
		}
		m.AppendRaw(`"` + goodsKeys[n] + `":`)
		m.AppendValue("properties", 4)
		n++
	}
	m.AppendRaw("}")
}
