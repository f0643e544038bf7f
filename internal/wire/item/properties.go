package item

import (
	"bytes"
	"fmt"
	"hash/maphash"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Compact reads any value. depth is what the value would have if it were a
// bracket.
func (r *Reader) Compact(field string, depth int) {
	switch c := r.Peek(); {
	case c == '"':
		r.CompactString(field)
	case c == '-' || c-'0' <= 9:
		r.compactNumber(field)
	case c != '{' && c != '[':
		from := r.Pos
		if r.Scalar() {
			r.Properties = append(r.Properties, r.Data[from:r.Pos]...)
		}
	case depth > r.Limits.Depth && r.repair:
		if r.Skip() {
			r.Properties = append(r.Properties, "null"...)
		}
	case depth > r.Limits.Depth:
		r.Defect(wire.ReasonTooDeep, fmt.Sprintf("%s: nested over %d deep", field, r.Limits.Depth))
		r.Skip()
	case c == '{':
		r.compactObject(field, depth)
	default:
		r.Properties = append(r.Properties, '[')
		n := 0
		for more := r.Begin(']'); more; more = r.More(']') {
			if r.Reason != "" {
				r.Skip()
				continue
			}
			if n++; n > 1 {
				r.Properties = append(r.Properties, ',')
			}
			r.Compact(field, depth+1)
			r.CheckSize()
		}
		r.Properties = append(r.Properties, ']')
	}
}

func (r *Reader) compactObject(field string, depth int) {
	first := len(r.Keys)
	r.Properties = append(r.Properties, '{')
	for more := r.Begin('}'); more; more = r.More('}') {
		if r.Reason != "" {
			_ = r.SkipKey() && r.Skip()
			continue
		}
		if len(r.Keys) > first {
			r.Properties = append(r.Properties, ',')
		}
		from := len(r.Properties)
		if !r.CompactString(field) || !r.Colon() {
			break
		}
		r.Keys = append(r.Keys, Span{from, len(r.Properties)})
		if n := len(r.Keys) - first; depth == 1 && n > r.Limits.Properties {
			r.Defect(wire.ReasonTooMany, fmt.Sprintf("%s: over %d entries", field, r.Limits.Properties))
		}
		r.Properties = append(r.Properties, ':')
		r.Compact(field, depth+1)
		r.CheckSize()
	}
	r.Properties = append(r.Properties, '}')
	if r.Reason == "" && r.Fault == "" && r.duplicate(r.Keys[first:]) {
		r.Defect(wire.ReasonDuplicateKey, field)
	}
	r.Keys = r.Keys[:first]
}

// CompactString appends the string at the cursor to the properties, with only the escapes
// that JSON demands.
func (r *Reader) CompactString(field string) bool {
	q, ok := r.Quoted()
	if !ok {
		return false
	}
	if len(q.Text) > r.Limits.Event {
		r.TooLarge()
		r.Properties = append(r.Properties, `""`...)
		return true
	}
	if r.repair && (!q.Valid() || q.Escaped && bytes.Contains(q.Text, []byte(`\u0000`))) {
		from := len(r.Text)
		r.Text = appendText(r.Text, q)
		r.Properties = jsonscan.AppendString(r.Properties, r.Text[from:])
		r.Text = r.Text[:from]
		return true
	}
	if !q.Valid() {
		r.Defect(wire.ReasonInvalidUTF8, field)
	}
	r.Properties = append(r.Properties, '"')
	if q.Escaped {
		var nul bool
		if r.Properties, nul = jsonscan.Unescape(r.Properties, q.Text, true); nul {
			r.Defect(wire.ReasonNUL, field)
		}
	} else {
		r.Properties = append(r.Properties, q.Text...)
	}
	r.Properties = append(r.Properties, '"')
	return true
}

// compactNumber keeps the number's digits. A whole number beyond 64 bits gets
// ".0": JSON readers that read it as an integer (simdjson, in ClickHouse)
// refuse the whole text otherwise, and JavaScript writes such numbers.
func (r *Reader) compactNumber(field string) {
	n, ok := r.Number()
	if !ok {
		return
	}
	if !n.Finite() && r.repair {
		r.Properties = append(r.Properties, "null"...)
		return
	}
	if !n.Finite() {
		r.Defect(wire.ReasonNumber, field)
		return
	}
	r.Properties = append(r.Properties, n.Text...)
	if n.Wide() {
		r.Properties = append(r.Properties, ".0"...)
	}
}

// few is the number of keys up to which each is compared with each.
const few = 12

var seed = maphash.MakeSeed() // of duplicate's table; a sender cannot aim at it

// duplicate says whether two keys are the same. They are in their one shortest
// form, so the same key is the same bytes. Takes time linear in their length.
func (r *Reader) duplicate(keys []Span) bool {
	if len(keys) <= few {
		for i, a := range keys {
			for _, b := range keys[:i] {
				if a.To-a.From == b.To-b.From && bytes.Equal(r.Properties[a.From:a.To], r.Properties[b.From:b.To]) {
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
	if cap(r.Table) < size {
		r.Table = make([]int32, size)
	}
	table := r.Table[:size]
	clear(table)
	for i, k := range keys {
		key := r.Properties[k.From:k.To]
		at := int(maphash.Bytes(seed, key)) & (size - 1)
		for table[at] != 0 {
			o := keys[table[at]-1]
			if bytes.Equal(key, r.Properties[o.From:o.To]) {
				return true
			}
			at = (at + 1) & (size - 1)
		}
		table[at] = int32(i + 1)
	}
	return false
}

// Repeated says whether the last of the keys is among those before it. It is asked after
// each key that is added to the first, and takes the same time however many there are.
func (r *Reader) Repeated(keys []Span) bool {
	n := len(keys) - 1
	key := r.Properties[keys[n].From:keys[n].To]
	if n < few {
		for _, k := range keys[:n] {
			if bytes.Equal(r.Properties[k.From:k.To], key) {
				return true
			}
		}
		return false
	}
	if n == few || r.indexed != n { // those before were compared one by one, or taken away
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

// enter puts a key into the table of seen ones, unless it is there.
func (r *Reader) enter(keys []Span, i int) (known bool) {
	key := r.Properties[keys[i].From:keys[i].To]
	at := int(maphash.Bytes(seed, key)) & (len(r.seen) - 1)
	for r.seen[at] != 0 {
		o := keys[r.seen[at]-1]
		if bytes.Equal(key, r.Properties[o.From:o.To]) {
			return true
		}
		at = (at + 1) & (len(r.seen) - 1)
	}
	r.seen[at] = int32(i + 1)
	return false
}
