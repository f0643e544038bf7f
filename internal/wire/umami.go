package wire

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Umami is how the trackers of umami.is speak.
// Source: docs.umami.is/docs/api/sending-stats, npm's @umami/node, and src/tracker and
// src/app/api/send of github.com/umami-software/umami.
type Umami struct{}

const (
	umamiSend      = "/api/send"
	umamiBatch     = "/api/batch"
	umamiRecord    = "/api/record"
	umamiHeartbeat = "/api/heartbeat"

	// umamiPast is how old all events of a request are for it to be a log's.
	umamiPast = 24 * time.Hour
)

// Vendor is the protocol's name.
func (Umami) Vendor() string { return "umami" }

// Routes are the addresses that its trackers, its recorder and its checks call.
func (Umami) Routes() []Route {
	return []Route{
		{Method: http.MethodPost, Path: umamiSend},
		{Method: http.MethodPost, Path: umamiBatch},
		{Method: http.MethodPost, Path: umamiRecord, NoBody: true},
		{Method: http.MethodGet, Path: umamiHeartbeat, NoBody: true},
	}
}

// Decode reads one event, or a batch of them.
func (Umami) Decode(r *Request) (*Decoded, error) {
	switch r.Route.Path {
	case umamiRecord:
		return &Decoded{Unsupported: "replay"}, nil
	case umamiHeartbeat:
		return &Decoded{}, nil
	}
	u := umamis.Get().(*umami)
	defer func() {
		if u.close() && cap(u.items) <= kept/64 {
			u.websites, u.events = nil, nil
			umamis.Put(u)
		}
	}()
	u.open(r, r.Body)
	u.request(r)
	if r.Route.Path == umamiBatch {
		return u.batch(r)
	}
	return u.one(r)
}

var umamis = sync.Pool{New: func() any { return new(umami) }}

// umami decodes one request.
type umami struct {
	draft
	umamiEvent
	server bool // the request's user agent is that of @umami/node

	websites []string // that the request names, in their order
	events   []int    // of each website
	items    []int    // of the request: the website, as an index
}

// request reads what holds for all of a request's items.
func (u *umami) request(r *Request) {
	u.server = isUmamiNode(r.UserAgent)
	u.websites, u.events, u.items = nil, nil, u.items[:0]
}

// one reads the body of /api/send.
func (u *umami) one(r *Request) (*Decoded, error) {
	u.item()
	switch {
	case u.fault != "":
		return nil, u.malformed()
	case u.wrong != "":
		return nil, weir.Errorf(weir.EINVALID, "%s", u.wrong)
	case u.kind != umamiIsEvent:
		u.unsupported(u.unkept)
		return &Decoded{Parts: []Part{u.part(u.websites[0])}, Unsupported: u.unkept, AnswersForUnknownProject: true}, nil
	}
	if u.finishItem(); len(u.rejected) > 0 {
		return nil, weir.Errorf(weir.EINVALID, "%s: %s", u.rejected[0].Reason, u.rejected[0].Detail)
	}
	u.date(0, r.Limits.Future)
	if len(u.rejected) > 0 {
		return nil, weir.Errorf(weir.EINVALID, "timestamp: %s", u.rejected[0].Detail)
	}
	return &Decoded{Parts: []Part{u.part(u.websites[0])}, AnswersForUnknownProject: true, Historical: u.past(r.Now)}, nil
}

// batch reads an array of what /api/send takes.
func (u *umami) batch(r *Request) (*Decoded, error) {
	if u.peek() != '[' {
		u.fail("want an array")
		return nil, u.malformed()
	}
	unkept := ""
	for more := u.begin(']'); more; more = u.more(']') {
		u.item()
		if u.fault != "" {
			break
		}
		switch {
		case u.wrong != "":
			u.defect(ReasonWrongType, u.wrong)
			u.finishItem()
		case u.kind != umamiIsEvent:
			unkept = u.unkept
			u.unsupported(unkept)
		default:
			u.finishItem()
		}
		if u.draft.items > u.limits.Events {
			return nil, u.tooManyEvents()
		}
		if len(u.websites) > maxProjects {
			return nil, weir.Errorf(weir.ETOOLARGE, "over %d websites in one request", maxProjects)
		}
	}
	if u.fault != "" {
		return nil, u.malformed()
	}
	u.date(0, r.Limits.Future)
	s := &Decoded{Parts: u.parts(), AnswersForUnknownProject: true, Unsupported: unkept, Historical: u.past(r.Now)}
	s.State = &umamiBatched{size: u.draft.items, faults: u.faults(), websites: append([]int(nil), u.items...)}
	return s, nil
}

// parts are the items by website.
func (u *umami) parts() []Part {
	if len(u.websites) == 1 {
		return []Part{u.part(u.websites[0])}
	}
	if !u.afford(int64(len(u.in)) * incomingSize) {
		return nil
	}
	parts := make([]Part, len(u.websites))
	for i := range parts {
		parts[i].Project = u.websites[i]
		parts[i].Events = make([]weir.Incoming, 0, u.events[i])
	}
	for i := range u.in {
		p := &parts[u.items[u.in[i].Index]]
		p.Events = append(p.Events, u.in[i])
	}
	for _, j := range u.rejected {
		p := &parts[u.items[j.Index]]
		p.Rejected = append(p.Rejected, j)
	}
	return parts
}

// faults are the rejections that the sender hears of: what Weir does not keep it was
// right to send.
func (u *umami) faults() []weir.Rejection {
	var faults []weir.Rejection
	for _, j := range u.rejected {
		if j.Reason != ReasonUnsupported {
			faults = append(faults, j)
		}
	}
	return faults
}

// past says whether all events are those of a log rather than of now.
func (u *umami) past(now time.Time) bool {
	for i := range u.in {
		if now.Sub(u.in[i].Event.Time) < umamiPast {
			return false
		}
	}
	return len(u.in) > 0
}

// website notes which website the item belongs to.
func (u *umami) website(name []byte) {
	at := -1
	for i, w := range u.websites {
		if w == string(name) {
			at = i
			break
		}
	}
	if at < 0 {
		at = len(u.websites)
		u.websites, u.events = append(u.websites, string(name)), append(u.events, 0)
	}
	u.events[at]++
	u.items = append(u.items, at)
}

// isUmamiNode says whether a user agent is the one that @umami/node has when it is not
// told a visitor's: "Mozilla/5.0 Umami/" and the version of Node.
func isUmamiNode(agent string) bool {
	return len(agent) < 64 && bytes.Contains([]byte(agent), []byte(" Umami/"))
}
