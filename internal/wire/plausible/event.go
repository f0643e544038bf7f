package plausible

import (
	"bytes"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire/item"
)

func (p *decoder) entry(key string) {
	switch key {
	case "name", "n":
		p.ReadFirst(item.Name)
	case "url", "u":
		p.page()
	case "referrer", "r":
		p.ReadFirst(item.Referrer)
	case "domain", "d":
		if p.Peek() == 'n' {
			p.Skip()
			return
		}
		p.domain, p.sited = string(p.ReadBrief()), true
	case "hashMode", "h":
		p.hash = p.ReadBool()
	case "interactive", "i":
		p.passive = p.Peek() == 'f'
		p.Skip()
	case "props", "p", "meta", "m":
		p.custom()
	case "revenue", "$":
		p.object(p.setRevenue)
	case "sd":
		if f, ok := p.ReadDecimal(); ok && f >= 0 {
			p.scrolled, p.hasDeep = min(f, 100), true
		}
	case "e":
		const tooLong = float64(30*24*time.Hour) / float64(time.Millisecond)
		if f, ok := p.ReadDecimal(); ok && f >= 0 && f < tooLong {
			p.engaged, p.hasEngaged = f, true
		}
	case "v":
		if at := p.ReadText(); !at.Empty() && at.Len() <= 20 {
			version := string(p.Text(at))
			p.Put(item.Library, "plausible/", version)
		}
	default:
		p.Skip()
	}
}

func (p *decoder) page() {
	switch c := p.Peek(); {
	case c == 'n':
		p.Skip()
	case c != '"':
		p.Skip()
		p.url = "must be a valid url"
	default:
		if p.ReadFirst(item.URL); p.Has(item.URL) {
			p.url = ""
		}
	}
}

// object reads an object, or a text that is JSON and an object.
func (p *decoder) object(read func()) {
	switch p.Peek() {
	case '{':
		read()
	case '"':
		p.ReadNested(&p.inner, read)
	default:
		p.Skip()
	}
}

func (p *decoder) custom() {
	if p.propped {
		p.Skip()
		return
	}
	p.object(func() {
		p.propped = true
		p.ReadProperties(p.prop)
	})
}

// prop reads a custom property, or returns false, so that it is stored. Plausible drops empty
// ones, lists and objects.
func (p *decoder) prop(key []byte) bool {
	c := p.Peek()
	if c == 'n' || c == '{' || c == '[' || len(key) == 0 || p.props >= maxProps {
		return p.Skip()
	}
	begin, long := p.Mark(), len(key) > maxKey
	if c == '"' {
		q, ok := p.Quoted()
		if !ok || len(q.Text) == 0 {
			return true
		}
		p.Seek(begin)
		long = long || len(q.Text) > maxValue
	}
	p.props++
	if !long {
		return false
	}
	name := slices.Clone(item.Truncate(bytes.ToValidUTF8(bytes.ReplaceAll(key, []byte{0}, nil), []byte("\ufffd")), maxKey))
	p.KeepQuoted(name, item.Truncate(p.ReadBrief(), maxValue))
	return true
}

// setRevenue reads {"amount","currency"}.
func (p *decoder) setRevenue() {
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		switch {
		case !ok:
		case string(key) == "amount":
			p.Revenue = p.ReadNumber()
		case string(key) == "currency":
			p.ReadFirst(item.Currency)
		default:
			p.Skip()
		}
	}
	if !p.Revenue.Known {
		p.Clear(item.Currency)
	}
	p.CheckCurrency()
}

// setMeaning sets name, library, path and properties.
func (p *decoder) setMeaning() {
	switch string(p.Get(item.Name)) {
	case "pageview":
		p.Put(item.Name, weir.NameScreenView)
	case "engagement":
		p.setLeave()
	}
	if !p.Has(item.Library) {
		p.Put(item.Library, "plausible")
	}
	if p.passive && p.Absent("interactive") {
		p.PropertyKey("interactive")
		p.AppendRaw("false")
	}
	if p.hash {
		if path := item.HashPath(nil, p.Get(item.URL)); path != nil {
			p.Put(item.Path, string(path))
		}
	}
}

// setLeave makes an engagement event the end of a page view. The tracker sends it when the
// visitor leaves the page, just before it sends the next page's view. The second request may
// arrive first. So the event gets an earlier time, or it would end the next page's view. The
// time is not moved by more than the visitor's stay, or it would be before the page's view.
func (p *decoder) setLeave() {
	p.Put(item.Name, weir.NameScreenLeave)
	if p.hasEngaged && p.Absent("engagement_ms") {
		p.KeepNumber("engagement_ms", p.engaged)
	}
	if p.hasDeep && p.Absent("scroll_depth") {
		p.KeepNumber("scroll_depth", p.scrolled)
	}
	back := min(time.Duration(p.engaged/4*float64(time.Millisecond)), reorderWindow)
	p.Stamp = item.Stamp{Micros: p.Now - back.Microseconds(), Given: true, Exact: true}
}
