package item

// ReadObject calls read for each key of the object at pos; read must read the value. A
// value that is not an object is skipped.
func (d *Builder) ReadObject(read func(key []byte)) {
	if d.Peek() != '{' {
		d.Skip()
		return
	}
	for more := d.Begin('}'); more; more = d.More('}') {
		key, ok := d.Key()
		if !ok {
			return
		}
		read(key)
	}
}

// Absent reports whether there is no property with the name. The name needs no escapes.
func (d *Builder) Absent(name string) bool {
	for _, k := range d.Keys {
		if k.To-k.From == len(name)+2 && string(d.Properties[k.From+1:k.To-1]) == name {
			return false
		}
	}
	return true
}

// KeepFirst adds a text as a property, unless it is empty or the property exists already.
func (d *Builder) KeepFirst(name string, text []byte) {
	if len(text) > 0 && d.Absent(name) {
		d.KeepText(name, text)
	}
}

// room estimates how many more events will come, from the average size so far, plus some.
// Events are large: to move them costs more than a few unused slots.
func (d *Builder) room() int {
	each := max(d.Pos/d.Items, 1)
	left := (len(d.Data) - d.Pos) / each
	return min(left+left/4+1, max(len(d.Events), 128))
}
