package segment

import (
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// callKind is what a call is.
type callKind uint8

const (
	kindNone callKind = iota
	kindTrack
	kindIdentify
	kindPage
	kindScreen
	kindGroup
	kindAlias
	kindBatch
)

// kindOf reads a type, or the last part of an address.
func kindOf(name string) callKind {
	switch name {
	case "track", "t":
		return kindTrack
	case "identify", "i":
		return kindIdentify
	case "page", "p":
		return kindPage
	case "screen", "s":
		return kindScreen
	case "group", "g":
		return kindGroup
	case "alias", "a":
		return kindAlias
	case "batch", "b", "import":
		return kindBatch
	}
	return kindNone
}

// decoder reads one request.
type decoder struct {
	item.Builder
	request *wire.Request
	browser bool // a browser sent the request
	past    bool // it is an import: its times are not corrected
	outer   batchFields
	message message
}

// batchFields is what a batch says beside its calls.
type batchFields struct {
	key     string
	batch   jsonscan.Mark // of the calls
	context jsonscan.Mark // of the context of all calls
	size    int           // of the context
	spent   int           // bytes of it that were read, for all calls
	sentAt  int64
	sent    bool // sentAt is given
}

// affordable bounds how much is read of a batch's context, which is read for each call
// again: 1 KB for each of 50,000.
const affordable = 64 << 20

// afford says whether there is a context to be read once more.
func (o *batchFields) afford() bool {
	if !o.context.IsSet() || o.spent > affordable {
		return false
	}
	o.spent += o.size
	return o.spent <= affordable
}

func (s *decoder) sent(r *wire.Request) (*wire.Decoded, error) {
	s.Open(r, r.Body)
	s.request, s.outer = r, batchFields{}
	s.browser = r.Header.Get("Origin") != "" || strings.HasPrefix(r.UserAgent, "Mozilla/")
	s.past = r.Route.Path == "/v1/import"
	begin := s.Mark()
	kind := kindOf(r.Route.Path[strings.LastIndexByte(r.Route.Path, '/')+1:])
	switch {
	case s.Peek() != '{':
		s.Fail("want an object")
	case kind == kindBatch:
		s.envelope()
	default:
		s.StartItem()
		if s.call(kind, true); s.outer.batch.IsSet() && !s.Failed() { // a batch at another address
			s.Restart()
			s.Seek(begin)
			s.outer = batchFields{}
			s.envelope()
		}
	}
	s.End()
	if s.Failed() {
		return nil, s.Malformed()
	}
	if err := s.TooManyEvents(); err != nil {
		return nil, err
	}
	if s.outer.spent > affordable {
		return nil, weir.Errorf(weir.ETOOLARGE, "context: %d bytes are too many for %d calls", s.outer.size, s.Count())
	}
	if kind == kindBatch && !s.outer.batch.IsSet() {
		return nil, weir.Errorf(weir.EINVALID, "batch: want an array of calls")
	}
	var skew time.Duration
	if s.outer.sent {
		skew = s.Skew(s.outer.sentAt)
	}
	s.SetTimes(skew, s.Limits.Future)
	return &wire.Decoded{Parts: []wire.Part{s.Part(writeKeyOf(r.Header, r.Query(), s.outer.key))}, From: wire.FromLogIf(s.past)}, nil
}

// envelope reads {"batch":[…]}. Its context may stand after its calls: then they
// are read a second time.
func (s *decoder) envelope() {
	o := &s.outer
	again := false
	for more := s.Begin('}'); more; more = s.More('}') {
		key, ok := s.Key()
		if !ok {
			return
		}
		switch string(key) {
		case "batch":
			if s.Peek() != '[' || o.batch.IsSet() {
				s.Skip()
				continue
			}
			o.batch = s.Mark()
			s.calls()
		case "context":
			o.context = s.Note()
			again = o.batch.IsSet()
			o.size = s.Distance(o.context)
		default:
			s.beside(string(key))
		}
	}
	if again && !s.Failed() {
		s.Restart()
		s.ReadAt(o.batch, s.calls)
	}
}

// beside reads what stands beside the calls of a batch, or in a call that is sent
// alone.
func (s *decoder) beside(key string) {
	switch o := &s.outer; key {
	case "sentAt":
		o.sentAt, o.sent = s.Moment()
	case "writeKey":
		o.key = string(s.ReadBrief())
	default:
		s.Skip()
	}
}

// calls reads the array of a batch.
func (s *decoder) calls() {
	for more := s.Begin(']'); more; more = s.More(']') {
		s.StartItem()
		if s.Peek() != '{' {
			s.Defect(wire.ReasonNotObject, "")
			s.Skip()
			s.FinishItem()
			continue
		}
		s.call(kindNone, false)
	}
}

// classifyLibrary returns the kind of sender that a library's name stands for: the visitor's
// browser, an app, or a server.
func classifyLibrary(library []byte) (browser, app, server bool) {
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
