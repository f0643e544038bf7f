// Package plausible is the protocol of Plausible's trackers.
package plausible

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/item"
)

// Protocol is how the trackers of plausible.io speak.
// Source: plausible.io/docs/events-api, npm's @plausible-analytics/tracker, and for
// errors lib/plausible/ingestion/request.ex of github.com/plausible/analytics.
type Protocol struct{}

// Limits of Plausible's own. What is over one is cut, or left out, not refused.
const (
	maxProps = 30
	maxKey   = 300  // bytes
	maxValue = 2000 // bytes
	// reorderWindow is within how long two requests of a page that are sent one
	// after the other may arrive in the other order.
	reorderWindow = 250 * time.Millisecond
)

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "plausible" }

// Routes are the addresses of its events.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{{Method: http.MethodPost, Path: "/api/event"}}
}

// ProjectNames returns sites.
func (Protocol) ProjectNames(_ *wire.Request, text []byte) []string {
	var names []string
	for _, name := range wire.NamesIn(text, "domain", "d") {
		site, _, _ := strings.Cut(name, ",")
		names = append(names, strings.TrimSpace(site))
	}
	for _, url := range wire.NamesIn(text, "url", "u") {
		names = append(names, string(item.HostOf([]byte(url))))
	}
	return names
}

// Decode reads one event, which goes to each of the sites that it names.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	p := decoders.Get().(*decoder)
	defer func() {
		if p.Close() && cap(p.inner) <= item.MaxPooled {
			decoders.Put(p)
		}
	}()
	p.Open(r, r.Body)
	return p.sent()
}

// Answer returns 202 also for a rejected event: a header says for how many sites it was
// dropped.
func (Protocol) Answer(_ *wire.Request, s *wire.Decoded) wire.Response {
	out := wire.Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8", Body: []byte("ok")}
	dropped := 0
	for _, p := range s.Parts {
		if p.Err != nil || len(p.Rejected) > 0 {
			dropped++
		}
	}
	if dropped > 0 {
		out.Header = http.Header{"X-Plausible-Dropped": {strconv.Itoa(dropped)}}
	}
	return out
}

// Refuse is {"errors":{field:[what is wrong]}}.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	faults, ok := err.Details.(fieldErrors)
	if !ok {
		faults = fieldErrors{"request": {err.Message}}
	}
	body, _ := json.Marshal(map[string]any{"errors": faults}) // strings always have a form
	return wire.Response{Status: status, ContentType: "application/json; charset=utf-8", Body: body}
}

// fieldErrors are what is wrong, by field.
type fieldErrors map[string][]string

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder decodes one request.
type decoder struct {
	item.Builder
	event
	inner []byte // a text inside a text
}

// event is what an event of Plausible's says beyond a draft's fields.
type event struct {
	domain  string
	sited   bool   // the domain is given, maybe empty
	url     string // what is wrong with the url, or ""
	hash    bool   // the fragment names the page
	passive bool   // interactive is false
	propped bool   // the properties were read
	props   int    // how many

	engaged, scrolled   float64 // ms, percent; of an engagement event
	hasEngaged, hasDeep bool
}

func (p *decoder) sent() (*wire.Decoded, error) {
	p.StartItem()
	p.event = event{url: "is required"}
	p.Client = true
	if p.Peek() != '{' {
		p.Fail("want an object")
		return nil, p.unparsed()
	}
	for more := p.Begin('}'); more; more = p.More('}') {
		if key, ok := p.Key(); ok {
			p.entry(string(key))
		}
	}
	if p.Failed() {
		return nil, p.unparsed()
	}
	sites, err := p.sites()
	if err != nil {
		return nil, err
	}
	p.setMeaning()
	p.FinishItem()
	p.SetTimes(0, time.Minute)
	// Each copy is changed: its texts may be others then.
	p.ReserveMemory(int64(len(sites)-1) * (wire.IncomingSize + int64(p.ItemSize())))
	s := &wire.Decoded{Unknown: wire.AnswerUnknown, Parted: wire.PartsRepeat}
	for _, site := range sites {
		part := p.Part(site)
		if len(s.Parts) > 0 { // each project changes its own
			part.Events = slices.Clone(part.Events)
		}
		s.Parts = append(s.Parts, part)
	}
	return s, nil
}

func (p *decoder) unparsed() error {
	err := weir.Errorf(weir.EINVALID, "%s", weir.ErrorMessage(p.Malformed()))
	err.Details = fieldErrors{"request": {"Unable to parse request body as json: " + err.Message}}
	return err
}

// sites are the names of the projects that the event goes to. Error: EINVALID, of
// the event as a whole.
func (p *decoder) sites() ([]string, error) {
	faults := fieldErrors{}
	if !p.Has(item.Name) {
		faults["event_name"] = []string{"can't be blank"}
	} else if string(p.Get(item.Name)) == "engagement" && !p.hasEngaged && !p.hasDeep {
		faults["event_name"] = []string{"engagement event requires a valid integer value for at least one of 'sd' or 'e' fields"}
	}
	if p.url == "" && len(p.Get(item.URL)) >= len("data:") && strings.EqualFold(string(p.Get(item.URL)[:len("data:")]), "data:") {
		p.url = "scheme is not allowed"
	}
	if p.url != "" {
		faults["url"] = []string{p.url}
	}
	if !p.sited {
		p.domain = string(item.HostOf(p.Get(item.URL)))
	}
	var sites []string
	for site := range strings.SplitSeq(p.domain, ",") {
		if site = strings.TrimSpace(site); site == "" || slices.Contains(sites, site) {
			continue
		}
		if sites = append(sites, site); len(sites) > wire.MaxProjects {
			faults["domain"] = []string{"at most " + strconv.Itoa(wire.MaxProjects) + " in one event"}
			break
		}
	}
	if len(sites) == 0 {
		faults["domain"] = []string{"can't be blank"}
	}
	if len(faults) == 0 {
		return sites, nil
	}
	err := weir.Errorf(weir.EINVALID, "the event is not valid")
	err.Details = faults
	return nil, err
}
