// Package openpanel is the protocol of OpenPanel's SDKs.
package openpanel

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Protocol is how the SDKs of openpanel.dev speak.
// Source: npm's @openpanel/sdk 1.3.1 and @openpanel/web 1.4.1, openpanel.dev/docs.
type Protocol struct{}

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "openpanel" }

const (
	pathTrack     = "/track"
	pathDevice    = "/track/device-id"
	pathOldEvent  = "/event"
	pathProfile   = "/profile"
	pathIncrement = "/profile/increment"
	pathDecrement = "/profile/decrement"
)

// Routes are the addresses of its SDKs but /track, which Track has: those of old ones,
// and of the device.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodGet, Path: pathDevice, Body: wire.IgnoreBody},
		{Method: http.MethodPost, Path: pathOldEvent},
		{Method: http.MethodPost, Path: pathProfile},
		{Method: http.MethodPost, Path: pathIncrement},
		{Method: http.MethodPost, Path: pathDecrement},
	}
}

// ProjectNames returns client ids.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	if id := cmp.Or(r.Header.Get("Openpanel-Client-Id"), r.Header.Get("Mixan-Client-Id")); id != "" {
		return []string{strings.TrimSpace(id)}
	}
	return wire.NamesIn(text, "clientId")
}

// Decode reads one event, or a batch of them.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	p := decoders.Get().(*decoder)
	defer func() {
		p.project, p.library, p.language, p.address, p.request = "", "", "", "", nil
		if p.Close() && cap(p.scratch) <= item.MaxPooled {
			decoders.Put(p)
		}
	}()
	p.Open(r, r.Body)
	p.index = 0
	p.readHeaders(r)
	return p.sent()
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder decodes one request.
type decoder struct {
	item.Builder
	request  *wire.Request
	project  string
	library  string
	language string
	address  string // the visitor's, where a server names it
	visitor  bool   // the request is the visitor's own, or made in its name

	item     payloadIndex
	index    int           // of the item in the request
	scratch  []byte        // what an id is a hash of
	identity jsonscan.Mark // of the value of __identify
}

// readHeaders reads the headers that hold for all events of the request.
func (p *decoder) readHeaders(r *wire.Request) {
	h := r.Header
	p.request = r
	p.project = strings.TrimSpace(cmp.Or(h.Get("Openpanel-Client-Id"), h.Get("Mixan-Client-Id")))
	p.address = wire.Header(h, "Openpanel-Client-Ip", "X-Client-Ip")
	p.visitor = wire.IsVisitor(r.UserAgent)
	if p.visitor {
		p.language = wire.Header(h, "Accept-Language")
	}
	if p.library = wire.Header(h, "Openpanel-Sdk-Name"); p.library != "" {
		p.library = "openpanel-" + p.library
		if version := wire.Header(h, "Openpanel-Sdk-Version"); version != "" {
			p.library += "/" + version
		}
	}
}

func (p *decoder) sent() (*wire.Decoded, error) {
	var err error
	s := &wire.Decoded{}
	reply := replyState{}
	switch p.request.Route.Path {
	case pathDevice:
		if p.project == "" {
			return nil, errNoClient()
		}
	case pathTrack:
		err = p.track(s, &reply)
	case pathOldEvent:
		err = p.alone(kindOld)
	case pathProfile:
		err = p.alone(kindIdentify)
	case pathIncrement:
		err = p.alone(kindIncrement)
	default:
		err = p.alone(kindDecrement)
	}
	if err == nil {
		err = p.TooManyEvents()
	}
	if err != nil {
		return nil, err
	}
	if p.SetTimes(0, time.Minute); !reply.batch && len(p.Rejected()) > 0 {
		j := p.Rejected()[0]
		if j.Reason == wire.ReasonTooLarge {
			return nil, weir.Errorf(weir.ETOOLARGE, "%s: %s", j.Reason, j.Detail)
		}
		return nil, weir.Errorf(weir.EINVALID, "%s", strings.TrimSuffix(j.Reason+": "+j.Detail, ": "))
	}
	part := p.Part(p.project)
	if p.visitor && len(part.Events) == 0 {
		part.Visitor = &weir.Source{IP: p.address}
	}
	s.Parts, s.State = []wire.Part{part}, reply
	return s, nil
}

func errNoBatch() error { return weir.Errorf(weir.EINVALID, "payload: want an array of events") }

func errNoClient() error { return weir.Errorf(weir.EUNAUTHORIZED, "the client id is missing") }

// track reads {"type","payload"}, its keys in any order.
func (p *decoder) track(s *wire.Decoded, reply *replyState) error {
	kind, payload, over := p.envelope(true)
	if over {
		s.Unsupported = "replay"
		return nil
	}
	if err := p.ended(); err != nil {
		return err
	}
	switch kind {
	case kindReplay:
		s.Unsupported = "replay"
		return nil
	case kindBatch:
		reply.batch = true
		return p.batch(payload, reply)
	}
	p.events(kind, payload)
	return nil
}

// envelope reads the object at pos. replay stops at the end of the word when the item
// is a replay of a sender that is known: those are large.
func (p *decoder) envelope(stop bool) (kind itemKind, payload jsonscan.Mark, over bool) {
	if p.Peek() != '{' {
		p.Fail("want an object")
		return 0, payload, false
	}
	p.NextItem()
	for more := p.Begin('}'); more; more = p.More('}') {
		key, ok := p.Key()
		switch {
		case !ok:
		case string(key) == "type":
			kind = kindOf(p.ReadBrief())
			if stop && kind == kindReplay && p.project != "" {
				return kind, payload, true
			}
		case string(key) == "payload":
			payload = p.Note()
		case string(key) == "clientId" && p.project == "":
			p.project = string(p.ReadBrief())
		default:
			p.Skip()
		}
	}
	return kind, payload, false
}

// ended checks that the body is over, and that it named a project.
func (p *decoder) ended() error {
	p.End()
	switch {
	case p.Failed():
		return p.Malformed()
	case p.project == "":
		return errNoClient()
	}
	return nil
}

// batch reads the array of envelopes at a place.
func (p *decoder) batch(at jsonscan.Mark, reply *replyState) error {
	if !at.IsSet() {
		return errNoBatch()
	}
	if p.Seek(at); p.Peek() != '[' {
		return errNoBatch()
	}
	p.Expect(item.LikelyEvents(len(p.Rest())))
	for more := p.Begin(']'); more; more = p.More(']') {
		p.index = reply.items
		reply.items++
		if p.Full() {
			break
		}
		if p.Peek() != '{' {
			p.StartItem()
			p.Skip()
			p.reject(wire.ReasonNotObject, "")
			continue
		}
		kind, payload, _ := p.envelope(false)
		end := p.Mark()
		switch kind {
		case kindReplay:
			p.StartItem()
			p.reject(wire.ReasonUnsupported, "replay")
		case kindBatch:
			p.StartItem()
			p.reject(wire.ReasonWrongType, "type: a batch holds no batch")
		default:
			p.events(kind, payload)
		}
		p.Seek(end)
	}
	if reply.items == 0 {
		return weir.Errorf(weir.EINVALID, "payload: want at least one event")
	}
	return nil
}

// alone reads a body that is a payload itself, as old SDKs send it.
func (p *decoder) alone(kind itemKind) error {
	if p.Peek() != '{' {
		p.Fail("want an object")
		return p.Malformed()
	}
	at := p.Note()
	if p.project == "" && !p.Failed() {
		p.ReadAt(at, func() { p.envelope(false) })
	}
	if err := p.ended(); err != nil {
		return err
	}
	p.events(kind, at)
	return nil
}
