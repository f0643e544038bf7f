package wire

// entries steps through the object at pos: take is given each key and reads the value.
// What is no object is passed over.
func (d *draft) entries(take func(key []byte)) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	for more := d.begin('}'); more; more = d.more('}') {
		key, ok := d.field()
		if !ok {
			return
		}
		take(key)
	}
}

// absent says whether no property has the name, which needs no escapes.
func (d *draft) absent(name string) bool {
	for _, k := range d.keys {
		if k.to-k.from == len(name)+2 && string(d.properties[k.from+1:k.to-1]) == name {
			return false
		}
	}
	return true
}

// keepFirst keeps a text, unless it is empty or the event has a property of that name.
func (d *draft) keepFirst(name string, text []byte) {
	if len(text) > 0 && d.absent(name) {
		d.keepText(name, text)
	}
}

// room guesses how many more events come, from the size of those before, and some
// more: events are large, and moving them costs more than a few that stay empty.
func (d *draft) room() int {
	each := max(d.pos/d.items, 1)
	left := (len(d.data) - d.pos) / each
	return min(left+left/4+1, max(len(d.in), 128))
}
