package wire

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// nested reads the text at pos as JSON of its own, from buf, which it fills. What read
// kept as properties is taken back when the text is not JSON.
func (d *draft) nested(buf *[]byte, read func()) {
	q, ok := d.str()
	if !ok {
		return
	}
	if len(q.text) > d.limits.Event {
		d.tooLarge()
		return
	}
	*buf = appendText((*buf)[:0], q)
	data, pos, depth := d.data, d.pos, d.depth
	properties, keys := len(d.properties), len(d.keys)
	d.reset(*buf)
	if d.space(); d.peek() == '{' {
		read()
	}
	whole := d.fault == ""
	d.reset(data)
	d.pos, d.depth = pos, depth
	if !whole {
		d.properties, d.keys = d.properties[:properties], d.keys[:keys]
	}
}

// keepNumber adds a number to the properties under a name.
func (d *draft) keepNumber(name string, f float64) {
	d.propertyKey(name)
	d.properties = strconv.AppendFloat(d.properties, f, 'f', -1, 64)
}

// keepQuoted is keepText for a name that may need escapes.
func (d *draft) keepQuoted(name, text []byte) {
	d.openProperties()
	if len(d.keys) > 0 {
		d.properties = append(d.properties, ',')
	}
	from := len(d.properties)
	d.properties = appendQuoted(d.properties, name)
	d.keys = append(d.keys, span{from, len(d.properties)})
	d.properties = append(d.properties, ':')
	d.properties = appendQuoted(d.properties, text)
}

// clipped is a text of at most n bytes, cut at the end of a character.
func truncated(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// hostOf is the host of an absolute URL, without port.
func hostOf(url []byte) []byte {
	_, host, ok := bytes.Cut(url, []byte("://"))
	if !ok {
		return nil
	}
	if i := bytes.IndexAny(host, `/\?#`); i >= 0 {
		host = host[:i]
	}
	host = host[bytes.LastIndexByte(host, '@')+1:]
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return host
}

// hashPath appends the path of a page that is named by its URL's fragment: the path,
// then the fragment, "/#/pricing" being "/pricing". It is nil without a fragment.
func hashPath(dst, url []byte) []byte {
	url, route, _ := bytes.Cut(url, []byte("#"))
	route = bytes.TrimLeft(bytes.TrimPrefix(route, []byte("!")), "/")
	if i := bytes.IndexAny(route, "?#"); i >= 0 {
		route = route[:i]
	}
	if len(route) == 0 {
		return nil
	}
	if _, rest, ok := bytes.Cut(url, []byte("://")); ok {
		if url = nil; bytes.IndexByte(rest, '/') >= 0 {
			url = rest[bytes.IndexByte(rest, '/'):]
		}
	}
	url, _, _ = bytes.Cut(url, []byte("?"))
	dst = append(dst, bytes.TrimRight(url, "/")...)
	return append(append(dst, '/'), route...)
}
