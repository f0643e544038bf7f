package item

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Builder turns the items of a vendor's request into events. Vendors' SDKs do not correct a
// rejected item, so a Builder repairs more than a Reader does: it truncates long texts,
// leaves out values of a wrong type, and replaces impossible times by now.
//
// The caller reads the body with the methods of the Scanner. For each item it calls
// StartItem, reads values into fields and properties, and calls FinishItem.
type Builder struct {
	Reader
	fields   [FieldCount]Span
	Stamp    Stamp // the item's time
	Revenue  weir.Number
	Reported bool // a server reports it: address and user agent of the request are not the visitor's
	Client   bool // the visitor's own machine sends it
	Named    bool // see weir.Source.Named

	count    int // items
	events   []weir.Incoming
	rejected []weir.Rejection
	stamps   []Stamp // one for each of events

	buffers int64 // reserved bytes for the reader's buffers
}

// Open prepares the builder for a request. It skips the white space that text begins with.
func (b *Builder) Open(r *wire.Request, text []byte) {
	b.Reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	b.Limits, b.Now, b.repair = r.Limits, r.Now.UnixMicro(), true
	b.Restart()
	b.Space()
	b.buffers = b.ScratchSize(len(text))
	b.ReserveMemory(b.buffers)
}

// Close drops the request's data. It reports whether a pool may keep the builder: its
// buffers are not too large.
func (b *Builder) Close() (poolable bool) {
	b.events, b.rejected = nil, nil
	poolable = b.Release() && cap(b.stamps) <= MaxPooled/16
	b.Limits.Memory.Release(b.buffers)
	b.Limits.Memory, b.buffers = nil, 0
	return poolable
}

// Restart drops all items that were read.
func (b *Builder) Restart() {
	b.count, b.events, b.rejected, b.stamps = 0, nil, nil, b.stamps[:0]
}

// Malformed returns the error of a body that is not valid JSON, or not in the vendor's form.
func (b *Builder) Malformed() error { return Malformed(b.Whole(), b.Offset(), b.Fault()) }

// StartItem begins an item at the cursor.
func (b *Builder) StartItem() {
	b.NextItem()
	b.fields = [FieldCount]Span{}
	b.Stamp, b.Revenue, b.Reported, b.Client, b.Named = Stamp{}, weir.Number{}, false, false, false
}

// Get returns the text of a field. It is valid until the next text is read.
func (b *Builder) Get(f Field) []byte { return b.text[b.fields[f].from:b.fields[f].to] }

// Has reports whether a field has a text.
func (b *Builder) Has(f Field) bool { return b.fields[f].to > b.fields[f].from }

// Span returns the place of a field's text.
func (b *Builder) Span(f Field) Span { return b.fields[f] }

// Set sets a field to a text of the item.
func (b *Builder) Set(f Field, at Span) { b.fields[f] = b.Truncate(f, at) }

// SetText sets a field to a text.
func (b *Builder) SetText(f Field, text []byte) { b.Set(f, b.AddText(text)) }

// Clear empties fields.
func (b *Builder) Clear(fields ...Field) {
	for _, f := range fields {
		b.fields[f] = Span{}
	}
}

// ClearAllBut empties all fields except some.
func (b *Builder) ClearAllBut(fields ...Field) {
	before := b.fields
	b.fields = [FieldCount]Span{}
	for _, f := range fields {
		b.fields[f] = before[f]
	}
}

// Put sets a field to the concatenated texts. It copies at most as much as the field can
// hold: a long text of a header would otherwise be copied for each event.
func (b *Builder) Put(f Field, texts ...string) {
	from, limit := len(b.text), b.longest(f)+utf8.UTFMax
	for _, t := range texts {
		b.text = append(b.text, t[:min(len(t), limit)]...)
	}
	b.fields[f] = b.Truncate(f, Span{from, len(b.text)})
}

// PutID sets the event's id to a hash.
func (b *Builder) PutID(hash []byte) {
	from := len(b.text)
	b.text = base64.RawURLEncoding.AppendEncode(b.text, hash)
	b.fields[ID] = Span{from, len(b.text)}
}

// Read reads the string or number at the cursor into a field; a number keeps its digits. Any
// other value, null and "" are skipped, and leave the field as it was.
func (b *Builder) Read(f Field) {
	at := b.ReadText()
	if at.to > at.from {
		b.fields[f] = b.Truncate(f, at)
	}
}

// ReadCampaign reads the value of a key of a campaign: utm_source, utm_medium, utm_campaign,
// utm_term or utm_content. It returns false, and reads nothing, for another key.
func (b *Builder) ReadCampaign(key []byte) bool {
	switch string(key) {
	case "utm_source":
		b.Read(UTMSource)
	case "utm_medium":
		b.Read(UTMMedium)
	case "utm_campaign":
		b.Read(UTMCampaign)
	case "utm_term":
		b.Read(UTMTerm)
	case "utm_content":
		b.Read(UTMContent)
	default:
		return false
	}
	return true
}

// ReadFirst is Read, but only if the field is empty.
func (b *Builder) ReadFirst(f Field) {
	if b.Has(f) {
		b.Skip()
		return
	}
	b.Read(f)
}

// Truncate shortens a text to the limit of a field, at the end of a character. Ids of
// persons are truncated too, as vendors do: the event is worth more than the rest of the
// id. A long event id is replaced by its hash instead: otherwise two long ids with the
// same beginning would be one event.
func (b *Builder) Truncate(f Field, at Span) Span {
	limit := b.longest(f)
	if f == ID && at.to-at.from > limit {
		sum := sha256.Sum256(b.text[at.from:at.to])
		at.from = len(b.text)
		b.text = base64.RawURLEncoding.AppendEncode(b.text, sum[:])
		at.to = min(len(b.text), at.from+limit)
	}
	if at.to-at.from > limit {
		at.to = at.from + limit
		for at.to > at.from && !utf8.RuneStart(b.text[at.to]) {
			at.to--
		}
	}
	return at
}

// longest returns the limit of a field in bytes.
func (b *Builder) longest(f Field) int {
	switch f {
	case ID, Profile, Device, Session, Alias:
		return b.Limits.ID
	case Name:
		return b.Limits.Name
	case URL, Referrer:
		return b.Limits.URL
	}
	return b.Limits.String
}

// FinishItem ends the item, after its last byte was read. It adds an event or a rejection,
// and reports whether it is an event.
func (b *Builder) FinishItem() (stored bool) { return b.FinishItemAs(b.count) }

// FinishExtra ends a second event of the item that FinishItem ended.
func (b *Builder) FinishExtra() {
	b.count--
	b.FinishItem()
}

// FinishItemAs is FinishItem for an item with a given index in the request.
func (b *Builder) FinishItemAs(index int) (stored bool) {
	if b.count++; b.count > b.Limits.Events {
		return false
	}
	b.CheckSize()
	if b.reason == "" && !b.Has(Name) {
		b.Defect(wire.ReasonNameMissing, "")
	}
	if b.Has(Alias) {
		b.KeepText(weir.PropertyAlias, b.Get(Alias))
	}
	if len(b.properties) > 0 {
		b.properties = append(b.properties, '}')
		if b.reason == "" && b.duplicate(b.keys) {
			b.Defect(wire.ReasonDuplicateKey, "properties")
		}
	}
	if b.reason != "" {
		if b.ReserveMemory(wire.RejectionCost) {
			b.rejected = append(b.rejected, b.Rejection(index))
		}
		return false
	}
	if len(b.events) == cap(b.events) && !b.Expect(b.remaining()) || !b.ReserveEvent() {
		return false
	}
	b.events = b.events[:len(b.events)+1]
	in := &b.events[len(b.events)-1]
	*in = weir.Incoming{Index: index}
	b.fill(in)
	b.stamps = append(b.stamps, b.Stamp)
	return true
}

// Expect makes room for so many more events.
func (b *Builder) Expect(events int) (ok bool) {
	b.events, ok = b.Grow(b.events, events)
	return ok
}

// LikelyEvents returns how many events a text of so many bytes mostly has.
func LikelyEvents(size int) int { return min(size/300+1, 1024) }

// remaining estimates how many more events will come, from the average size so far, plus
// some. Events are large: to move them costs more than a few unused slots.
func (b *Builder) remaining() int {
	each := max(b.Offset()/b.count, 1)
	left := len(b.Rest()) / each
	return min(left+left/4+1, max(len(b.events), 128))
}

// Unsupported ends an item that Weir accepts but does not store.
func (b *Builder) Unsupported(what string) { b.UnsupportedAs(b.count, what) }

// UnsupportedAs is Unsupported for an item with a given index in the request.
func (b *Builder) UnsupportedAs(index int, what string) {
	b.SetDefect(wire.ReasonUnsupported, what)
	b.FinishItemAs(index)
}

// UnsupportedExtra notes that Weir does not store a part of the item that FinishItem ended.
func (b *Builder) UnsupportedExtra(what string) {
	if b.ReserveMemory(wire.RejectionCost) {
		b.rejected = append(b.rejected, weir.Rejection{Index: b.count - 1, Reason: wire.ReasonUnsupported, Detail: what})
	}
}

// fill writes the item to in, in which only the index is set.
func (b *Builder) fill(in *weir.Incoming) {
	text := string(b.text)
	get := func(f Field) string { return text[b.fields[f].from:b.fields[f].to] }
	in.Source = weir.Source{
		URL: get(URL), Referrer: get(Referrer), IP: get(IP), UserAgent: get(UserAgent),
		Reported: b.Reported, Client: b.Client, Named: b.Named,
	}
	e := &in.Event
	e.ID, e.Name = get(ID), get(Name)
	if e.Name == weir.NameCall {
		e.Call = &weir.Call{}
	}
	e.ProfileID, e.DeviceID, e.SessionID = get(Profile), get(Device), get(Session)
	e.Path, e.Origin, e.Title = get(Path), get(Origin), get(Title)
	e.UTMSource, e.UTMMedium, e.UTMCampaign = get(UTMSource), get(UTMMedium), get(UTMCampaign)
	e.UTMTerm, e.UTMContent = get(UTMTerm), get(UTMContent)
	e.Country, e.Region, e.City = get(Country), get(Region), get(City)
	e.Browser, e.BrowserVersion = get(Browser), get(BrowserVersion)
	e.OS, e.OSVersion = get(OS), get(OSVersion)
	e.DeviceType, e.Language, e.Library = get(DeviceType), get(Language), get(Library)
	e.Revenue, e.Currency = b.Revenue, get(Currency)
	e.Properties = b.CopyProperties()
}

// Count returns how many items were finished.
func (b *Builder) Count() int { return b.count }

// Full reports whether the request has more items than allowed. Those over the limit are
// not kept; TooManyEvents returns the error.
func (b *Builder) Full() bool { return b.count > b.Limits.Events }

// TooManyEvents returns an error if the request has more items than allowed.
func (b *Builder) TooManyEvents() error {
	if b.Full() {
		return weir.Errorf(weir.ETOOLARGE, "over %d events in one request", b.Limits.Events)
	}
	return nil
}

// Events returns the events that were read.
func (b *Builder) Events() []weir.Incoming { return b.events }

// Rejected returns why items are no events.
func (b *Builder) Rejected() []weir.Rejection { return b.rejected }

// Part returns all items, for one project.
func (b *Builder) Part(project string) wire.Part {
	return wire.Part{Project: project, Events: b.events, Rejected: b.rejected}
}

// Parts returns the items by project. of returns the place in projects of the item with an
// index.
func (b *Builder) Parts(projects []string, of func(index int) int) []wire.Part {
	if len(projects) == 1 {
		return []wire.Part{b.Part(projects[0])}
	}
	if !b.ReserveMemory(int64(len(b.events)) * wire.IncomingSize) {
		return nil
	}
	parts, sizes := make([]wire.Part, len(projects)), make([]int, len(projects))
	for i := range b.events {
		sizes[of(b.events[i].Index)]++
	}
	for i := range parts {
		parts[i].Project, parts[i].Events = projects[i], make([]weir.Incoming, 0, sizes[i])
	}
	for i := range b.events {
		p := &parts[of(b.events[i].Index)]
		p.Events = append(p.Events, b.events[i])
	}
	for _, j := range b.rejected {
		p := &parts[of(j.Index)]
		p.Rejected = append(p.Rejected, j)
	}
	return parts
}

// ReadObject calls read for each key of the object at the cursor; read must read the value.
// A value that is not an object is skipped.
func (b *Builder) ReadObject(read func(key []byte)) {
	if b.Peek() != '{' {
		b.Skip()
		return
	}
	for more := b.Begin('}'); more; more = b.More('}') {
		key, ok := b.Key()
		if !ok {
			return
		}
		read(key)
	}
}

// ReadArray calls read for each element of the array at the cursor; read must read the
// element. A value that is not an array is skipped.
func (b *Builder) ReadArray(read func()) {
	if b.Peek() != '[' {
		b.Skip()
		return
	}
	for more := b.Begin(']'); more; more = b.More(']') {
		read()
	}
}

// Try calls read, and moves the cursor back if the result is false: then the value was of
// another type.
func (b *Builder) Try(read func() bool) bool {
	begin := b.Mark()
	ok := read()
	if !ok && !b.Failed() {
		b.Seek(begin)
	}
	return ok
}

// ReadBool reads a boolean. "true", "1" and 1 are true too.
func (b *Builder) ReadBool() bool {
	switch b.Peek() {
	case 't':
		return b.Literal("true")
	case '"', '1':
		text := string(b.ReadBrief())
		return text == "true" || text == "1"
	}
	b.Skip()
	return false
}
