package matomo

import (
	"strconv"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// label begins a property under a name of the sender's, and says whether there was none
// of that name yet.
func (m *decoder) label(name []byte) bool {
	if len(name) == 0 || m.Reason != "" {
		return false
	}
	m.OpenProperties()
	before := len(m.Properties)
	if len(m.Keys) > 0 {
		m.Properties = append(m.Properties, ',')
	}
	from := len(m.Properties)
	m.Properties = jsonscan.AppendString(m.Properties, name)
	m.Keys = append(m.Keys, item.Span{From: from, To: len(m.Properties)})
	if m.Repeated(m.Keys) {
		m.Properties, m.Keys = m.Properties[:before], m.Keys[:len(m.Keys)-1]
		return false
	}
	if len(m.Keys) > m.Limits.Properties {
		m.Properties, m.Keys = m.Properties[:before], m.Keys[:len(m.Keys)-1]
		m.Defect(wire.ReasonTooMany, "properties: over "+strconv.Itoa(m.Limits.Properties)+" entries")
		return false
	}
	m.Properties = append(m.Properties, ':')
	return true
}

// keepParam keeps a parameter as a text.
func (m *decoder) keepParam(name string, k paramKey) {
	if m.said(k) && m.label([]byte(name)) {
		m.Properties = jsonscan.AppendString(m.Properties, m.value(k))
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
	if m.label([]byte(name)) {
		m.Properties = strconv.AppendFloat(m.Properties, f, 'g', -1, 64)
	}
}

// others keeps the parameters that are not Matomo's, custom dimensions among them.
func (m *decoder) others() {
	for _, p := range m.params {
		value := m.buf[p.value.From:p.value.To]
		if p.key == paramOther && len(value) > 0 && m.label(m.buf[p.name.From:p.name.To]) {
			m.Properties = jsonscan.AppendString(m.Properties, value)
		}
	}
}

// within reads a JSON text that a parameter holds. If it is none, the properties are
// what they were before.
func (m *decoder) within(k paramKey, read func()) {
	text := m.value(k)
	if len(text) == 0 {
		return
	}
	data, pos, depth, start := m.Data, m.Pos, m.Depth, m.Start
	properties, keys := len(m.Properties), len(m.Keys)
	m.Data, m.Pos, m.Depth, m.Start = text, 0, 0, 0
	read()
	if m.Fault != "" || m.Pos < len(text) {
		m.Properties, m.Keys = m.Properties[:properties], m.Keys[:keys]
	}
	m.Data, m.Pos, m.Depth, m.Start, m.Fault = data, pos, depth, start, ""
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
		case n == 2 && m.label(m.Text[name.From:name.To]):
			m.Compact("properties", 2)
		default:
			m.Skip()
		}
	}
	if n == 1 && m.Fault == "" && m.label(m.Text[name.From:name.To]) {
		m.Properties = append(m.Properties, `""`...)
	}
}

// goodsKeys are the places of an item of an order.
var goodsKeys = [...]string{"sku", "name", "category", "price", "quantity"}

// goods keeps the items of an order or a cart, [[sku, name, category, price, quantity]],
// as objects.
func (m *decoder) goods() {
	m.within(paramItems, func() {
		if m.Peek() != '[' || !m.label([]byte("items")) {
			m.Skip()
			return
		}
		m.Properties = append(m.Properties, '[')
		n := 0
		for more := m.Begin(']'); more; more = m.More(']') {
			if m.Peek() != '[' {
				m.Skip()
				continue
			}
			if n++; n > 1 {
				m.Properties = append(m.Properties, ',')
			}
			m.good()
		}
		m.Properties = append(m.Properties, ']')
	})
}

func (m *decoder) good() {
	m.Properties = append(m.Properties, '{')
	n := 0
	for more := m.Begin(']'); more; more = m.More(']') {
		if n == len(goodsKeys) {
			m.Skip()
			continue
		}
		if n > 0 {
			m.Properties = append(m.Properties, ',')
		}
		m.Properties = append(append(append(m.Properties, '"'), goodsKeys[n]...), `":`...)
		m.Compact("properties", 4)
		n++
	}
	m.Properties = append(m.Properties, '}')
}
