package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// slot is a text field of an event.
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

// draft turns the items of a vendor's request into events. Vendors' SDKs do not correct a
// rejected item, so a draft repairs more than Events does: it truncates long texts, leaves
// out values of a wrong type, and replaces impossible times by now.
//
// The caller reads the body with the scanner's methods. For each item it calls startItem,
// reads values into fields and properties, and calls finishItem.
type draft struct {
	reader
	at       [fieldCount]span
	stamp    stamp
	revenue  float64
	reported bool // a server reports it: address and user agent of the request are not the visitor's
	client   bool // the visitor's own machine sends it

	items    int
	in       []weir.Incoming
	rejected []weir.Rejection
	stamps   []stamp // one for each of in

	buffers int64 // reserved bytes for the draft's buffers
}

// propertyGroups is the property that holds the groups that an event names: an object
// of type to id.
const propertyGroups = "$groups"

// open prepares the draft for a request. It skips leading space of the text.
func (d *draft) open(r *Request, text []byte) {
	d.reset(bytes.TrimPrefix(text, []byte("\ufeff")))
	d.limits, d.now, d.repair = r.Limits, r.Now.UnixMicro(), true
	d.items, d.in, d.rejected, d.stamps = 0, nil, nil, d.stamps[:0]
	d.space()
	d.buffers = d.scratch(len(text))
	d.afford(d.buffers)
}

// close drops the request's data. keep reports whether the draft may be reused: its
// buffers are not too large to keep.
func (d *draft) close() (keep bool) {
	d.in, d.rejected = nil, nil
	d.reset(nil)
	d.limits.Memory.Release(d.buffers)
	d.limits.Memory, d.buffers = nil, 0
	return cap(d.text) <= kept && cap(d.properties) <= kept && cap(d.key) <= kept &&
		cap(d.keys) <= kept/16 && cap(d.table) <= kept/4 && cap(d.stamps) <= kept/16
}

// malformed returns the error of a body that is not valid JSON, or not in the vendor's form.
func (d *draft) malformed() error {
	return malformed(d.data, min(d.pos, len(d.data)), d.fault)
}

// startItem starts an item at pos.
func (d *draft) startItem() {
	d.next()
	d.at = [fieldCount]span{}
	d.stamp, d.revenue, d.reported, d.client = stamp{}, 0, false, false
}

// get returns the text of a field. It is valid until the next string is read.
func (d *draft) get(f slot) []byte { return d.text[d.at[f].from:d.at[f].to] }

func (d *draft) has(f slot) bool { return d.at[f].to > d.at[f].from }

// put sets a field to the concatenated texts. It copies at most as much as the field can
// hold: a long text of a header would otherwise be copied for each event.
func (d *draft) put(f slot, texts ...string) {
	from, limit := len(d.text), d.longest(f)+utf8.UTFMax
	for _, t := range texts {
		d.text = append(d.text, t[:min(len(t), limit)]...)
	}
	d.at[f] = d.truncate(f, span{from, len(d.text)})
}

// read reads the string or number at pos into a field; a number keeps its text. Any other
// value, null and "" are skipped and do not change the field.
func (d *draft) read(f slot) {
	at := d.readText()
	if at.to > at.from {
		d.at[f] = d.truncate(f, at)
	}
}

// readFirst is read, but only if the field is empty.
func (d *draft) readFirst(f slot) {
	if d.has(f) {
		d.skip()
		return
	}
	d.read(f)
}

// readText appends the string or number at pos to d.text and returns where it stands. It
// skips any other value and returns an empty span.
func (d *draft) readText() span {
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

// appendText appends the unescaped string. It replaces what cannot be stored (invalid
// UTF-8, zero bytes) by U+FFFD.
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

// truncate shortens a text to the limit of its field, at the end of a character. Ids of
// persons are truncated too, as vendors do; the event is worth more than the rest of the
// id. A long event id is replaced by its hash instead: otherwise two long ids with the
// same beginning would be one event.
func (d *draft) truncate(f slot, at span) span {
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

// longest returns the limit of a field in bytes.
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

// decimal reads a number, or a string that contains one. Otherwise ok is false.
func (d *draft) decimal() (f float64, ok bool) {
	at := d.readText()
	text := d.text[at.from:at.to]
	d.text = d.text[:at.from]
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return f, err == nil && f-f == 0
}

// truth reads a boolean. "true", "1" and 1 are true too.
func (d *draft) truth() bool {
	switch d.peek() {
	case 't':
		return d.literal("true")
	case '"', '1':
		at := d.readText()
		text := string(d.text[at.from:at.to])
		d.text = d.text[:at.from]
		return text == "true" || text == "1"
	}
	d.skip()
	return false
}

// money makes the currency upper case, and drops it if it is not three letters.
func (d *draft) money() {
	code := d.get(fieldCurrency)
	ok := len(code) == 3
	for _, c := range code {
		ok = ok && c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	if !ok { // the text stays unchanged: it may be stored as a property
		d.at[fieldCurrency] = span{}
		return
	}
	for i := range code {
		code[i] &^= 0x20
	}
}

// readProperties reads the object at pos into the event's properties. It calls consume at
// each value. consume either reads the value and returns true, or returns false; then the
// value becomes a property under its key. Several calls add to the same properties. A
// value that is not an object is skipped.
func (d *draft) readProperties(consume func(key []byte) bool) {
	if d.peek() != '{' {
		d.skip()
		return
	}
	d.openProperties()
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
		if consume(key) {
			continue
		}
		// Read the key again, now in the form that is stored.
		value := d.pos
		d.pos = begin
		d.property(value)
	}
}

// openProperties writes the opening brace of the properties, if it is not there yet.
func (d *draft) openProperties() {
	if len(d.properties) == 0 {
		d.properties = append(d.properties, '{')
	}
}

// property adds a property: its key is at pos, its value at position value.
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

// keep adds the value at pos as a property with the given name.
func (d *draft) keep(name string) {
	d.propertyKey(name)
	d.compact("properties", 2)
}

// keepText adds a text as a property with the given name.
func (d *draft) keepText(name string, text []byte) {
	d.propertyKey(name)
	d.properties = appendQuoted(d.properties, text)
}

// propertyKey writes the key of a property, and the colon. The name needs no escapes.
func (d *draft) propertyKey(name string) {
	d.openProperties()
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

// finishItem ends the item, after its last byte was read. It adds an event or a rejection.
func (d *draft) finishItem() {
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

// unsupported ends an item that Weir accepts but does not store.
func (d *draft) unsupported(what string) {
	d.reason, d.detail = ReasonUnsupported, what
	d.finishItem()
}

// fill writes the item to in, in which only the index is set.
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

// part returns everything that was read, for a project.
func (d *draft) part(project string) Part {
	return Part{Project: project, Events: d.in, Rejected: d.rejected}
}

// tooManyEvents returns an error if the request has more events than allowed.
func (d *draft) tooManyEvents() error {
	if d.items > d.limits.Events {
		return weir.Errorf(weir.ETOOLARGE, "over %d events in one request", d.limits.Events)
	}
	return nil
}
