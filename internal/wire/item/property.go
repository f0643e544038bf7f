package item

import (
	"bytes"
	"strconv"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// ReadProperties reads the object at the cursor into the event's properties. It calls
// consume at each value. consume either reads the value and returns true, or returns false;
// then the value becomes a property under its key. Several calls add to the same properties.
// A value that is not an object is skipped.
func (b *Builder) ReadProperties(consume func(key []byte) bool) {
	if b.Peek() != '{' {
		b.Skip()
		return
	}
	b.OpenProperties()
	for more := b.Begin('}'); more; more = b.More('}') {
		b.CheckSize()
		if b.reason != "" {
			_ = b.SkipKey() && b.Skip()
			continue
		}
		begin := b.Mark()
		key, ok := b.Key()
		if !ok {
			return
		}
		if !consume(key) && !b.Failed() {
			b.KeepAt(begin, b.Mark())
		}
	}
}

// KeepAt adds a property: its key stands at one place, its value at another. The cursor
// stands behind the value then.
func (b *Builder) KeepAt(key, value jsonscan.Mark) {
	if len(b.keys) > 0 {
		b.properties = append(b.properties, ',')
	}
	from := len(b.properties)
	b.Seek(key)
	if !b.appendString("properties") {
		return
	}
	b.keys = append(b.keys, Span{from, len(b.properties)})
	if len(b.keys) > b.Limits.Properties {
		b.tooManyProperties()
	}
	b.Seek(value)
	b.properties = append(b.properties, ':')
	b.AppendValue("properties", 2)
}

func (b *Builder) tooManyProperties() {
	b.Defect(wire.ReasonTooMany, "properties: over "+strconv.Itoa(b.Limits.Properties)+" entries")
}

// OpenProperties makes the properties an object, if they are none yet.
func (b *Builder) OpenProperties() {
	if len(b.properties) == 0 {
		b.properties = append(b.properties, '{')
	}
}

// HasProperties reports whether a property was added.
func (b *Builder) HasProperties() bool { return len(b.keys) > 0 }

// PropertyMark is how far the properties are written.
type PropertyMark struct{ size, keys int }

// MarkProperties returns how far the properties are written.
func (b *Builder) MarkProperties() PropertyMark {
	return PropertyMark{len(b.properties), len(b.keys)}
}

// UndoProperties removes what was added to the properties since.
func (b *Builder) UndoProperties(m PropertyMark) {
	b.properties, b.keys = b.properties[:m.size], b.keys[:m.keys]
}

// DropProperties removes all properties.
func (b *Builder) DropProperties() { b.UndoProperties(PropertyMark{}) }

// PropertyKey begins a property. The value must follow, by AppendValue, AppendRaw and the
// like. The name needs no escapes.
func (b *Builder) PropertyKey(name string) {
	b.OpenProperties()
	if len(b.keys) > 0 {
		b.properties = append(b.properties, ',')
	}
	from := len(b.properties)
	b.properties = append(append(append(b.properties, '"'), name...), '"')
	b.keys = append(b.keys, Span{from, len(b.properties)})
	b.properties = append(b.properties, ':')
}

// NewPropertyKey is PropertyKey for a name that the sender chose. It begins no property, and
// returns false, if the name is empty or has a property, or if there are too many.
func (b *Builder) NewPropertyKey(name []byte) bool {
	if len(name) == 0 || b.reason != "" {
		return false
	}
	b.OpenProperties()
	before := b.MarkProperties()
	b.textKey(name)
	if b.repeated(b.keys) {
		b.UndoProperties(before)
		return false
	}
	if len(b.keys) > b.Limits.Properties {
		b.UndoProperties(before)
		b.tooManyProperties()
		return false
	}
	return true
}

// textKey writes the key of a property whose name may need escapes.
func (b *Builder) textKey(name []byte) {
	b.OpenProperties()
	if len(b.keys) > 0 {
		b.properties = append(b.properties, ',')
	}
	from := len(b.properties)
	b.properties = jsonscan.AppendString(b.properties, name)
	b.keys = append(b.keys, Span{from, len(b.properties)})
	b.properties = append(b.properties, ':')
}

// AppendRaw appends JSON to the properties.
func (b *Builder) AppendRaw(json string) { b.properties = append(b.properties, json...) }

// AppendText appends a text to the properties, as a JSON string.
func (b *Builder) AppendText(text []byte) { b.properties = jsonscan.AppendString(b.properties, text) }

// AppendFloat appends a number to the properties, in a form of strconv.FormatFloat.
func (b *Builder) AppendFloat(f float64, form byte) {
	b.properties = strconv.AppendFloat(b.properties, f, form, -1, 64)
}

// Keep adds the value at the cursor as a property.
func (b *Builder) Keep(name string) {
	b.PropertyKey(name)
	b.AppendValue("properties", 2)
}

// KeepText adds a text as a property.
func (b *Builder) KeepText(name string, text []byte) {
	b.PropertyKey(name)
	b.AppendText(text)
}

// KeepFirst adds a text as a property, unless it is empty or the property exists already.
func (b *Builder) KeepFirst(name string, text []byte) {
	if len(text) > 0 && b.Absent(name) {
		b.KeepText(name, text)
	}
}

// KeepNumber adds a number as a property.
func (b *Builder) KeepNumber(name string, f float64) {
	b.PropertyKey(name)
	b.AppendFloat(f, 'f')
}

// KeepQuoted is KeepText for a name that may need escapes.
func (b *Builder) KeepQuoted(name, text []byte) {
	b.textKey(name)
	b.AppendText(text)
}

// KeepScreen adds the size of a screen as the property screen, "1440x900", unless one of the
// numbers is missing or the property exists already.
func (b *Builder) KeepScreen(width, height Span) {
	if !width.Empty() && !height.Empty() {
		b.KeepFirst("screen", b.Text(b.AddText(b.Text(width), []byte("x"), b.Text(height))))
	}
}

// Absent reports whether there is no property with the name. The name needs no escapes.
func (b *Builder) Absent(name string) bool {
	for _, k := range b.keys {
		if k.to-k.from == len(name)+2 && string(b.properties[k.from+1:k.to-1]) == name {
			return false
		}
	}
	return true
}

// ReadNested reads the text at the cursor as JSON of its own, in buf. read is called if it
// is an object. What read adds to the properties is removed if the text is not JSON.
func (b *Builder) ReadNested(buf *[]byte, read func()) {
	q, ok := b.Quoted()
	if !ok {
		return
	}
	if len(q.Text) > b.Limits.Event {
		b.tooLarge()
		return
	}
	*buf = appendText((*buf)[:0], q)
	before := b.MarkProperties()
	valid, _ := b.Within(*buf, func() {
		if b.Space(); b.Peek() == '{' {
			read()
		}
	})
	if !valid {
		b.UndoProperties(before)
	}
}

// ReadInner reads a text that is JSON. What read adds to the properties is removed if the
// text is not JSON, or goes on after it. The limit of an item's size holds for the text
// alone.
func (b *Builder) ReadInner(text []byte, read func()) {
	before, start := b.MarkProperties(), b.start
	valid, whole := b.Within(text, func() {
		b.start = b.Mark()
		read()
	})
	if b.start = start; !valid || !whole {
		b.UndoProperties(before)
	}
}

// KeepMerged adds one property with the members of the objects at several places. Of members
// with the same key the first counts. Members for which drop is true are left out; with
// drop, those that are null too. If nothing is left, it adds no property and returns false.
func (b *Builder) KeepMerged(name string, objects []jsonscan.Mark, drop func(key []byte) bool) bool {
	return b.keepMembers(name, objects, func(key []byte) []byte {
		if drop != nil && (b.Peek() == 'n' || drop(key)) {
			return nil
		}
		return key
	})
}

// KeepRenamed adds one property with the members of the object at a place. rename returns the
// name under which a member is stored, or nil to leave it out. Of members with the same name
// the first counts. If nothing is left, it adds no property and returns false.
func (b *Builder) KeepRenamed(name string, object jsonscan.Mark, rename func(key []byte) []byte) bool {
	return b.keepMembers(name, []jsonscan.Mark{object}, rename)
}

func (b *Builder) keepMembers(name string, objects []jsonscan.Mark, rename func(key []byte) []byte) bool {
	before := b.MarkProperties()
	b.PropertyKey(name)
	b.properties = append(b.properties, '{')
	first := len(b.keys)
	for _, m := range objects {
		b.ReadAt(m, func() {
			if b.Peek() == '{' {
				b.mergeObject(first, rename)
			}
		})
	}
	if len(b.keys) == first {
		if b.UndoProperties(before); before.keys == 0 {
			b.properties = b.properties[:0]
		}
		return false
	}
	b.properties = append(b.properties, '}')
	b.keys = b.keys[:first]
	return true
}

// mergeObject appends the members of the object at the cursor to the property that is being
// written. keys[first:] are the keys that it has already.
func (b *Builder) mergeObject(first int, rename func(key []byte) []byte) {
	for more := b.Begin('}'); more; more = b.More('}') {
		key, ok := b.Key()
		if !ok {
			return
		}
		if len(key) > b.Limits.Event {
			b.tooLarge()
		}
		if b.reason == "" {
			key = rename(key)
		}
		if b.reason != "" || key == nil {
			b.Skip()
			continue
		}
		before := b.MarkProperties()
		if len(b.keys) > first {
			b.properties = append(b.properties, ',')
		}
		from := len(b.properties)
		b.properties = jsonscan.AppendString(b.properties, storable(key))
		b.keys = append(b.keys, Span{from, len(b.properties)})
		if b.repeated(b.keys[first:]) {
			b.UndoProperties(before)
			b.Skip()
			continue
		}
		if len(b.keys)-first > b.Limits.Properties {
			b.tooManyProperties()
		}
		b.properties = append(b.properties, ':')
		b.AppendValue("properties", 3)
	}
}

// HasPrefix reports whether the text behind the cursor begins with a prefix.
func (b *Builder) HasPrefix(prefix string) bool { return bytes.HasPrefix(b.Rest(), []byte(prefix)) }
