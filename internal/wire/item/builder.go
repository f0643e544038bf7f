package item

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Field is a text field of an event.
type Field uint8

// The text fields of an event.
const (
	ID Field = iota
	Name
	Profile
	Device
	Session
	URL
	Path
	Origin
	Title
	Referrer
	IP
	UserAgent
	UTMSource
	UTMMedium
	UTMCampaign
	UTMTerm
	UTMContent
	Country
	Region
	City
	Browser
	BrowserVersion
	OS
	OSVersion
	DeviceType
	Language
	Library
	Currency
	Alias // the former id of an identify event; becomes the property $alias
	FieldCount
)

// Builder turns the items of a vendor's request into events. Vendors' SDKs do not correct a
// rejected item, so a draft repairs more than Events does: it truncates long texts, leaves
// out values of a wrong type, and replaces impossible times by now.
//
// The caller reads the body with the scanner's methods. For each item it calls startItem,
// reads values into fields and properties, and calls finishItem.
type Builder struct {
	Reader
	At       [FieldCount]Span
	Stamp    Stamp
	Revenue  float64
	Reported bool // a server reports it: address and user agent of the request are not the visitor's
	Client   bool // the visitor's own machine sends it

	Items    int
	Events   []weir.Incoming
	Rejected []weir.Rejection
	Stamps   []Stamp // one for each of in

	buffers int64 // reserved bytes for the draft's buffers
}

// PropertyGroups is the property that holds the groups that an event names: an object
// of type to id.
const PropertyGroups = "$groups"

// Open prepares the draft for a request. It skips leading space of the text.
func (d *Builder) Open(r *wire.Request, text []byte) {
	d.Reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	d.Limits, d.Now, d.repair = r.Limits, r.Now.UnixMicro(), true
	d.Items, d.Events, d.Rejected, d.Stamps = 0, nil, nil, d.Stamps[:0]
	d.Space()
	d.buffers = d.ScratchSize(len(text))
	d.ReserveMemory(d.buffers)
}

// Close drops the request's data. keep reports whether the draft may be reused: its
// buffers are not too large to keep.
func (d *Builder) Close() (keep bool) {
	d.Events, d.Rejected = nil, nil
	d.Reset(nil)
	d.Limits.Memory.Release(d.buffers)
	d.Limits.Memory, d.buffers = nil, 0
	return cap(d.Text) <= MaxPooled && cap(d.Properties) <= MaxPooled && cap(d.KeyBuffer) <= MaxPooled &&
		cap(d.Keys) <= MaxPooled/16 && cap(d.Table) <= MaxPooled/4 && cap(d.Stamps) <= MaxPooled/16
}

// Malformed returns the error of a body that is not valid JSON, or not in the vendor's form.
func (d *Builder) Malformed() error {
	return Malformed(d.Data, min(d.Pos, len(d.Data)), d.Fault)
}

// StartItem starts an item at pos.
func (d *Builder) StartItem() {
	d.NextItem()
	d.At = [FieldCount]Span{}
	d.Stamp, d.Revenue, d.Reported, d.Client = Stamp{}, 0, false, false
}

// Get returns the text of a field. It is valid until the next string is read.
func (d *Builder) Get(f Field) []byte { return d.Text[d.At[f].From:d.At[f].To] }

// Has reports whether a field has a text.
func (d *Builder) Has(f Field) bool { return d.At[f].To > d.At[f].From }

// Put sets a field to the concatenated texts. It copies at most as much as the field can
// hold: a long text of a header would otherwise be copied for each event.
func (d *Builder) Put(f Field, texts ...string) {
	from, limit := len(d.Text), d.longest(f)+utf8.UTFMax
	for _, t := range texts {
		d.Text = append(d.Text, t[:min(len(t), limit)]...)
	}
	d.At[f] = d.Truncate(f, Span{from, len(d.Text)})
}

// Read reads the string or number at pos into a field; a number keeps its text. Any other
// value, null and "" are skipped and do not change the field.
func (d *Builder) Read(f Field) {
	at := d.ReadText()
	if at.To > at.From {
		d.At[f] = d.Truncate(f, at)
	}
}

// ReadFirst is read, but only if the field is empty.
func (d *Builder) ReadFirst(f Field) {
	if d.Has(f) {
		d.Skip()
		return
	}
	d.Read(f)
}

// ReadText appends the string or number at pos to d.text and returns where it stands. It
// skips any other value and returns an empty span.
func (d *Builder) ReadText() Span {
	from := len(d.Text)
	switch c := d.Peek(); {
	case c == '"':
		q, ok := d.Quoted()
		if !ok {
			return Span{}
		}
		if len(q.Text) > d.Limits.Event {
			d.TooLarge()
			return Span{}
		}
		d.Text = appendText(d.Text, q)
	case c == '-' || c-'0' <= 9:
		n, ok := d.Number()
		if !ok {
			return Span{}
		}
		d.Text = append(d.Text, n.Text...)
	default:
		d.Skip()
	}
	return Span{from, len(d.Text)}
}

// appendText appends the unescaped string. It replaces what cannot be stored (invalid
// UTF-8, zero bytes) by U+FFFD.
func appendText(dst []byte, q jsonscan.Quoted) []byte {
	from := len(dst)
	nul := false
	if q.Escaped {
		dst, nul = jsonscan.Unescape(dst, q.Text, false)
	} else {
		dst = append(dst, q.Text...)
	}
	if !q.Valid() || nul {
		clean := bytes.ReplaceAll(bytes.ToValidUTF8(dst[from:], []byte("\ufffd")), []byte{0}, []byte("\ufffd"))
		dst = append(dst[:from], clean...)
	}
	return dst
}

// Truncate shortens a text to the limit of its field, at the end of a character. Ids of
// persons are truncated too, as vendors do; the event is worth more than the rest of the
// id. A long event id is replaced by its hash instead: otherwise two long ids with the
// same beginning would be one event.
func (d *Builder) Truncate(f Field, at Span) Span {
	limit := d.longest(f)
	if f == ID && at.To-at.From > limit {
		sum := sha256.Sum256(d.Text[at.From:at.To])
		at.From = len(d.Text)
		d.Text = base64.RawURLEncoding.AppendEncode(d.Text, sum[:])
		at.To = min(len(d.Text), at.From+limit)
	}
	if at.To-at.From > limit {
		at.To = at.From + limit
		for at.To > at.From && !utf8.RuneStart(d.Text[at.To]) {
			at.To--
		}
	}
	return at
}

// longest returns the limit of a field in bytes.
func (d *Builder) longest(f Field) int {
	switch f {
	case ID, Profile, Device, Session, Alias:
		return d.Limits.ID
	case Name:
		return d.Limits.Name
	case URL, Referrer:
		return d.Limits.URL
	}
	return d.Limits.String
}

// ReadDecimal reads a number, or a string that contains one. Otherwise ok is false.
func (d *Builder) ReadDecimal() (f float64, ok bool) {
	at := d.ReadText()
	text := d.Text[at.From:at.To]
	d.Text = d.Text[:at.From]
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return f, err == nil && f-f == 0
}

// ReadBool reads a boolean. "true", "1" and 1 are true too.
func (d *Builder) ReadBool() bool {
	switch d.Peek() {
	case 't':
		return d.Literal("true")
	case '"', '1':
		at := d.ReadText()
		text := string(d.Text[at.From:at.To])
		d.Text = d.Text[:at.From]
		return text == "true" || text == "1"
	}
	d.Skip()
	return false
}

// CheckCurrency makes the currency upper case, and drops it if it is not three letters.
func (d *Builder) CheckCurrency() {
	code := d.Get(Currency)
	ok := len(code) == 3
	for _, c := range code {
		ok = ok && c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if !ok { // the text stays unchanged: it may be stored as a property
		d.At[Currency] = Span{}
		return
	}
	for i := range code {
		code[i] &^= 0x20
	}
}

// ReadProperties reads the object at pos into the event's properties. It calls consume at
// each value. consume either reads the value and returns true, or returns false; then the
// value becomes a property under its key. Several calls add to the same properties. A
// value that is not an object is skipped.
func (d *Builder) ReadProperties(consume func(key []byte) bool) {
	if d.Peek() != '{' {
		d.Skip()
		return
	}
	d.OpenProperties()
	for more := d.Begin('}'); more; more = d.More('}') {
		d.CheckSize()
		if d.Reason != "" {
			_ = d.SkipKey() && d.Skip()
			continue
		}
		begin := d.Pos
		key, ok := d.Key()
		if !ok {
			return
		}
		if consume(key) {
			continue
		}
		// Read the key again, now in the form that is stored.
		value := d.Pos
		d.Pos = begin
		d.Property(value)
	}
}

// OpenProperties writes the opening brace of the properties, if it is not there yet.
func (d *Builder) OpenProperties() {
	if len(d.Properties) == 0 {
		d.Properties = append(d.Properties, '{')
	}
}

// Property adds a property: its key is at pos, its value at position value.
func (d *Builder) Property(value int) {
	if len(d.Keys) > 0 {
		d.Properties = append(d.Properties, ',')
	}
	from := len(d.Properties)
	if !d.CompactString("properties") {
		return
	}
	d.Keys = append(d.Keys, Span{from, len(d.Properties)})
	if len(d.Keys) > d.Limits.Properties {
		d.Defect(wire.ReasonTooMany, "properties: over "+strconv.Itoa(d.Limits.Properties)+" entries")
	}
	d.Pos = value
	d.Properties = append(d.Properties, ':')
	d.Compact("properties", 2)
}

// Keep adds the value at pos as a property with the given name.
func (d *Builder) Keep(name string) {
	d.PropertyKey(name)
	d.Compact("properties", 2)
}

// KeepText adds a text as a property with the given name.
func (d *Builder) KeepText(name string, text []byte) {
	d.PropertyKey(name)
	d.Properties = jsonscan.AppendString(d.Properties, text)
}

// PropertyKey writes the key of a property, and the colon. The name needs no escapes.
func (d *Builder) PropertyKey(name string) {
	d.OpenProperties()
	if len(d.Keys) > 0 {
		d.Properties = append(d.Properties, ',')
	}
	from := len(d.Properties)
	d.Properties = append(append(append(d.Properties, '"'), name...), '"')
	d.Keys = append(d.Keys, Span{from, len(d.Properties)})
	d.Properties = append(d.Properties, ':')
}

// FinishItem ends the item, after its last byte was read. It adds an event or a rejection.
func (d *Builder) FinishItem() {
	index := d.Items
	if d.Items++; d.Items > d.Limits.Events {
		return
	}
	d.CheckSize()
	if d.Reason == "" && !d.Has(Name) {
		d.Defect(wire.ReasonNameMissing, "")
	}
	if d.Has(Alias) {
		d.KeepText(weir.PropertyAlias, d.Get(Alias))
	}
	if len(d.Properties) > 0 {
		d.Properties = append(d.Properties, '}')
		if d.Reason == "" && d.duplicate(d.Keys) {
			d.Defect(wire.ReasonDuplicateKey, "properties")
		}
	}
	if d.Reason != "" {
		if d.ReserveMemory(wire.RejectionCost) {
			d.Rejected = append(d.Rejected, d.Rejection(index))
		}
		return
	}
	if len(d.Events) == cap(d.Events) {
		var ok bool
		if d.Events, ok = d.Grow(d.Events, d.room()); !ok {
			return
		}
	}
	if !d.ReserveEvent() {
		return
	}
	d.Events = d.Events[:len(d.Events)+1]
	in := &d.Events[len(d.Events)-1]
	*in = weir.Incoming{Index: index}
	d.fill(in)
	d.Stamps = append(d.Stamps, d.Stamp)
}

// Unsupported ends an item that Weir accepts but does not store.
func (d *Builder) Unsupported(what string) {
	d.Reason, d.Detail = wire.ReasonUnsupported, what
	d.FinishItem()
}

// fill writes the item to in, in which only the index is set.
func (d *Builder) fill(in *weir.Incoming) {
	text := string(d.Text)
	get := func(f Field) string { return text[d.At[f].From:d.At[f].To] }
	in.Source = weir.Source{
		URL: get(URL), Referrer: get(Referrer), IP: get(IP), UserAgent: get(UserAgent),
		Reported: d.Reported, Client: d.Client,
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
	e.Revenue, e.Currency = d.Revenue, get(Currency)
	e.Properties = d.Owned()
}

// Part returns everything that was read, for a project.
func (d *Builder) Part(project string) wire.Part {
	return wire.Part{Project: project, Events: d.Events, Rejected: d.Rejected}
}

// TooManyEvents returns an error if the request has more events than allowed.
func (d *Builder) TooManyEvents() error {
	if d.Items > d.Limits.Events {
		return weir.Errorf(weir.ETOOLARGE, "over %d events in one request", d.Limits.Events)
	}
	return nil
}

// LikelyEvents is how many events a text of a size holds, so that there is room for them at
// once in most cases.
func LikelyEvents(size int) int { return min(size/300+1, 1024) }
