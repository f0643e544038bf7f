// Package matomo is the protocol of Matomo's trackers.
package matomo

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
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Protocol is how the trackers of matomo.org speak.
// Source: developer.matomo.org/api-reference/tracking-api, and npm's matomo-tracker.
type Protocol struct{}

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "matomo" }

// Routes are the address of its tracker, under its name and its former one.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{
		{Method: http.MethodGet, Path: "/matomo.php", Body: wire.IgnoreBody},
		{Method: http.MethodPost, Path: "/matomo.php"},
		{Method: http.MethodGet, Path: "/piwik.php", Body: wire.IgnoreBody},
		{Method: http.MethodPost, Path: "/piwik.php"},
	}
}

// ProjectNames returns site ids and authentication tokens.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	names := []string{r.Query().Get("idsite"), writeKey(r.Query().Get("token_auth"))}
	names = append(names, wire.NamesIn(text, "token_auth", "idsite")...)
	for _, key := range []string{"idsite=", "token_auth="} {
		if _, value, ok := bytes.Cut(text, []byte(key)); ok {
			value = value[:min(len(value), wire.LongestName)]
			if n := bytes.IndexAny(value, "&\""); n >= 0 {
				value = value[:n]
			}
			names = append(names, string(value))
		}
	}
	return names
}

// Decode reads one hit, from the query or a form, or a JSON object of many.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	m := decoders.Get().(*decoder)
	defer func() {
		m.request, m.token = nil, ""
		clear(m.owners)
		if m.Close() && cap(m.buf) <= item.MaxPooled && cap(m.params) <= item.MaxPooled/64 && cap(m.owners) <= item.MaxPooled/64 {
			decoders.Put(m)
		}
	}()
	m.Open(r, r.Body)
	m.request, m.visitor = r, wire.IsVisitor(r.UserAgent)
	m.owners, m.index, m.reply, m.historical = m.owners[:0], 0, replyState{}, false
	if m.Peek() == '{' {
		return m.bulk()
	}
	return m.single()
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder decodes one request.
type decoder struct {
	item.Builder
	request *wire.Request
	visitor bool   // the request is the visitor's own, or made in its name
	token   string // the write key that the sender proves its rights with; "" is none

	buf        []byte // the hit's parameters, decoded
	params     []param
	tooMany    bool // more parameters than an event may have
	values     [paramKnown]bufSpan
	index      int           // of the hit in the request
	until      jsonscan.Mark // the end of the hit in the body
	owners     []string      // by index, what names the project
	historical bool
	reply      replyState
}

// single reads a request that is a hit itself. What is in the query counts before what
// is in the body.
func (m *decoder) single() (*wire.Decoded, error) {
	m.reset()
	m.form(bytes.TrimSpace(m.Rest()))
	m.query(m.request.Query())
	m.resolve()
	m.token = writeKey(string(m.value(paramTokenAuth)))
	m.reply.quiet = string(m.value(paramSendImage)) == "0"
	if len(m.buf) > m.Limits.Event {
		return nil, weir.Errorf(weir.ETOOLARGE, "the hit is over %d bytes", m.Limits.Event)
	}
	m.until = m.EndMark()
	s := &wire.Decoded{}
	s.Unsupported = m.hit()
	if s.Unsupported == "" && len(m.Rejected()) == 0 {
		m.SetTimes(0, time.Minute)
	}
	if len(m.Rejected()) > 0 {
		j := m.Rejected()[0]
		return nil, weir.Errorf(weir.EINVALID, "%s", strings.TrimSuffix(j.Reason+": "+j.Detail, ": "))
	}
	s.Parts, s.From, s.State = []wire.Part{m.Part(m.owners[0])}, wire.FromLogIf(m.historical), m.reply
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
func (m *decoder) bulk() (*wire.Decoded, error) {
	var requests jsonscan.Mark
	m.NextItem()
	for more := m.Begin('}'); more; more = m.More('}') {
		key, ok := m.Key()
		switch {
		case !ok:
		case string(key) == "requests" && m.Peek() == '[':
			requests = m.Note()
		case string(key) == "token_auth":
			m.token = writeKey(string(m.ReadBrief()))
		case string(key) == "send_image":
			m.reply.quiet = string(m.ReadBrief()) == "0"
		default:
			m.Skip()
		}
	}
	m.End()
	switch {
	case m.Failed():
		return nil, m.Malformed()
	case !requests.IsSet():
		return nil, weir.Errorf(weir.EINVALID, "requests: want an array")
	}
	m.reply.bulk, m.reply.proven = true, m.token != ""
	m.Seek(requests)
	m.Expect(item.LikelyEvents(len(m.Rest())))
	if several := m.hits(); several && m.token != "" {
		// A key is that of one project: with hits for several it proves nothing.
		m.token, m.reply.proven, m.historical = "", false, false
		m.Restart()
		m.owners = m.owners[:0]
		m.Seek(requests)
		m.hits()
	}
	if err := m.TooManyEvents(); err != nil {
		return nil, err
	}
	m.reply.hits = len(m.owners)
	m.SetTimes(0, time.Minute)
	projects, place := m.projects()
	switch {
	case len(projects) == 0:
		return nil, weir.Errorf(weir.EINVALID, "idsite: no request names one")
	case len(projects) > wire.MaxProjects:
		return nil, weir.Errorf(weir.ETOOLARGE, "over %d sites in one request", wire.MaxProjects)
	}
	parts := m.Parts(projects, func(index int) int { return place[m.owners[index]] })
	return &wire.Decoded{Parts: parts, From: wire.FromLogIf(m.historical), State: m.reply}, nil
}

// hits reads the array at pos, and says whether its hits are for several sites.
func (m *decoder) hits() (several bool) {
	first := ""
	for more := m.Begin(']'); more; more = m.More(']') {
		if m.Full() {
			return several
		}
		m.index = len(m.owners)
		start := m.Mark()
		m.reset()
		m.NextItem()
		switch m.Peek() {
		case '"':
			at := m.ReadText()
			text := m.Text(at)
			if i := bytes.IndexByte(text, '?'); i >= 0 {
				text = text[i+1:]
			}
			m.form(text)
		case '{':
			m.parameters()
		default:
			m.Skip()
		}
		m.resolve()
		if site := m.value(paramIDSite); len(site) > 0 && first != string(site) {
			several = several || first != ""
			first = string(site)
		}
		m.until = m.Mark()
		m.Seek(start)
		if what := m.hit(); what != "" {
			m.UnsupportedAs(m.index, what)
		}
	}
	return several
}

// projects returns the projects of the hits, and the place of each among them. A hit that
// names none goes with the first.
func (m *decoder) projects() (projects []string, place map[string]int) {
	place = map[string]int{}
	for _, owner := range m.owners {
		if _, known := place[owner]; !known && owner != "" {
			if place[owner] = len(projects); len(projects) > wire.MaxProjects {
				break
			}
			projects = append(projects, owner)
		}
	}
	return projects, place
}

// query takes the parameters of the request's address, in the order of their names. Of
// one that is there twice the last counts.
func (m *decoder) query(values url.Values) {
	if len(values) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if all := values[name]; len(all) > 0 {
			m.parameter([]byte(name), []byte(all[len(all)-1]))
		}
	}
}
