package matomo

import (
	"github.com/weir-analytics/weir/internal/wire/item"
)

// keepParam stores a parameter as a text.
func (m *decoder) keepParam(name string, k paramKey) {
	if m.has(k) && m.NewPropertyKey([]byte(name)) {
		m.AppendText(m.value(k))
	}
}

// keepNumber stores a parameter that is a number. It drops other texts, and -1, which means
// none.
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

// addUndefined adds the parameters that Matomo does not define, and custom dimensions, to the
// properties.
func (m *decoder) addUndefined() {
	for _, p := range m.params {
		value := m.buf[p.value.from:p.value.to]
		if p.key == paramOther && len(value) > 0 && m.NewPropertyKey(m.buf[p.name.from:p.name.to]) {
			m.AppendText(value)
		}
	}
}

// within reads a parameter that is JSON. If it is not valid, no property is added.
func (m *decoder) within(k paramKey, read func()) {
	if text := m.value(k); len(text) > 0 {
		m.ReadInner(text, read)
	}
}

// variables stores custom variables under their names: {"1":["name","value"]}.
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

// variable stores ["name", value].
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

// goodsKeys are the names of the values of an item of an order, in their order.
var goodsKeys = [...]string{"sku", "name", "category", "price", "quantity"}

// keepGoods stores the items of an order or a cart, [[sku, name, category, price, quantity]],
// as objects.
func (m *decoder) keepGoods() {
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
			m.keepGood()
		}
		m.AppendRaw("]")
	})
}

func (m *decoder) keepGood() {
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
