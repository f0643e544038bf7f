package item

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Nested reads the text at pos as JSON of its own, from buf, which it fills. What read
// kept as properties is taken back when the text is not JSON.
func (d *Builder) Nested(buf *[]byte, read func()) {
	q, ok := d.Quoted()
	if !ok {
		return
	}
	if len(q.Text) > d.Limits.Event {
		d.TooLarge()
		return
	}
	*buf = appendText((*buf)[:0], q)
	data, pos, depth := d.Data, d.Pos, d.Depth
	properties, keys := len(d.Properties), len(d.Keys)
	d.Reset(*buf)
	if d.Space(); d.Peek() == '{' {
		read()
	}
	whole := d.Fault == ""
	d.Reset(data)
	d.Pos, d.Depth = pos, depth
	if !whole {
		d.Properties, d.Keys = d.Properties[:properties], d.Keys[:keys]
	}
}

// KeepNumber adds a number to the properties under a name.
func (d *Builder) KeepNumber(name string, f float64) {
	d.PropertyKey(name)
	d.Properties = strconv.AppendFloat(d.Properties, f, 'f', -1, 64)
}

// KeepQuoted is keepText for a name that may need escapes.
func (d *Builder) KeepQuoted(name, text []byte) {
	d.OpenProperties()
	if len(d.Keys) > 0 {
		d.Properties = append(d.Properties, ',')
	}
	from := len(d.Properties)
	d.Properties = jsonscan.AppendString(d.Properties, name)
	d.Keys = append(d.Keys, Span{from, len(d.Properties)})
	d.Properties = append(d.Properties, ':')
	d.Properties = jsonscan.AppendString(d.Properties, text)
}

// Truncate is a text of at most n bytes, cut at the end of a character.
func Truncate(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// HostOf is the host of an absolute URL, without port.
func HostOf(url []byte) []byte {
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

// HashPath appends the path of a page that is named by its URL's fragment: the path,
// then the fragment, "/#/pricing" being "/pricing". It is nil without a fragment.
func HashPath(dst, url []byte) []byte {
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
