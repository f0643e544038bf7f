package wire

import (
	"bytes"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

func (p *plausible) entry(key string) {
	switch key {
	case "name", "n":
		p.readFirst(fieldName)
	case "url", "u":
		p.page()
	case "referrer", "r":
		p.readFirst(fieldReferrer)
	case "domain", "d":
		if p.peek() == 'n' {
			p.skip()
			return
		}
		at := p.readText()
		p.domain, p.sited = string(p.text[at.from:at.to]), true
	case "hashMode", "h":
		p.hash = p.truth()
	case "interactive", "i":
		p.still = p.peek() == 'f'
		p.skip()
	case "props", "p", "meta", "m":
		p.custom()
	case "revenue", "$":
		p.object(p.paid)
	case "sd":
		if f, ok := p.decimal(); ok && f >= 0 {
			p.scrolled, p.hasDeep = min(f, 100), true
		}
	case "e":
		const tooLong = float64(30*24*time.Hour) / float64(time.Millisecond)
		if f, ok := p.decimal(); ok && f >= 0 && f < tooLong {
			p.engaged, p.hasEngaged = f, true
		}
	case "v":
		if at := p.readText(); at.to > at.from && at.to-at.from <= 20 {
			version := string(p.text[at.from:at.to])
			p.put(fieldLibrary, "plausible/", version)
		}
	default:
		p.skip()
	}
}

func (p *plausible) page() {
	switch c := p.peek(); {
	case c == 'n':
		p.skip()
	case c != '"':
		p.skip()
		p.url = "must be a valid url"
	default:
		if p.readFirst(fieldURL); p.has(fieldURL) {
			p.url = ""
		}
	}
}

// object reads an object, also one that is the text of one.
func (p *plausible) object(read func()) {
	switch p.peek() {
	case '{':
		read()
	case '"':
		p.nested(&p.inner, read)
	default:
		p.skip()
	}
}

func (p *plausible) custom() {
	if p.propped {
		p.skip()
		return
	}
	p.object(func() {
		p.propped = true
		p.readProperties(p.prop)
	})
}

// prop reads a custom property, or leaves it to be kept: empty ones, lists and
// objects are none for Plausible.
func (p *plausible) prop(key []byte) bool {
	c := p.peek()
	if c == 'n' || c == '{' || c == '[' || len(key) == 0 || p.props >= plausibleProps {
		return p.skip()
	}
	begin, long := p.pos, len(key) > plausibleKey
	if c == '"' {
		q, ok := p.str()
		if !ok || len(q.text) == 0 {
			return true
		}
		p.pos, long = begin, long || len(q.text) > plausibleValue
	}
	p.props++
	if !long {
		return false
	}
	name := slices.Clone(truncated(bytes.ToValidUTF8(bytes.ReplaceAll(key, []byte{0}, nil), []byte("\ufffd")), plausibleKey))
	at := p.readText()
	p.keepQuoted(name, truncated(p.text[at.from:at.to], plausibleValue))
	p.text = p.text[:at.from]
	return true
}

// paid reads {"amount","currency"}.
func (p *plausible) paid() {
	paid := false
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		switch {
		case !ok:
		case string(key) == "amount":
			p.revenue, paid = p.decimal()
		case string(key) == "currency":
			p.readFirst(fieldCurrency)
		default:
			p.skip()
		}
	}
	if !paid {
		p.at[fieldCurrency] = span{}
	}
	p.money()
}

// mean puts what was read into Weir's words.
func (p *plausible) mean() {
	switch string(p.get(fieldName)) {
	case "pageview":
		p.put(fieldName, weir.NameScreenView)
	case "engagement":
		p.left()
	}
	if !p.has(fieldLibrary) {
		p.put(fieldLibrary, "plausible")
	}
	if p.still && p.absent("interactive") {
		p.propertyKey("interactive")
		p.properties = append(p.properties, "false"...)
	}
	if p.hash {
		if path := hashPath(nil, p.get(fieldURL)); path != nil {
			p.put(fieldPath, string(path))
		}
	}
}

// left makes an engagement event the end of a page view. The tracker sends it when
// the page is left, which for the next page of the same document is just before that
// page's view. The two requests may overtake each other, so the event is dated back a
// little: it must not end the view that follows. It is not dated back beyond the time
// that the visitor was there, or it would come before the page.
func (p *plausible) left() {
	p.put(fieldName, weir.NameScreenLeave)
	if p.hasEngaged && p.absent("engagement_ms") {
		p.keepNumber("engagement_ms", p.engaged)
	}
	if p.hasDeep && p.absent("scroll_depth") {
		p.keepNumber("scroll_depth", p.scrolled)
	}
	back := min(time.Duration(p.engaged/4*float64(time.Millisecond)), plausibleTogether)
	p.stamp = stamp{us: p.now - back.Microseconds(), given: true, exact: true}
}
