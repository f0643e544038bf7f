package ga4

import (
	"bytes"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// params are the parameters of a hit, decoded: those of the query, which all hits of the
// request share, then those of the hit's own line.
type params struct {
	buf     []byte
	all     []param
	shared  int  // how many of all are of the query
	kept    int  // how much of buf they have
	long    bool // the query has too many, or too long ones
	tooMany bool // the query and the line have
}

// param is the place of a parameter in params.buf.
type param struct{ from, value, to int }

func (p *params) name(x param) []byte { return p.buf[x.from:x.value] }
func (p *params) text(x param) []byte { return p.buf[x.value:x.to] }

// poolable reports whether a pool may keep the buffers.
func (p *params) poolable() bool {
	return cap(p.buf) <= item.MaxPooled && cap(p.all) <= item.MaxPooled/64
}

// readQuery reads the parameters that all hits share.
func (p *params) readQuery(query string, l *wire.Limits) {
	p.buf, p.all, p.shared, p.kept, p.tooMany = p.buf[:0], p.all[:0], 0, 0, false
	p.read([]byte(query), l)
	p.shared, p.kept, p.long = len(p.all), len(p.buf), p.tooMany
}

// readLine reads the parameters of one hit, in place of those of the hit before.
func (p *params) readLine(line []byte, l *wire.Limits) {
	p.buf, p.all = p.buf[:p.kept], p.all[:p.shared]
	p.tooMany = p.long
	p.read(line, l)
}

// read reads name=value&name=value. If there are more than an event may have properties, or
// if they are longer than an event, it stops and sets tooMany.
func (p *params) read(text []byte, l *wire.Limits) {
	for len(text) > 0 {
		var pair []byte
		pair, text, _ = bytes.Cut(text, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		if len(p.all) > l.Properties || len(p.buf)+len(pair) > l.Event {
			p.tooMany = true
			return
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		x := param{from: len(p.buf)}
		p.add(name)
		x.value = len(p.buf)
		p.add(value)
		x.to = len(p.buf)
		p.all = append(p.all, x)
	}
}

// add appends a percent-encoded text, with U+FFFD for what cannot be stored.
func (p *params) add(text []byte) {
	from := len(p.buf)
	p.buf = item.AppendFormText(p.buf, text)
	if text := p.buf[from:]; !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		p.buf = append(p.buf[:from], item.Storable(text)...)
	}
}

// each calls see for each parameter that has a value: the hit's own, then the shared ones.
func (p *params) each(see func(name, value []byte)) {
	for _, part := range [...][]param{p.all[p.shared:], p.all[:p.shared]} {
		for _, x := range part {
			if x.value < x.to {
				see(p.name(x), p.text(x))
			}
		}
	}
}

// get returns the value of a parameter, nil if there is none. The hit's own counts before a
// shared one.
func (p *params) get(name string) (found []byte) {
	p.each(func(n, value []byte) {
		if found == nil && string(n) == name {
			found = value
		}
	})
	return found
}

// measurementIn returns the measurement id in the beginning of a body, "" if there is none.
func measurementIn(text []byte) string {
	_, value, _ := bytes.Cut(text, []byte("tid="))
	value = value[:min(len(value), wire.LongestName)]
	if i := bytes.IndexAny(value, "&\r\n"); i >= 0 {
		value = value[:i]
	}
	return string(value)
}
