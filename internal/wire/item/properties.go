package item

import (
	"bytes"
	"fmt"
	"hash/maphash"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// AppendValue reads any value and appends it to the properties: compact, in the order in
// which it was sent, numbers with their digits, strings with only the escapes that JSON
// demands. Nothing passes through a map or a double. depth is that of the value if it is an
// object or an array; properties themselves have depth 1. field is for the defect.
func (r *Reader) AppendValue(field string, depth int) {
	switch c := r.Peek(); {
	case c == '"':
		r.appendString(field)
	case c == '-' || c-'0' <= 9:
		r.appendNumber(field)
	case c != '{' && c != '[':
		from := r.Mark()
		if r.Scalar() {
			r.properties = append(r.properties, r.Since(from)...)
		}
	case depth > r.Limits.Depth && r.repair:
		if r.Skip() {
			r.properties = append(r.properties, "null"...)
		}
	case depth > r.Limits.Depth:
		r.Defect(wire.ReasonTooDeep, fmt.Sprintf("%s: nested over %d deep", field, r.Limits.Depth))
		r.Skip()
	case c == '{':
		r.appendObject(field, depth)
	default:
		r.properties = append(r.properties, '[')
		n := 0
		for more := r.Begin(']'); more; more = r.More(']') {
			if r.reason != "" {
				r.Skip()
				continue
			}
			if n++; n > 1 {
				r.properties = append(r.properties, ',')
			}
			r.AppendValue(field, depth+1)
			r.CheckSize()
		}
		r.properties = append(r.properties, ']')
	}
}

func (r *Reader) appendObject(field string, depth int) {
	first := len(r.keys)
	r.properties = append(r.properties, '{')
	for more := r.Begin('}'); more; more = r.More('}') {
		if r.reason != "" {
			_ = r.SkipKey() && r.Skip()
			continue
		}
		if len(r.keys) > first {
			r.properties = append(r.properties, ',')
		}
		from := len(r.properties)
		if !r.appendString(field) || !r.Colon() {
			break
		}
		r.keys = append(r.keys, Span{from, len(r.properties)})
		if n := len(r.keys) - first; depth == 1 && n > r.Limits.Properties {
			r.Defect(wire.ReasonTooMany, fmt.Sprintf("%s: over %d entries", field, r.Limits.Properties))
		}
		r.properties = append(r.properties, ':')
		r.AppendValue(field, depth+1)
		r.CheckSize()
	}
	r.properties = append(r.properties, '}')
	if r.reason == "" && !r.Failed() && r.duplicate(r.keys[first:]) {
		r.Defect(wire.ReasonDuplicateKey, field)
	}
	r.keys = r.keys[:first]
}

// appendString appends the string at the cursor.
func (r *Reader) appendString(field string) bool {
	q, ok := r.Quoted()
	if !ok {
		return false
	}
	if len(q.Text) > r.Limits.Event {
		r.tooLarge()
		r.properties = append(r.properties, `""`...)
		return true
	}
	if r.repair && (!q.Valid() || q.Escaped && bytes.Contains(q.Text, []byte(`\u0000`))) {
		from := len(r.text)
		r.text = appendText(r.text, q)
		r.properties = jsonscan.AppendString(r.properties, r.text[from:])
		r.text = r.text[:from]
		return true
	}
	if !q.Valid() {
		r.Defect(wire.ReasonInvalidUTF8, field)
	}
	r.properties = append(r.properties, '"')
	if q.Escaped {
		var nul bool
		if r.properties, nul = jsonscan.Unescape(r.properties, q.Text, true); nul {
			r.Defect(wire.ReasonNUL, field)
		}
	} else {
		r.properties = append(r.properties, q.Text...)
	}
	r.properties = append(r.properties, '"')
	return true
}

// appendNumber appends the number with its digits. A whole number beyond 64 bits gets ".0":
// JavaScript writes such numbers, and a reader that takes them for integers (simdjson, in
// ClickHouse) refuses the whole text.
func (r *Reader) appendNumber(field string) {
	n, ok := r.Number()
	if !ok {
		return
	}
	if !n.Finite() && r.repair {
		r.properties = append(r.properties, "null"...)
		return
	}
	if !n.Finite() {
		r.Defect(wire.ReasonNumber, field)
		return
	}
	r.properties = append(r.properties, n.Text...)
	if n.Wide() {
		r.properties = append(r.properties, ".0"...)
	}
}

// few is up to how many keys each is compared with each.
const few = 12

// seed is that of the tables of keys. Senders do not know it, so they cannot send keys that
// all have the same hash.
var seed = maphash.MakeSeed()

// duplicate reports whether two keys are equal. They have only the escapes that JSON
// demands, so equal keys are equal bytes. It takes time linear in their length.
func (r *Reader) duplicate(keys []Span) bool {
	if len(keys) <= few {
		for i, a := range keys {
			for _, b := range keys[:i] {
				if a.to-a.from == b.to-b.from && bytes.Equal(r.properties[a.from:a.to], r.properties[b.from:b.to]) {
					return true
				}
			}
		}
		return false
	}
	size := 32 // a power of two, at most half full
	for size < 2*len(keys) {
		size *= 2
	}
	if cap(r.table) < size {
		r.table = make([]int32, size)
	}
	table := r.table[:size]
	clear(table)
	for i, k := range keys {
		key := r.properties[k.from:k.to]
		at := int(maphash.Bytes(seed, key)) & (size - 1)
		for table[at] != 0 {
			o := keys[table[at]-1]
			if bytes.Equal(key, r.properties[o.from:o.to]) {
				return true
			}
			at = (at + 1) & (size - 1)
		}
		table[at] = int32(i + 1)
	}
	return false
}

// repeated reports whether the last of the keys is among those before it. It is called after
// each key that is appended to the same keys, and takes constant time.
func (r *Reader) repeated(keys []Span) bool {
	n := len(keys) - 1
	key := r.properties[keys[n].from:keys[n].to]
	if n < few {
		for _, k := range keys[:n] {
			if bytes.Equal(r.properties[k.from:k.to], key) {
				return true
			}
		}
		return false
	}
	if n == few || r.indexed != n { // those before were compared one by one, or removed
		size := 64 // a power of two, at most half full
		for size < 2*(r.Limits.Properties+few) {
			size *= 2
		}
		if cap(r.seen) < size {
			r.seen = make([]int32, size)
		}
		r.seen = r.seen[:size]
		clear(r.seen)
		for i := range n {
			r.enter(keys, i)
		}
		r.indexed = n
	}
	if r.enter(keys, n) {
		return true
	}
	r.indexed++
	return false
}

// enter adds a key to the table seen. It reports whether the key was there before.
func (r *Reader) enter(keys []Span, i int) (known bool) {
	key := r.properties[keys[i].from:keys[i].to]
	at := int(maphash.Bytes(seed, key)) & (len(r.seen) - 1)
	for r.seen[at] != 0 {
		o := keys[r.seen[at]-1]
		if bytes.Equal(key, r.properties[o.from:o.to]) {
			return true
		}
		at = (at + 1) & (len(r.seen) - 1)
	}
	r.seen[at] = int32(i + 1)
	return false
}

// CopyProperties returns the item's properties in memory of their own; nil if there are
// none.
func (r *Reader) CopyProperties() []byte {
	if len(r.properties) <= len("{}") {
		return nil
	}
	return bytes.Clone(r.properties)
}
