package wire

import (
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

var posthogs = sync.Pool{New: func() any { return new(posthog) }}

// posthogAhead is how far ahead of now an event may be.
const posthogAhead = 23 * time.Hour

// posthog decodes one request.
type posthog struct {
	draft
	posthogEvent // the item that is read

	agent        string // of the request
	engage       bool   // an object without an event sets traits
	v1           bool
	sdk          string // in v1, for all events
	token        string // of the request, or of the events before
	requestToken bool   // token is the request's: those of events do not count
	mixed        bool   // events with different tokens
	sentAt       int64  // the sender's clock, in unix microseconds
	hasSentAt    bool
	historical   bool
	dropped      string // what was sent that Weir does not keep
	uuids        []string
}

// start makes p ready for a request.
func (p *posthog) start(r *Request, text []byte) {
	p.open(r, text)
	p.agent, p.engage, p.v1, p.sdk = r.UserAgent[:min(len(r.UserAgent), 512)], r.Route.Path == "/engage", false, ""
	p.token, p.requestToken, p.mixed = "", false, false
	p.sentAt, p.hasSentAt, p.historical, p.dropped, p.uuids = 0, false, false, "", nil
}

// sent reads the text of a request.
func (p *posthog) sent(r *Request, text []byte) (*Decoded, error) {
	p.start(r, text)
	switch p.peek() {
	case '[':
		p.events()
	case '{':
		p.object()
	default:
		p.fail("want an object or an array")
	}
	if p.fault == "" && p.items <= p.limits.Events {
		if p.space(); p.pos < len(p.data) {
			p.fail("want nothing after the value")
		}
	}
	if p.fault != "" {
		return nil, weir.Wrap(p.malformed(), weir.EINVALID, "failed to parse request: %s", weir.ErrorMessage(p.malformed()))
	}
	if err := p.tooManyEvents(); err != nil {
		return nil, err
	}
	if p.items == 0 {
		return nil, weir.Errorf(weir.EINVALID, "request holds no event")
	}
	if p.token == "" {
		p.token = r.Query.Get("token")
	}
	switch {
	case p.token == "":
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "event submitted without an api_key")
	case p.mixed && !p.requestToken:
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "batch submitted with inconsistent api_key values")
	case strings.HasPrefix(p.token, "phx_"):
		return nil, weir.Errorf(weir.EUNAUTHORIZED, "API key is not valid: personal_api_key")
	}
	if !p.hasSentAt {
		if ms := r.Query.Get("_"); ms != "" {
			p.sentAt, p.hasSentAt = readMoment([]byte(ms))
		}
	}
	return p.result(), nil
}

// result is what was read.
func (p *posthog) result() *Decoded {
	var skew time.Duration
	if p.hasSentAt {
		skew = p.skew(p.sentAt)
	}
	p.date(skew, posthogAhead)
	return &Decoded{Parts: []Part{p.part(p.token)}, Unsupported: p.dropped, Historical: p.historical}
}

// events reads an array of them.
func (p *posthog) events() {
	for more := p.begin(']'); more; more = p.more(']') {
		p.item()
		if p.items > p.limits.Events {
			return
		}
	}
}

// item reads one element of an array.
func (p *posthog) item() {
	p.startItem()
	p.posthogEvent = posthogEvent{}
	if p.peek() != '{' {
		if p.skip() {
			p.defect(ReasonNotObject, "")
			p.uuids = append(p.uuids, "")
			p.finishItem()
		}
		return
	}
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		switch {
		case !ok:
		case p.v1:
			p.entryV1(key)
		default:
			p.entry(key)
		}
	}
	p.finish()
}

// object reads an object that is an event or holds some.
func (p *posthog) object() {
	p.startItem()
	p.posthogEvent = posthogEvent{}
	batch := false
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		if !ok {
			return
		}
		switch string(key) {
		case "token", "$token", "api_key":
			if t := p.short(); t != "" {
				p.token, p.requestToken = t, true
			}
		case "sent_at", "sentAt": // sentAt is posthog-python's
			if us, ok := p.moment(); ok {
				p.sentAt, p.hasSentAt = us, true
			}
		case "historical_migration":
			p.historical = p.truth()
		case "batch":
			if batch || p.peek() != '[' {
				p.fail(`want one array of "batch"`)
				return
			}
			batch = true
			p.events()
			if p.items > p.limits.Events {
				return
			}
		default:
			if batch {
				p.skip()
			} else {
				p.entry(key)
			}
		}
	}
	if !batch {
		p.finish()
	}
}

// short reads a text that is not kept with the item.
func (p *posthog) short() string {
	at := p.readText()
	s := string(p.text[at.from:at.to])
	p.text = p.text[:at.from]
	return s
}

// entry reads the value of an event's key.
func (p *posthog) entry(key []byte) {
	if p.measure(); p.reason == ReasonTooLarge {
		p.skip()
		return
	}
	switch string(key) {
	case "event":
		p.read(fieldName)
		p.kind = posthogKindOf(p.get(fieldName))
	case "uuid":
		p.read(fieldID)
	case "distinct_id", "$distinct_id":
		p.ident(ownDistinct)
	case "properties", "$properties":
		if p.has(fieldName) {
			p.readProperties(p.property)
		} else { // what they mean is not known yet
			p.propertiesAt = p.pos
			p.skip()
		}
	case "timestamp":
		p.timed()
	case "offset":
		if ms, ok := p.decimal(); ok && ms > -1e15 && ms < 1e15 {
			p.offset, p.hasOffset = int64(ms*1000), true
		}
	case "$set":
		p.place(&p.set)
	case "$set_once":
		p.place(&p.once)
	case "$unset":
		p.place(&p.unset)
	case "token", "$token", "api_key":
		p.readOwn(ownToken)
	default:
		p.skip()
	}
}
