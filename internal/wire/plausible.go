package wire

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Plausible is how the trackers of plausible.io speak.
// Source: plausible.io/docs/events-api, and npm's @plausible-analytics/tracker.
type Plausible struct{}

// Vendor is the protocol's name.
func (Plausible) Vendor() string { return "plausible" }

// Routes are the addresses of its events.
func (Plausible) Routes() []Route { return []Route{{Method: http.MethodPost, Path: "/api/event"}} }

// Decode reads one event, which goes to each of the sites that it names.
func (Plausible) Decode(r *Request) (*Sent, error) {
	p := plausibles.Get().(*plausible)
	defer func() {
		if p.close() {
			plausibles.Put(p)
		}
	}()
	p.open(r, r.Body)
	return p.sent()
}

// Answer is 202 whatever became of the event.
func (Plausible) Answer(_ *Request, s *Sent) Response {
	out := Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8", Body: []byte("ok")}
	for _, p := range s.Parts {
		if len(p.Rejected) > 0 {
			out.Header = http.Header{"X-Plausible-Dropped": {"1"}}
		}
	}
	return out
}

// Refuse is what is wrong, as text.
func (Plausible) Refuse(_ *Request, status int, err *weir.Error) Response {
	return Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(err.Message)}
}

var plausibles = sync.Pool{New: func() any { return new(plausible) }}

type plausible struct {
	draft
	domain string
}

func (p *plausible) sent() (*Sent, error) {
	p.begun()
	p.domain, p.client = "", true
	if p.peek() != '{' {
		p.fail("want an object")
		return nil, p.malformed()
	}
	for more := p.begin('}'); more; more = p.more('}') {
		if key, ok := p.field(); ok {
			p.entry(string(key))
		}
	}
	if p.fault != "" {
		return nil, p.malformed()
	}
	switch name := p.get(fieldName); {
	case len(name) == 0:
		return nil, weir.Errorf(weir.EINVALID, "name: is required")
	case p.domain == "":
		return nil, weir.Errorf(weir.EINVALID, "domain: is required")
	case bytes.Equal(name, []byte("pageview")):
		p.put(fieldName, weir.NameScreenView)
	}
	p.settle()
	p.date(0, time.Minute)
	s := &Sent{}
	for domain := range strings.SplitSeq(p.domain, ",") {
		if domain = strings.TrimSpace(domain); domain == "" {
			continue
		}
		part := p.part(domain)
		if len(s.Parts) > 0 { // each project changes its own
			part.Events = append([]weir.Incoming(nil), part.Events...)
		}
		s.Parts = append(s.Parts, part)
	}
	return s, nil
}

func (p *plausible) entry(key string) {
	switch key {
	case "name", "n":
		p.readFirst(fieldName)
	case "url", "u":
		p.readFirst(fieldURL)
	case "referrer", "r":
		p.readFirst(fieldReferrer)
	case "domain", "d":
		at := p.texted()
		p.domain = string(p.text[at.from:at.to])
	default:
		p.skip()
	}
}
