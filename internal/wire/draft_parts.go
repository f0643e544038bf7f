package wire

// readObject calls read for each key of the object at pos; read must read the value. A
// value that is not an object is skipped.
func (d *draft) readObject(read func(key []byte)) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	for more := d.begin('}'); more; more = d.more('}') {
		key, ok := d.field()
		if !ok {
			return
		}
		read(key)
	}
}

// absent reports whether there is no property with the name. The name needs no escapes.
func (d *draft) absent(name string) bool {
	for _, k := range d.keys {
		if k.to-k.from == len(name)+2 && string(d.properties[k.from+1:k.to-1]) == name {
			return false
		}
	}
	return true
}

// keepFirst adds a text as a property, unless it is empty or the property exists already.
func (d *draft) keepFirst(name string, text []byte) {
	if len(text) > 0 && d.absent(name) {
		d.keepText(name, text)
	}
}

// room estimates how many more events will come, from the average size so far, plus some.
// Events are large: to move them costs more than a few unused slots.
func (d *draft) room() int {
	each := max(d.pos/d.items, 1)
	left := (len(d.data) - d.pos) / each
	return min(left+left/4+1, max(len(d.in), 128))
}
