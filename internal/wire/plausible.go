package wire

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Plausible is how the trackers of plausible.io speak.
// Source: plausible.io/docs/events-api, npm's @plausible-analytics/tracker, and for
// errors lib/plausible/ingestion/request.ex of github.com/plausible/analytics.
type Plausible struct{}

// Limits of Plausible's own. What is over one is cut, or left out, not refused.
const (
	plausibleProps = 30
	plausibleKey   = 300  // bytes
	plausibleValue = 2000 // bytes
	// plausibleTogether is within how long two requests of a page that are sent one
	// after the other may arrive in the other order.
	plausibleTogether = 250 * time.Millisecond
)

// Vendor is the protocol's name.
func (Plausible) Vendor() string { return "plausible" }

// Routes are the addresses of its events.
func (Plausible) Routes() []Route { return []Route{{Method: http.MethodPost, Path: "/api/event"}} }

// Decode reads one event, which goes to each of the sites that it names.
func (Plausible) Decode(r *Request) (*Decoded, error) {
	p := plausibles.Get().(*plausible)
	defer func() {
		if p.close() && cap(p.inner) <= kept {
			plausibles.Put(p)
		}
	}()
	p.open(r, r.Body)
	return p.sent()
}

// Answer is 202 whatever became of the event: a header tells how many sites it was
// dropped for.
func (Plausible) Answer(_ *Request, s *Decoded) Response {
	out := Response{Status: http.StatusAccepted, ContentType: "text/plain; charset=utf-8", Body: []byte("ok")}
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
func (Plausible) Refuse(_ *Request, status int, err *weir.Error) Response {
	faults, ok := err.Details.(plausibleFaults)
	if !ok {
		faults = plausibleFaults{"request": {err.Message}}
	}
	body, _ := json.Marshal(map[string]any{"errors": faults}) // strings always have a form
	return Response{Status: status, ContentType: "application/json; charset=utf-8", Body: body}
}

// plausibleFaults are what is wrong, by field.
type plausibleFaults map[string][]string

var plausibles = sync.Pool{New: func() any { return new(plausible) }}

// plausible decodes one request.
type plausible struct {
	draft
	plausibleEvent
	inner []byte // a text inside a text
}

// plausibleEvent is what an event of Plausible's says beyond a draft's fields.
type plausibleEvent struct {
	domain  string
	sited   bool   // the domain is given, maybe empty
	url     string // what is wrong with the url, or ""
	hash    bool   // the fragment names the page
	still   bool   // interactive is false
	propped bool   // the properties were read
	props   int    // how many

	engaged, scrolled   float64 // ms, percent; of an engagement event
	hasEngaged, hasDeep bool
}

func (p *plausible) sent() (*Decoded, error) {
	p.startItem()
	p.plausibleEvent = plausibleEvent{url: "is required"}
	p.client = true
	if p.peek() != '{' {
		p.fail("want an object")
		return nil, p.unparsed()
	}
	for more := p.begin('}'); more; more = p.more('}') {
		if key, ok := p.field(); ok {
			p.entry(string(key))
		}
	}
	if p.fault != "" {
		return nil, p.unparsed()
	}
	sites, err := p.sites()
	if err != nil {
		return nil, err
	}
	p.mean()
	p.finishItem()
	p.date(0, time.Minute)
	// Each copy is changed: its texts may be others then.
	p.afford(int64(len(sites)-1) * (incomingSize + int64(len(p.text)+len(p.properties))))
	s := &Decoded{AnswersForUnknownProject: true, PartsAreCopies: true}
	for _, site := range sites {
		part := p.part(site)
		if len(s.Parts) > 0 { // each project changes its own
			part.Events = slices.Clone(part.Events)
		}
		s.Parts = append(s.Parts, part)
	}
	return s, nil
}

func (p *plausible) unparsed() error {
	err := weir.Errorf(weir.EINVALID, "%s", weir.ErrorMessage(p.malformed()))
	err.Details = plausibleFaults{"request": {"Unable to parse request body as json: " + err.Message}}
	return err
}

// sites are the names of the projects that the event goes to. Error: EINVALID, of
// the event as a whole.
func (p *plausible) sites() ([]string, error) {
	faults := plausibleFaults{}
	if !p.has(fieldName) {
		faults["event_name"] = []string{"can't be blank"}
	} else if string(p.get(fieldName)) == "engagement" && !p.hasEngaged && !p.hasDeep {
		faults["event_name"] = []string{"engagement event requires a valid integer value for at least one of 'sd' or 'e' fields"}
	}
	if p.url == "" && len(p.get(fieldURL)) >= len("data:") && strings.EqualFold(string(p.get(fieldURL)[:len("data:")]), "data:") {
		p.url = "scheme is not allowed"
	}
	if p.url != "" {
		faults["url"] = []string{p.url}
	}
	if !p.sited {
		p.domain = string(hostOf(p.get(fieldURL)))
	}
	var sites []string
	for site := range strings.SplitSeq(p.domain, ",") {
		if site = strings.TrimSpace(site); site == "" || slices.Contains(sites, site) {
			continue
		}
		if sites = append(sites, site); len(sites) > maxProjects {
			faults["domain"] = []string{"at most " + strconv.Itoa(maxProjects) + " in one event"}
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
