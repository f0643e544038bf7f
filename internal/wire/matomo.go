package wire

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Matomo is how the trackers of matomo.org speak.
// Source: developer.matomo.org/api-reference/tracking-api, and npm's matomo-tracker.
type Matomo struct{}

// Vendor is the protocol's name.
func (Matomo) Vendor() string { return "matomo" }

// Routes are the address of its tracker, under its name and its former one.
func (Matomo) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/matomo.php", NoBody: true},
		{Method: http.MethodPost, Path: "/matomo.php"},
		{Method: http.MethodGet, Path: "/piwik.php", NoBody: true},
		{Method: http.MethodPost, Path: "/piwik.php"},
	}
}

// Decode reads one hit, from the query or a form, or a JSON object of many.
func (Matomo) Decode(r *Request) (*Decoded, error) {
	m := matomos.Get().(*matomo)
	defer func() {
		m.request, m.token = nil, ""
		clear(m.owners)
		if m.close() && cap(m.buf) <= kept && cap(m.params) <= kept/64 && cap(m.owners) <= kept/64 {
			matomos.Put(m)
		}
	}()
	m.open(r, r.Body)
	m.request, m.visitor = r, hasVisitor(r.UserAgent)
	m.owners, m.index, m.reply, m.historical = m.owners[:0], 0, matomoReply{}, false
	if m.peek() == '{' {
		return m.bulk()
	}
	return m.single()
}

var matomos = sync.Pool{New: func() any { return new(matomo) }}

// matomo decodes one request.
type matomo struct {
	draft
	request *Request
	visitor bool   // the request is the visitor's own, or made in its name
	token   string // the write key that the sender proves its rights with; "" is none

	buf        []byte // the hit's parameters, decoded
	params     []matomoParam
	crowd      bool              // there are too many
	values     [matomoKnown]span // of buf
	index      int               // of the hit in the request
	until      int               // where it ends in the body
	owners     []string          // by index, what names the project
	historical bool
	reply      matomoReply
}

// single reads a request that is a hit itself. What is in the query counts before what
// is in the body.
func (m *matomo) single() (*Decoded, error) {
	m.fresh()
	m.form(bytes.TrimSpace(m.data[m.pos:]))
	m.query(m.request.Query)
	m.resolve()
	m.token = writeKey(string(m.value(matomoTokenAuth)))
	m.reply.quiet = string(m.value(matomoSendImage)) == "0"
	if len(m.buf) > m.limits.Event {
		return nil, weir.Errorf(weir.ETOOLARGE, "the hit is over %d bytes", m.limits.Event)
	}
	m.until = len(m.data)
	s := &Decoded{}
	s.Unsupported = m.hit()
	if s.Unsupported == "" && len(m.rejected) == 0 {
		m.date(0, time.Minute)
	}
	if len(m.rejected) > 0 {
		j := m.rejected[0]
		return nil, weir.Errorf(weir.EINVALID, "%s", strings.TrimSuffix(j.Reason+": "+j.Detail, ": "))
	}
	s.Parts, s.Historical, s.State = []Part{m.part(m.owners[0])}, m.historical, m.reply
	return s, nil
}

// writeKey is a text if it is one of Weir's write keys, else "".
func writeKey(text string) string {
	if strings.HasPrefix(text, "wk_") {
		return text
	}
	return ""
}

// bulk reads {"requests":[…],"token_auth"}. A request is a query, or an object of
// parameters.
func (m *matomo) bulk() (*Decoded, error) {
	requests := 0
	m.next()
	for more := m.begin('}'); more; more = m.more('}') {
		key, ok := m.field()
		switch {
		case !ok:
		case string(key) == "requests" && m.peek() == '[':
			requests = m.pos
			m.skip()
		case string(key) == "token_auth":
			at := m.readText()
			m.token = writeKey(string(m.text[at.from:at.to]))
		case string(key) == "send_image":
			at := m.readText()
			m.reply.quiet = at.to-at.from == 1 && m.text[at.from] == '0'
		default:
			m.skip()
		}
	}
	if m.fault == "" {
		if m.space(); m.pos < len(m.data) {
			m.fail("want nothing after the value")
		}
	}
	switch {
	case m.fault != "":
		return nil, m.malformed()
	case requests == 0:
		return nil, weir.Errorf(weir.EINVALID, "requests: want an array")
	}
	m.reply.bulk, m.reply.proven = true, m.token != ""
	m.pos = requests
	m.in, _ = m.grown(m.in, likely(len(m.data)-requests))
	if several := m.hits(); several && m.token != "" {
		// A key is that of one project: with hits for several it proves nothing.
		m.token, m.reply.proven, m.historical = "", false, false
		m.items, m.in, m.rejected, m.stamps, m.owners = 0, nil, nil, m.stamps[:0], m.owners[:0]
		m.pos = requests
		m.hits()
	}
	if err := m.tooManyEvents(); err != nil {
		return nil, err
	}
	m.reply.hits = len(m.owners)
	m.date(0, time.Minute)
	parts := m.parts()
	switch {
	case len(parts) == 0:
		return nil, weir.Errorf(weir.EINVALID, "idsite: no request names one")
	case len(parts) > maxProjects:
		return nil, weir.Errorf(weir.ETOOLARGE, "over %d sites in one request", maxProjects)
	}
	return &Decoded{Parts: parts, Historical: m.historical, State: m.reply}, nil
}

// hits reads the array at pos, and says whether its hits are for several sites.
func (m *matomo) hits() (several bool) {
	first := ""
	for more := m.begin(']'); more; more = m.more(']') {
		if m.items > m.limits.Events {
			return several
		}
		m.index = len(m.owners)
		start := m.pos
		m.fresh()
		m.next()
		switch m.peek() {
		case '"':
			at := m.readText()
			text := m.text[at.from:at.to]
			if i := bytes.IndexByte(text, '?'); i >= 0 {
				text = text[i+1:]
			}
			m.form(text)
		case '{':
			m.parameters()
		default:
			m.skip()
		}
		m.resolve()
		if site := m.value(matomoIDSite); len(site) > 0 && first != string(site) {
			several = several || first != ""
			first = string(site)
		}
		m.pos, m.until = start, m.pos
		if what := m.hit(); what != "" {
			m.unsupported(what)
			m.rejected[len(m.rejected)-1].Index = m.index
		}
	}
	return several
}

// parts are the events by project. What names none goes with the first.
func (m *matomo) parts() []Part {
	var parts []Part
	at := map[string]int{}
	for _, owner := range m.owners {
		if _, known := at[owner]; !known && owner != "" {
			if at[owner] = len(parts); len(parts) > maxProjects {
				break
			}
			parts = append(parts, Part{Project: owner})
		}
	}
	if len(parts) == 1 {
		return []Part{m.part(parts[0].Project)}
	}
	if len(parts) == 0 {
		return nil
	}
	if len(parts) > maxProjects || !m.afford(int64(2*len(m.in))*incomingSize) {
		return parts
	}
	for _, in := range m.in {
		p := &parts[at[m.owners[in.Index]]]
		p.Events = append(p.Events, in)
	}
	for _, j := range m.rejected {
		p := &parts[at[m.owners[j.Index]]]
		p.Rejected = append(p.Rejected, j)
	}
	return parts
}

// query takes the parameters of the request's address, in the order of their names. Of
// one that is there twice the last counts.
func (m *matomo) query(values url.Values) {
	if len(values) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if all := values[name]; len(all) > 0 {
			m.parameter([]byte(name), []byte(all[len(all)-1]))
		}
	}
}
