package posthog

import (
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// maxAhead is how far ahead of now an event may be.
const maxAhead = 23 * time.Hour

// decoder decodes one request.
type decoder struct {
	item.Builder
	event // the item that is read

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
func (p *decoder) start(r *wire.Request, text []byte) {
	p.Open(r, text)
	p.agent, p.engage, p.v1, p.sdk = r.UserAgent[:min(len(r.UserAgent), 512)], r.Route.Path == "/engage", false, ""
	p.token, p.requestToken, p.mixed = "", false, false
	p.sentAt, p.hasSentAt, p.historical, p.dropped, p.uuids = 0, false, false, "", nil
}

// sent reads the text of a request.
func (p *decoder) sent(r *wire.Request, text []byte) (*wire.Decoded, error) {
	p.start(r, text)
	switch p.Peek() {
	case '[':
		p.events()
	case '{':
		p.object()
	default:
		p.Fail("want an object or an array")
	}
	if !p.Full() {
		p.End()
	}
	if p.Failed() {
		return nil, weir.Wrap(p.Malformed(), weir.EINVALID, "failed to parse request: %s", weir.ErrorMessage(p.Malformed()))
	}
	if err := p.TooManyEvents(); err != nil {
		return nil, err
	}
	if p.Count() == 0 {
		return nil, weir.Errorf(weir.EINVALID, "request holds no event")
	}
	if p.token == "" {
		p.token = r.Query().Get("token")
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
		if ms := r.Query().Get("_"); ms != "" {
			p.sentAt, p.hasSentAt = item.ReadMoment([]byte(ms))
		}
	}
	return p.result(), nil
}

// result is what was read.
func (p *decoder) result() *wire.Decoded {
	var skew time.Duration
	if p.hasSentAt {
		skew = p.Skew(p.sentAt)
	}
	p.SetTimes(skew, maxAhead)
	return &wire.Decoded{Parts: []wire.Part{p.Part(p.token)}, Unsupported: p.dropped, From: wire.FromLogIf(p.historical)}
}

// events reads an array of them.
func (p *decoder) events() {
	for more := p.Begin(']'); more; more = p.More(']') {
		p.item()
		if p.Full() {
			return
		}
	}
}

// item reads one element of an array.
func (p *decoder) item() {
	p.StartItem()
	p.event = event{}
	if p.Peek() != '{' {
		if p.Skip() {
			p.Defect(wire.ReasonNotObject, "")
			p.uuids = append(p.uuids, "")
			p.FinishItem()
		}
		return
	}
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
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
func (p *decoder) object() {
	p.StartItem()
	p.event = event{}
	batch := false
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		if !ok {
			return
		}
		switch string(key) {
		case "token", "$token", "api_key":
			if t := p.short(); t != "" {
				p.token, p.requestToken = t, true
			}
		case "sent_at", "sentAt": // sentAt is posthog-python's
			if us, ok := p.Moment(); ok {
				p.sentAt, p.hasSentAt = us, true
			}
		case "historical_migration":
			p.historical = p.ReadBool()
		case "batch":
			if batch || p.Peek() != '[' {
				p.Fail(`want one array of "batch"`)
				return
			}
			batch = true
			p.events()
			if p.Full() {
				return
			}
		default:
			if batch {
				p.Skip()
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
func (p *decoder) short() string {
	return string(p.ReadBrief())
}

// entry reads the value of an event's key.
func (p *decoder) entry(key []byte) {
	if p.CheckSize(); p.Reason() == wire.ReasonTooLarge {
		p.Skip()
		return
	}
	switch string(key) {
	case "event":
		p.Read(item.Name)
		p.kind = kindOf(p.Get(item.Name))
	case "uuid":
		p.Read(item.ID)
	case "distinct_id", "$distinct_id":
		p.ident(ownDistinct)
	case "properties", "$properties":
		if p.Has(item.Name) {
			p.ReadProperties(p.property)
		} else { // what they mean is not known yet
			p.propertiesAt = p.Note()
		}
	case "timestamp":
		p.ReadTime()
	case "offset":
		if ms, ok := p.ReadDecimal(); ok && ms > -1e15 && ms < 1e15 {
			p.offset, p.hasOffset = int64(ms*1000), true
		}
	case "$set":
		p.set[besideProperties] = p.Note()
	case "$set_once":
		p.once[besideProperties] = p.Note()
	case "$unset":
		p.unset[besideProperties] = p.Note()
	case "token", "$token", "api_key":
		p.readOwn(ownToken)
	default:
		p.Skip()
	}
}
