package wire

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// OpenPanel is how the SDKs of openpanel.dev speak.
// Source: npm's @openpanel/sdk 1.3.1 and @openpanel/web 1.4.1, openpanel.dev/docs.
type OpenPanel struct{}

// Vendor is the protocol's name.
func (OpenPanel) Vendor() string { return "openpanel" }

const (
	openpanelTrack     = "/track"
	openpanelDevice    = "/track/device-id"
	openpanelOldEvent  = "/event"
	openpanelProfile   = "/profile"
	openpanelIncrement = "/profile/increment"
	openpanelDecrement = "/profile/decrement"
)

// Routes are the addresses of its SDKs but /track, which Track has: those of old ones,
// and of the device.
func (OpenPanel) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: openpanelDevice, NoBody: true},
		{Method: http.MethodPost, Path: openpanelOldEvent},
		{Method: http.MethodPost, Path: openpanelProfile},
		{Method: http.MethodPost, Path: openpanelIncrement},
		{Method: http.MethodPost, Path: openpanelDecrement},
	}
}

// Decode reads one event, or a batch of them.
func (OpenPanel) Decode(r *Request) (*Decoded, error) {
	p := openpanels.Get().(*openpanel)
	defer func() {
		p.project, p.library, p.language, p.address, p.request = "", "", "", "", nil
		if p.close() && cap(p.scratch) <= kept {
			openpanels.Put(p)
		}
	}()
	p.open(r, r.Body)
	p.index = 0
	p.about(r)
	return p.sent()
}

var openpanels = sync.Pool{New: func() any { return new(openpanel) }}

// openpanel decodes one request.
type openpanel struct {
	draft
	request  *Request
	project  string
	library  string
	language string
	address  string // the visitor's, where a server names it
	visitor  bool   // the request is the visitor's own, or made in its name

	item     openpanelItem
	index    int    // of the item in the request
	scratch  []byte // what an id is a hash of
	currency span   // of text, as it came
	identity int    // where the value of __identify begins; 0 is nowhere
}

// about reads what the headers say of all events of the request.
func (p *openpanel) about(r *Request) {
	h := r.Header
	p.request = r
	p.project = strings.TrimSpace(cmp.Or(h.Get("Openpanel-Client-Id"), h.Get("Mixan-Client-Id")))
	p.address = header(h, "Openpanel-Client-Ip", "X-Client-Ip")
	p.visitor = hasVisitor(r.UserAgent)
	if p.visitor {
		p.language = header(h, "Accept-Language")
	}
	if p.library = header(h, "Openpanel-Sdk-Name"); p.library != "" {
		p.library = "openpanel-" + p.library
		if version := header(h, "Openpanel-Sdk-Version"); version != "" {
			p.library += "/" + version
		}
	}
}

// hasVisitor says whether a user agent is that of a browser or an app, rather than of
// a server's HTTP client. OpenPanel tells them apart by it too: its SDKs have the same
// name on both sides, and middleware passes the visitor's user agent on.
func hasVisitor(userAgent string) bool {
	for _, mark := range [...]string{"Mozilla/", "Dalvik/", "CFNetwork/"} {
		if strings.Contains(userAgent, mark) {
			return true
		}
	}
	_, comment, _ := strings.Cut(userAgent, "(")
	for _, system := range [...]string{"iPhone", "iPad", "iPod", "iOS", "Android", "Windows", "Macintosh", "Mac OS", "macOS", "Linux"} {
		if strings.Contains(comment, system) {
			return true
		}
	}
	return false
}

func (p *openpanel) sent() (*Decoded, error) {
	var err error
	s := &Decoded{}
	reply := openpanelReply{}
	switch p.request.Route.Path {
	case openpanelDevice:
		if p.project == "" {
			return nil, errNoClient()
		}
	case openpanelTrack:
		err = p.track(s, &reply)
	case openpanelOldEvent:
		err = p.alone(openpanelKindOld)
	case openpanelProfile:
		err = p.alone(openpanelKindIdentify)
	case openpanelIncrement:
		err = p.alone(openpanelKindIncrement)
	default:
		err = p.alone(openpanelKindDecrement)
	}
	if err == nil {
		err = p.tooManyEvents()
	}
	if err != nil {
		return nil, err
	}
	if p.date(0, time.Minute); !reply.batch && len(p.rejected) > 0 {
		j := p.rejected[0]
		if j.Reason == ReasonTooLarge {
			return nil, weir.Errorf(weir.ETOOLARGE, "%s: %s", j.Reason, j.Detail)
		}
		return nil, weir.Errorf(weir.EINVALID, "%s", strings.TrimSuffix(j.Reason+": "+j.Detail, ": "))
	}
	part := p.part(p.project)
	if p.visitor && len(part.Events) == 0 {
		part.Visitor = &weir.Source{IP: p.address}
	}
	s.Parts, s.State = []Part{part}, reply
	return s, nil
}

func errNoClient() error { return weir.Errorf(weir.EUNAUTHORIZED, "the client id is missing") }

// track reads {"type","payload"}, its keys in any order.
func (p *openpanel) track(s *Decoded, reply *openpanelReply) error {
	kind, payload, over := p.envelope(true)
	if over {
		s.Unsupported = "replay"
		return nil
	}
	if err := p.ended(); err != nil {
		return err
	}
	switch kind {
	case openpanelKindReplay:
		s.Unsupported = "replay"
		return nil
	case openpanelKindBatch:
		reply.batch = true
		return p.batch(payload, reply)
	}
	p.events(kind, payload)
	return nil
}

// envelope reads the object at pos. replay stops at the end of the word when the item
// is a replay of a sender that is known: those are large.
func (p *openpanel) envelope(stop bool) (kind openpanelKind, payload int, over bool) {
	if p.peek() != '{' {
		p.fail("want an object")
		return 0, 0, false
	}
	p.next()
	for more := p.begin('}'); more; more = p.more('}') {
		key, ok := p.field()
		switch {
		case !ok:
		case string(key) == "type":
			at := p.readText()
			kind = openpanelKindOf(p.text[at.from:at.to])
			if stop && kind == openpanelKindReplay && p.project != "" {
				return kind, 0, true
			}
		case string(key) == "payload":
			payload = p.pos
			p.skip()
		case string(key) == "clientId" && p.project == "":
			at := p.readText()
			p.project = string(p.text[at.from:at.to])
		default:
			p.skip()
		}
	}
	return kind, payload, false
}

// ended checks that the body is over, and that it named a project.
func (p *openpanel) ended() error {
	if p.fault == "" {
		if p.space(); p.pos < len(p.data) {
			p.fail("want nothing after the value")
		}
	}
	switch {
	case p.fault != "":
		return p.malformed()
	case p.project == "":
		return errNoClient()
	}
	return nil
}

// batch reads the array of envelopes at a place.
func (p *openpanel) batch(at int, reply *openpanelReply) error {
	if p.pos = at; at == 0 || p.peek() != '[' {
		return weir.Errorf(weir.EINVALID, "payload: want an array of events")
	}
	p.in, _ = p.grown(p.in, likely(len(p.data)-at))
	for more := p.begin(']'); more; more = p.more(']') {
		p.index = reply.items
		reply.items++
		if p.items > p.limits.Events {
			break
		}
		if p.peek() != '{' {
			p.startItem()
			p.skip()
			p.refused(ReasonNotObject, "")
			continue
		}
		kind, payload, _ := p.envelope(false)
		end := p.pos
		switch kind {
		case openpanelKindReplay:
			p.startItem()
			p.refused(ReasonUnsupported, "replay")
		case openpanelKindBatch:
			p.startItem()
			p.refused(ReasonWrongType, "type: a batch holds no batch")
		default:
			p.events(kind, payload)
		}
		p.pos = end
	}
	if reply.items == 0 {
		return weir.Errorf(weir.EINVALID, "payload: want at least one event")
	}
	return nil
}

// likely is how many events a text of a size holds, so that there is room for them at
// once in most cases.
func likely(size int) int { return min(size/300+1, 1024) }

// alone reads a body that is a payload itself, as old SDKs send it.
func (p *openpanel) alone(kind openpanelKind) error {
	if p.peek() != '{' {
		p.fail("want an object")
		return p.malformed()
	}
	at := p.pos
	p.skip()
	if p.project == "" && p.fault == "" {
		end := p.pos
		p.pos = at
		p.envelope(false)
		p.pos = end
	}
	if err := p.ended(); err != nil {
		return err
	}
	p.events(kind, at)
	return nil
}
