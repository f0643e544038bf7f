package wire

import (
	"strconv"
)

// label begins a property under a name of the sender's, and says whether there was none
// of that name yet.
func (m *matomo) label(name []byte) bool {
	if len(name) == 0 || m.reason != "" {
		return false
	}
	m.openProperties()
	before := len(m.properties)
	if len(m.keys) > 0 {
		m.properties = append(m.properties, ',')
	}
	from := len(m.properties)
	m.properties = appendQuoted(m.properties, name)
	m.keys = append(m.keys, span{from, len(m.properties)})
	if m.again(m.keys) {
		m.properties, m.keys = m.properties[:before], m.keys[:len(m.keys)-1]
		return false
	}
	if len(m.keys) > m.limits.Properties {
		m.properties, m.keys = m.properties[:before], m.keys[:len(m.keys)-1]
		m.defect(ReasonTooMany, "properties: over "+strconv.Itoa(m.limits.Properties)+" entries")
		return false
	}
	m.properties = append(m.properties, ':')
	return true
}

// keepParam keeps a parameter as a text.
func (m *matomo) keepParam(name string, k matomoKey) {
	if m.said(k) && m.label([]byte(name)) {
		m.properties = appendQuoted(m.properties, m.value(k))
	}
}

// keepNumber keeps a parameter that is a number; -1, Matomo's word for none, and other
// texts are left out.
func (m *matomo) keepNumber(name string, k matomoKey) {
	text := m.value(k)
	f, ok := decimalOf(text)
	if !ok || f == -1 && k == matomoSearchCount {
		return
	}
	if m.label([]byte(name)) {
		m.properties = strconv.AppendFloat(m.properties, f, 'g', -1, 64)
	}
}

// others keeps the parameters that are not Matomo's, custom dimensions among them.
func (m *matomo) others() {
	for _, p := range m.params {
		value := m.buf[p.value.from:p.value.to]
		if p.key == matomoOther && len(value) > 0 && m.label(m.buf[p.name.from:p.name.to]) {
			m.properties = appendQuoted(m.properties, value)
		}
	}
}

// within reads a JSON text that a parameter holds. If it is none, the properties are
// what they were before.
func (m *matomo) within(k matomoKey, read func()) {
	text := m.value(k)
	if len(text) == 0 {
		return
	}
	data, pos, depth, start := m.data, m.pos, m.depth, m.start
	properties, keys := len(m.properties), len(m.keys)
	m.data, m.pos, m.depth, m.start = text, 0, 0, 0
	read()
	if m.fault != "" || m.pos < len(text) {
		m.properties, m.keys = m.properties[:properties], m.keys[:keys]
	}
	m.data, m.pos, m.depth, m.start, m.fault = data, pos, depth, start, ""
}

// variables keeps custom variables under their names: {"1":["name","value"]}.
func (m *matomo) variables(k matomoKey) {
	m.within(k, func() {
		switch m.peek() {
		case '{':
			for more := m.begin('}'); more; more = m.more('}') {
				if _, ok := m.field(); ok {
					m.variable()
				}
			}
		case '[':
			for more := m.begin(']'); more; more = m.more(']') {
				m.variable()
			}
		default:
			m.skip()
		}
	})
}

// variable keeps ["name", value].
func (m *matomo) variable() {
	if m.peek() != '[' {
		m.skip()
		return
	}
	n := 0
	var name span
	for more := m.begin(']'); more; more = m.more(']') {
		switch n++; {
		case n == 1:
			name = m.readText()
		case n == 2 && m.label(m.text[name.from:name.to]):
			m.compact("properties", 2)
		default:
			m.skip()
		}
	}
	if n == 1 && m.fault == "" && m.label(m.text[name.from:name.to]) {
		m.properties = append(m.properties, `""`...)
	}
}

// matomoGoods are the places of an item of an order.
var matomoGoods = [...]string{"sku", "name", "category", "price", "quantity"}

// goods keeps the items of an order or a cart, [[sku, name, category, price, quantity]],
// as objects.
func (m *matomo) goods() {
	m.within(matomoItems, func() {
		if m.peek() != '[' || !m.label([]byte("items")) {
			m.skip()
			return
		}
		m.properties = append(m.properties, '[')
		n := 0
		for more := m.begin(']'); more; more = m.more(']') {
			if m.peek() != '[' {
				m.skip()
				continue
			}
			if n++; n > 1 {
				m.properties = append(m.properties, ',')
			}
			m.good()
		}
		m.properties = append(m.properties, ']')
	})
}

func (m *matomo) good() {
	m.properties = append(m.properties, '{')
	n := 0
	for more := m.begin(']'); more; more = m.more(']') {
		if n == len(matomoGoods) {
			m.skip()
			continue
		}
		if n > 0 {
			m.properties = append(m.properties, ',')
		}
		m.properties = append(append(append(m.properties, '"'), matomoGoods[n]...), `":`...)
		m.compact("properties", 4)
		n++
	}
	m.properties = append(m.properties, '}')
}
