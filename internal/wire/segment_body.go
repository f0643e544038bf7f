package wire

import (
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// segmentKind is what a call is.
type segmentKind uint8

const (
	segmentNone segmentKind = iota
	segmentTrack
	segmentIdentify
	segmentPage
	segmentScreen
	segmentGroup
	segmentAlias
	segmentBatch
)

// segmentKindOf reads a type, or the last part of an address.
func segmentKindOf(name string) segmentKind {
	switch name {
	case "track", "t":
		return segmentTrack
	case "identify", "i":
		return segmentIdentify
	case "page", "p":
		return segmentPage
	case "screen", "s":
		return segmentScreen
	case "group", "g":
		return segmentGroup
	case "alias", "a":
		return segmentAlias
	case "batch", "b", "import":
		return segmentBatch
	}
	return segmentNone
}

// segment reads one request.
type segment struct {
	draft
	request *Request
	browser bool // a browser sent the request
	past    bool // it is an import: its times are not corrected
	outer   segmentOuter
	message segmentMessage
}

// segmentOuter is what a batch says beside its calls.
type segmentOuter struct {
	key     string
	batch   int // where the calls begin; 0 is nowhere
	context int // where its context begins, which counts for all of them
	size    int // of the context
	spent   int // bytes of it that were read, for all calls
	sentAt  int64
	sent    bool // sentAt is given
}

// affordable bounds how much is read of a batch's context, which is read for each call
// again: 1 KB for each of 50,000.
const affordable = 64 << 20

// afford says whether there is a context to be read once more.
func (o *segmentOuter) afford() bool {
	if o.context == 0 || o.spent > affordable {
		return false
	}
	o.spent += o.size
	return o.spent <= affordable
}

func (s *segment) sent(r *Request) (*Decoded, error) {
	s.open(r, r.Body)
	s.request, s.outer = r, segmentOuter{}
	s.browser = r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")
	s.past = r.Route.Path == "/v1/import"
	begin := s.pos
	kind := segmentKindOf(r.Route.Path[strings.LastIndexByte(r.Route.Path, '/')+1:])
	switch {
	case s.peek() != '{':
		s.fail("want an object")
	case kind == segmentBatch:
		s.envelope()
	default:
		s.startItem()
		if s.call(kind, true); s.outer.batch > 0 && s.fault == "" { // a batch at another address
			s.items, s.in, s.rejected, s.stamps = 0, nil, nil, s.stamps[:0]
			s.pos, s.outer = begin, segmentOuter{}
			s.envelope()
		}
	}
	if s.fault == "" {
		if s.space(); s.pos < len(s.data) {
			s.fail("want nothing after the value")
		}
	}
	if s.fault != "" {
		return nil, s.malformed()
	}
	if err := s.tooManyEvents(); err != nil {
		return nil, err
	}
	if s.outer.spent > affordable {
		return nil, weir.Errorf(weir.ETOOLARGE, "context: %d bytes are too many for %d calls", s.outer.size, s.items)
	}
	if kind == segmentBatch && s.outer.batch == 0 {
		return nil, weir.Errorf(weir.EINVALID, "batch: want an array of calls")
	}
	var skew time.Duration
	if s.outer.sent {
		skew = s.skew(s.outer.sentAt)
	}
	s.date(skew, s.limits.Future)
	return &Decoded{Parts: []Part{s.part(segmentKey(r.Header, r.Query, s.outer.key))}, Historical: s.past}, nil
}

// envelope reads {"batch":[…]}. Its context may stand after its calls: then they
// are read a second time.
func (s *segment) envelope() {
	o := &s.outer
	again := false
	for more := s.begin('}'); more; more = s.more('}') {
		key, ok := s.field()
		if !ok {
			return
		}
		switch string(key) {
		case "batch":
			if s.peek() != '[' || o.batch > 0 {
				s.skip()
				continue
			}
			o.batch = s.pos
			s.calls()
		case "context":
			o.context = s.pos
			again = o.batch > 0
			s.skip()
			o.size = s.pos - o.context
		default:
			s.beside(string(key))
		}
	}
	if again && s.fault == "" {
		end := s.pos
		s.pos = o.batch
		s.items, s.in, s.rejected, s.stamps = 0, nil, nil, s.stamps[:0]
		s.calls()
		s.pos = end
	}
}

// beside reads what stands beside the calls of a batch, or in a call that is sent
// alone.
func (s *segment) beside(key string) {
	switch o := &s.outer; key {
	case "sentAt":
		o.sentAt, o.sent = s.moment()
	case "writeKey":
		at := s.readText()
		o.key = string(s.text[at.from:at.to])
		s.text = s.text[:at.from]
	default:
		s.skip()
	}
}

// calls reads the array of a batch.
func (s *segment) calls() {
	for more := s.begin(']'); more; more = s.more(']') {
		s.startItem()
		if s.peek() != '{' {
			s.defect(ReasonNotObject, "")
			s.skip()
			s.finishItem()
			continue
		}
		s.call(segmentNone, false)
	}
}

// segmentClient says what a library's name tells of who sends: the visitor's own
// browser, its own app, or a server.
func segmentClient(library []byte) (browser, app, server bool) {
	for _, l := range [...]struct {
		prefix string
		to     *bool
	}{
		{"analytics.js", &browser},
		{"RudderLabs JavaScript SDK", &browser},
		{"@segment/analytics-node", &server},
		{"@segment/analytics-react-native", &app},
		{"analytics-ios", &app},
		{"analytics-android", &app},
		{"analytics-swift", &app},
		{"analytics-kotlin", &app},
		{"analytics-react-native", &app},
		{"analytics-flutter", &app},
		{"analytics_flutter", &app},
		{"analytics-", &server}, // -node, -python, -go, -ruby, -java, -php, -rust …
		{"Analytics.NET", &server},
		{"rudder-ios-library", &app},
		{"rudder-sdk-", &server},
		{"com.rudderstack.", &app},
	} {
		if len(library) >= len(l.prefix) && string(library[:len(l.prefix)]) == l.prefix {
			*l.to = true
			return browser, app, server
		}
	}
	return false, false, false
}
