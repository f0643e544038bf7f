package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// slot is a string that an event of a vendor may have.
type slot uint8

const (
	fieldID slot = iota
	fieldName
	fieldProfile
	fieldDevice
	fieldSession
	fieldURL
	fieldPath
	fieldOrigin
	fieldTitle
	fieldReferrer
	fieldIP
	fieldUserAgent
	fieldUTMSource
	fieldUTMMedium
	fieldUTMCampaign
	fieldUTMTerm
	fieldUTMContent
	fieldCountry
	fieldRegion
	fieldCity
	fieldBrowser
	fieldBrowserVersion
	fieldOS
	fieldOSVersion
	fieldDeviceType
	fieldLanguage
	fieldLibrary
	fieldCurrency
	fieldAlias // the former id of an identify event; becomes the property $alias
	fieldCount
)

// draft reads the items of a vendor's request into events. Vendors' SDKs do not
// mend what is refused, so a draft repairs more than Events does: long texts are
// cut, what is no text is left out, times that make no sense become now.
//
// The caller steps through the body with the scanner's methods; for each item it
// calls begun, reads values into fields and properties, and calls settle.
type draft struct {
	reader
	at       [fieldCount]span
	stamp    stamp
	revenue  float64
	reported bool // a server tells: nothing of the sending request is the visitor's
	client   bool // the visitor's own machine sends it

	items    int
	in       []weir.Incoming
	rejected []weir.Rejection
	stamps   []stamp // of in

	buffers int64 // what they were taken to take
}

// propertyGroups is the property that holds the groups that an event names: an object
// of type to id.
const propertyGroups = "$groups"

// open makes the draft ready for a request. The text is read from its first byte
// that is not space.
func (d *draft) open(r *Request, text []byte) {
	d.reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	d.limits, d.now, d.repair = r.Limits, r.Now.UnixMicro(), true
	d.items, d.in, d.rejected, d.stamps = 0, nil, nil, d.stamps[:0]
	d.space()
	d.buffers = d.scratch(len(text))
	d.afford(d.buffers)
}

// close lets go of what the request brought; keep says whether the draft may
// serve another one.
func (d *draft) close() (keep bool) {
	d.in, d.rejected = nil, nil
	d.reset(nil)
	d.limits.Memory.Give(d.buffers)
	d.limits.Memory, d.buffers = nil, 0
	return cap(d.text) <= kept && cap(d.properties) <= kept && cap(d.key) <= kept &&
		cap(d.keys) <= kept/16 && cap(d.table) <= kept/4 && cap(d.stamps) <= kept/16
}

// malformed is the error of a body that is not JSON as the vendor has it.
func (d *draft) malformed() error {
	return malformed(d.data, min(d.pos, len(d.data)), d.fault)
}

// begun begins an item at pos.
func (d *draft) begun() {
	d.next()
	d.at = [fieldCount]span{}
	d.stamp, d.revenue, d.reported, d.client = stamp{}, 0, false, false
}

// get is what a field holds; it is good until the next string is read.
func (d *draft) get(f slot) []byte { return d.text[d.at[f].from:d.at[f].to] }

func (d *draft) has(f slot) bool { return d.at[f].to > d.at[f].from }

// put sets a field to the texts, one after the other. No more of each is copied than
// the field can hold: one that a header brings would cost its length per event.
func (d *draft) put(f slot, texts ...string) {
	from, limit := len(d.text), d.longest(f)+utf8.UTFMax
	for _, t := range texts {
		d.text = append(d.text, t[:min(len(t), limit)]...)
	}
	d.at[f] = d.cut(f, span{from, len(d.text)})
}

// read reads the value at pos into a field: a string, or a number as its own
// text. null and "" leave the field as it is; so does any other value, which is
// passed over.
func (d *draft) read(f slot) {
	at := d.texted()
	if at.to > at.from {
		d.at[f] = d.cut(f, at)
	}
}

// readFirst is read for a field that has no value yet.
func (d *draft) readFirst(f slot) {
	if d.has(f) {
		d.skip()
		return
	}
	d.read(f)
}

// texted reads a string, or a number as its own text, into d.text. Of other
// values it is empty.
func (d *draft) texted() span {
	from := len(d.text)
	switch c := d.peek(); {
	case c == '"':
		q, ok := d.str()
		if !ok {
			return span{}
		}
		if len(q.text) > d.limits.Event {
			d.tooLarge()
			return span{}
		}
		d.text = appendText(d.text, q)
	case c == '-' || c-'0' <= 9:
		n, ok := d.number()
		if !ok {
			return span{}
		}
		d.text = append(d.text, n.text...)
	default:
		d.skip()
	}
	return span{from, len(d.text)}
}

// appendText appends a string's meaning, without what cannot be stored.
func appendText(dst []byte, q quoted) []byte {
	from := len(dst)
	nul := false
	if q.escaped {
		dst, nul = unescape(dst, q.text, false)
	} else {
		dst = append(dst, q.text...)
	}
	if !q.valid() || nul {
		clean := bytes.ReplaceAll(bytes.ToValidUTF8(dst[from:], []byte("\ufffd")), []byte{0}, []byte("\ufffd"))
		dst = append(dst[:from], clean...)
	}
	return dst
}

// cut bounds what a field holds, at the end of a character. What names
// somebody is cut too: vendors do, and the event is worth more than its tail. Of an
// event's own id a hash is taken: two that begin alike would be one event.
func (d *draft) cut(f slot, at span) span {
	limit := d.longest(f)
	if f == fieldID && at.to-at.from > limit {
		sum := sha256.Sum256(d.text[at.from:at.to])
		at.from = len(d.text)
		d.text = base64.RawURLEncoding.AppendEncode(d.text, sum[:])
		at.to = min(len(d.text), at.from+limit)
	}
	if at.to-at.from > limit {
		at.to = at.from + limit
		for at.to > at.from && !utf8.RuneStart(d.text[at.to]) {
			at.to--
		}
	}
	return at
}

// longest is how many bytes a field can hold.
func (d *draft) longest(f slot) int {
	switch f {
	case fieldID, fieldProfile, fieldDevice, fieldSession, fieldAlias:
		return d.limits.ID
	case fieldName:
		return d.limits.Name
	case fieldURL, fieldReferrer:
		return d.limits.URL
	}
	return d.limits.String
}

// decimal reads a number, or a string that is one; anything else is 0 and not ok.
func (d *draft) decimal() (f float64, ok bool) {
	at := d.texted()
	text := d.text[at.from:at.to]
	d.text = d.text[:at.from]
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return f, err == nil && f-f == 0
}

// truth reads a boolean, also as the text or number of one.
func (d *draft) truth() bool {
	switch d.peek() {
	case 't':
		return d.literal("true")
	case '"', '1':
		at := d.texted()
		text := string(d.text[at.from:at.to])
		d.text = d.text[:at.from]
		return text == "true" || text == "1"
	}
	d.skip()
	return false
}

// money makes the currency upper case, and drops what is none.
func (d *draft) money() {
	code := d.get(fieldCurrency)
	ok := len(code) == 3
	for _, c := range code {
		ok = ok && c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if !ok { // as it was: it may stay a property
		d.at[fieldCurrency] = span{}
		return
	}
	for i := range code {
		code[i] &^= 0x20
	}
}

// bag reads an object of properties into the event's. take is asked at each
// value: it reads it and returns true, or leaves it there to be kept under its
// key. Several bags make one object; the properties of a later one come after.
// What is no object is passed over.
func (d *draft) bag(take func(key []byte) bool) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	d.depth1()
	for more := d.begin('}'); more; more = d.more('}') {
		d.measure()
		if d.reason != "" {
			_ = d.skipKey() && d.skip()
			continue
		}
		begin := d.pos
		key, ok := d.field()
		if !ok {
			return
		}
		if take(key) {
			continue
		}
		// The key again, this time as it is stored.
		value := d.pos
		d.pos = begin
		d.property(value)
	}
}

// depth1 opens the object of properties if it is not open.
func (d *draft) depth1() {
	if len(d.properties) == 0 {
		d.properties = append(d.properties, '{')
	}
}

// property keeps the key at pos and the value at another place.
func (d *draft) property(value int) {
	if len(d.keys) > 0 {
		d.properties = append(d.properties, ',')
	}
	from := len(d.properties)
	if !d.compactString("properties") {
		return
	}
	d.keys = append(d.keys, span{from, len(d.properties)})
	if len(d.keys) > d.limits.Properties {
		d.defect(ReasonTooMany, "properties: over "+strconv.Itoa(d.limits.Properties)+" entries")
	}
	d.pos = value
	d.properties = append(d.properties, ':')
	d.compact("properties", 2)
}

// keep adds the value at pos to the properties under a name.
func (d *draft) keep(name string) {
	d.named(name)
	d.compact("properties", 2)
}

// keepText adds a text to the properties under a name.
func (d *draft) keepText(name string, text []byte) {
	d.named(name)
	d.properties = appendQuoted(d.properties, text)
}

// named begins a property. The name needs no escapes.
func (d *draft) named(name string) {
	d.depth1()
	if len(d.keys) > 0 {
		d.properties = append(d.properties, ',')
	}
	from := len(d.properties)
	d.properties = append(append(append(d.properties, '"'), name...), '"')
	d.keys = append(d.keys, span{from, len(d.properties)})
	d.properties = append(d.properties, ':')
}

// appendQuoted appends a text, which is UTF-8, as a JSON string.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] >= ' ' && text[n] != '"' && text[n] != '\\' {
			n++
		}
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) > 0 {
			dst = appendEscaped(dst, rune(text[0]))
			text = text[1:]
		}
	}
	return append(dst, '"')
}

// settle ends the item, after its last byte was read: it makes it an event or a
// rejection.
func (d *draft) settle() {
	index := d.items
	if d.items++; d.items > d.limits.Events {
		return
	}
	d.measure()
	if d.reason == "" && !d.has(fieldName) {
		d.defect(ReasonNameMissing, "")
	}
	if d.has(fieldAlias) {
		d.keepText(weir.PropertyAlias, d.get(fieldAlias))
	}
	if len(d.properties) > 0 {
		d.properties = append(d.properties, '}')
		if d.reason == "" && d.duplicate(d.keys) {
			d.defect(ReasonDuplicateKey, "properties")
		}
	}
	if d.reason != "" {
		if d.afford(rejectionCost) {
			d.rejected = append(d.rejected, d.rejection(index))
		}
		return
	}
	if len(d.in) == cap(d.in) {
		var ok bool
		if d.in, ok = d.grown(d.in, d.room()); !ok {
			return
		}
	}
	if !d.event() {
		return
	}
	d.in = d.in[:len(d.in)+1]
	in := &d.in[len(d.in)-1]
	*in = weir.Incoming{Index: index}
	d.fill(in)
	d.stamps = append(d.stamps, d.stamp)
}

// unsupported ends an item that is taken and not kept.
func (d *draft) unsupported(what string) {
	d.reason, d.detail = ReasonUnsupported, what
	d.settle()
}

// fill writes the item to in, which is zero but for its index.
func (d *draft) fill(in *weir.Incoming) {
	text := string(d.text)
	get := func(f slot) string { return text[d.at[f].from:d.at[f].to] }
	in.Source = weir.Source{
		URL: get(fieldURL), Referrer: get(fieldReferrer), IP: get(fieldIP), UserAgent: get(fieldUserAgent),
		Reported: d.reported, Client: d.client,
	}
	e := &in.Event
	e.ID, e.Name = get(fieldID), get(fieldName)
	if e.Name == weir.NameCall {
		e.Call = &weir.Call{}
	}
	e.ProfileID, e.DeviceID, e.SessionID = get(fieldProfile), get(fieldDevice), get(fieldSession)
	e.Path, e.Origin, e.Title = get(fieldPath), get(fieldOrigin), get(fieldTitle)
	e.UTMSource, e.UTMMedium, e.UTMCampaign = get(fieldUTMSource), get(fieldUTMMedium), get(fieldUTMCampaign)
	e.UTMTerm, e.UTMContent = get(fieldUTMTerm), get(fieldUTMContent)
	e.Country, e.Region, e.City = get(fieldCountry), get(fieldRegion), get(fieldCity)
	e.Browser, e.BrowserVersion = get(fieldBrowser), get(fieldBrowserVersion)
	e.OS, e.OSVersion = get(fieldOS), get(fieldOSVersion)
	e.DeviceType, e.Language, e.Library = get(fieldDeviceType), get(fieldLanguage), get(fieldLibrary)
	e.Revenue, e.Currency = d.revenue, get(fieldCurrency)
	e.Properties = d.owned()
}

// part is what was read, for a project.
func (d *draft) part(project string) Part {
	return Part{Project: project, Events: d.in, Rejected: d.rejected}
}

// crowded is the error of a request with too many events.
func (d *draft) crowded() error {
	if d.items > d.limits.Events {
		return weir.Errorf(weir.ETOOLARGE, "over %d events in one request", d.limits.Events)
	}
	return nil
}
