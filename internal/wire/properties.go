package wire

import (
	"bytes"
	"fmt"
	"hash/maphash"
)

// object reads properties, or null, into r.properties: compact, in the order
// sent, numbers by their own digits, strings with no escape that JSON does not
// demand. Nothing passes through a map or a double.
func (r *reader) object(field string) {
	if r.null() {
		return
	}
	if r.peek() != '{' {
		r.wrongType(field, "an object")
		return
	}
	r.compact(field, 1)
}

// compact reads any value. depth is what the value would have if it were a
// bracket.
func (r *reader) compact(field string, depth int) {
	switch c := r.peek(); {
	case c == '"':
		r.compactString(field)
	case c == '-' || c-'0' <= 9:
		r.compactNumber(field)
	case c != '{' && c != '[':
		from := r.pos
		if r.scalar() {
			r.properties = append(r.properties, r.data[from:r.pos]...)
		}
	case depth > r.limits.Depth && r.repair:
		if r.skip() {
			r.properties = append(r.properties, "null"...)
		}
	case depth > r.limits.Depth:
		r.defect(ReasonTooDeep, fmt.Sprintf("%s: nested over %d deep", field, r.limits.Depth))
		r.skip()
	case c == '{':
		r.compactObject(field, depth)
	default:
		r.properties = append(r.properties, '[')
		n := 0
		for more := r.begin(']'); more; more = r.more(']') {
			if r.reason != "" {
				r.skip()
				continue
			}
			if n++; n > 1 {
				r.properties = append(r.properties, ',')
			}
			r.compact(field, depth+1)
			r.measure()
		}
		r.properties = append(r.properties, ']')
	}
}

func (r *reader) compactObject(field string, depth int) {
	first := len(r.keys)
	r.properties = append(r.properties, '{')
	for more := r.begin('}'); more; more = r.more('}') {
		if r.reason != "" {
			_ = r.skipKey() && r.skip()
			continue
		}
		if len(r.keys) > first {
			r.properties = append(r.properties, ',')
		}
		from := len(r.properties)
		if !r.compactString(field) || !r.colon() {
			break
		}
		r.keys = append(r.keys, span{from, len(r.properties)})
		if n := len(r.keys) - first; depth == 1 && n > r.limits.Properties {
			r.defect(ReasonTooMany, fmt.Sprintf("%s: over %d entries", field, r.limits.Properties))
		}
		r.properties = append(r.properties, ':')
		r.compact(field, depth+1)
		r.measure()
	}
	r.properties = append(r.properties, '}')
	if r.reason == "" && r.fault == "" && r.duplicate(r.keys[first:]) {
		r.defect(ReasonDuplicateKey, field)
	}
	r.keys = r.keys[:first]
}

func (r *reader) compactString(field string) bool {
	q, ok := r.str()
	if !ok {
		return false
	}
	if len(q.text) > r.limits.Event {
		r.tooLarge()
		r.properties = append(r.properties, `""`...)
		return true
	}
	if r.repair && (!q.valid() || q.escaped && bytes.Contains(q.text, []byte(`\u0000`))) {
		from := len(r.text)
		r.text = appendText(r.text, q)
		r.properties = appendQuoted(r.properties, r.text[from:])
		r.text = r.text[:from]
		return true
	}
	if !q.valid() {
		r.defect(ReasonInvalidUTF8, field)
	}
	r.properties = append(r.properties, '"')
	if q.escaped {
		var nul bool
		if r.properties, nul = unescape(r.properties, q.text, true); nul {
			r.defect(ReasonNUL, field)
		}
	} else {
		r.properties = append(r.properties, q.text...)
	}
	r.properties = append(r.properties, '"')
	return true
}

// compactNumber keeps the number's digits. A whole number beyond 64 bits gets
// ".0": JSON readers that read it as an integer (simdjson, in ClickHouse)
// refuse the whole text otherwise, and JavaScript writes such numbers.
func (r *reader) compactNumber(field string) {
	n, ok := r.number()
	if !ok {
		return
	}
	if !n.finite() && r.repair {
		r.properties = append(r.properties, "null"...)
		return
	}
	if !n.finite() {
		r.defect(ReasonNumber, field)
		return
	}
	r.properties = append(r.properties, n.text...)
	if n.wide() {
		r.properties = append(r.properties, ".0"...)
	}
}

// few is the number of keys up to which each is compared with each.
const few = 12

var seed = maphash.MakeSeed() // of duplicate's table; a sender cannot aim at it

// duplicate says whether two keys are the same. They are in their one shortest
// form, so the same key is the same bytes. Takes time linear in their length.
func (r *reader) duplicate(keys []span) bool {
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

// again says whether the last of the keys is among those before it. It is asked after
// each key that is added to the first, and takes the same time however many there are.
func (r *reader) again(keys []span) bool {
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
	if n == few || r.indexed != n { // those before were compared one by one, or taken away
		size := 64 // a power of two, at most half full
		for size < 2*(r.limits.Properties+few) {
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

// enter puts a key into the table of seen ones, unless it is there.
func (r *reader) enter(keys []span, i int) (known bool) {
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
