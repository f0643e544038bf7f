// Package umami is the protocol of Umami's trackers.
package umami

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// Protocol is how the trackers of umami.is speak.
// Source: docs.umami.is/docs/api/sending-stats, npm's @umami/node, and src/tracker and
// src/app/api/send of github.com/umami-software/umami.
type Protocol struct{}

const (
	pathSend      = "/api/send"
	pathBatch     = "/api/batch"
	pathRecord    = "/api/record"
	pathHeartbeat = "/api/heartbeat"

	// historicalAge is how old all events of a request are for it to be a log's.
	historicalAge = 24 * time.Hour
)

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "umami" }

// Routes are the addresses that its trackers, its recorder and its checks call.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodPost, Path: pathSend},
		{Method: http.MethodPost, Path: pathBatch},
		{Method: http.MethodPost, Path: pathRecord, Body: wire.IgnoreBody},
		{Method: http.MethodGet, Path: pathHeartbeat, Body: wire.IgnoreBody},
	}
}

// ProjectNames returns website ids.
func (Protocol) ProjectNames(_ *wire.Request, text []byte) []string {
	return wire.NamesIn(text, "website")
}

// Decode reads one event, or a batch of them.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	switch r.Route.Path {
	case pathRecord:
		return &wire.Decoded{Unsupported: "replay"}, nil
	case pathHeartbeat:
		return &wire.Decoded{}, nil
	}
	u := decoders.Get().(*decoder)
	defer func() {
		if u.Close() && cap(u.items) <= item.MaxPooled/64 {
			u.websites = nil
			decoders.Put(u)
		}
	}()
	u.Open(r, r.Body)
	u.request(r)
	if r.Route.Path == pathBatch {
		return u.batch(r)
	}
	return u.one(r)
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder decodes one request.
type decoder struct {
	item.Builder
	event
	server bool // the request's user agent is that of @umami/node

	websites []string // that the request names, in their order
	items    []int    // of the request: the website, as an index
}

// request reads what holds for all of a request's items.
func (u *decoder) request(r *wire.Request) {
	u.server = isNodeSDK(r.UserAgent)
	u.websites, u.items = nil, u.items[:0]
}

// one reads the body of /api/send.
func (u *decoder) one(r *wire.Request) (*wire.Decoded, error) {
	u.item()
	switch {
	case u.Failed():
		return nil, u.Malformed()
	case u.wrong != "":
		return nil, weir.Errorf(weir.EINVALID, "%s", u.wrong)
	case u.kind != kindEvent:
		u.Unsupported(u.unkept)
		return &wire.Decoded{Parts: []wire.Part{u.Part(u.websites[0])}, Unsupported: u.unkept, Unknown: wire.AnswerUnknown}, nil
	}
	if !u.FinishItem() && len(u.Rejected()) > 0 {
		return nil, weir.Errorf(weir.EINVALID, "%s: %s", u.Rejected()[0].Reason, u.Rejected()[0].Detail)
	}
	u.SetTimes(0, r.Limits.Future)
	if len(u.Rejected()) > 0 {
		return nil, weir.Errorf(weir.EINVALID, "timestamp: %s", u.Rejected()[0].Detail)
	}
	return &wire.Decoded{Parts: []wire.Part{u.Part(u.websites[0])}, Unknown: wire.AnswerUnknown, From: wire.FromLogIf(u.past(r.Now))}, nil
}

// batch reads an array of what /api/send takes.
func (u *decoder) batch(r *wire.Request) (*wire.Decoded, error) {
	if u.Peek() != '[' {
		u.Fail("want an array")
		return nil, u.Malformed()
	}
	unkept := ""
	for more := u.Begin(']'); more; more = u.More(']') {
		u.item()
		if u.Failed() {
			break
		}
		switch {
		case u.wrong != "":
			u.Defect(wire.ReasonWrongType, u.wrong)
			u.FinishItem()
		case u.kind != kindEvent:
			unkept = u.unkept
			u.Unsupported(unkept)
		default:
			u.FinishItem()
		}
		if u.Full() {
			return nil, u.TooManyEvents()
		}
		if len(u.websites) > wire.MaxProjects {
			return nil, weir.Errorf(weir.ETOOLARGE, "over %d websites in one request", wire.MaxProjects)
		}
	}
	if u.Failed() {
		return nil, u.Malformed()
	}
	u.SetTimes(0, r.Limits.Future)
	s := &wire.Decoded{Parts: u.Parts(u.websites, func(index int) int { return u.items[index] }), Unknown: wire.AnswerUnknown, Unsupported: unkept, From: wire.FromLogIf(u.past(r.Now))}
	s.State = &batchState{size: u.Count(), faults: u.faults(), websites: append([]int(nil), u.items...)}
	return s, nil
}

// faults returns the rejections that the reply contains. Items that Weir does not store, but
// that are no mistake of the sender, are not among them.
func (u *decoder) faults() []weir.Rejection {
	var faults []weir.Rejection
	for _, j := range u.Rejected() {
		if j.Reason != wire.ReasonUnsupported {
			faults = append(faults, j)
		}
	}
	return faults
}

// past says whether all events are those of a log rather than of now.
func (u *decoder) past(now time.Time) bool {
	for i := range u.Events() {
		if now.Sub(u.Events()[i].Event.Time) < historicalAge {
			return false
		}
	}
	return len(u.Events()) > 0
}

// website notes which website the item belongs to.
func (u *decoder) website(name []byte) {
	at := -1
	for i, w := range u.websites {
		if w == string(name) {
			at = i
			break
		}
	}
	if at < 0 {
		at = len(u.websites)
		u.websites = append(u.websites, string(name))
	}
	u.items = append(u.items, at)
}

// isNodeSDK says whether a user agent is the default of @umami/node, without a
// visitor's: "Mozilla/5.0 Umami/" and the version of Node.
func isNodeSDK(agent string) bool {
	return len(agent) < 64 && bytes.Contains([]byte(agent), []byte(" Umami/"))
}
