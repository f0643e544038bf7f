package bench

import (
	"iter"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Plan says what data set to make.
type Plan struct {
	Project  string
	From, To time.Time // events are in [From, To)
	Events   int
	Devices  int // distinct devices at most; 0 is Events/50
}

// Mix yields plan.Events events as ingest would hand them on, enriched, in order
// of time: visits of several pages spread over the range with its nights and
// weekends. The same seed and plan give the same events. Properties and Call are
// shared between events and must not be written to.
//
// It yields nothing when the range is empty or Events is not positive.
func Mix(seed int64, plan Plan) iter.Seq[weir.Event] { return mix(seed, plan, false) }

// mix is Mix, or ShortMix.
func mix(seed int64, plan Plan, short bool) iter.Seq[weir.Event] {
	return func(yield func(weir.Event) bool) {
		plan.From, plan.To = plan.From.UTC().Truncate(time.Microsecond), plan.To.UTC().Truncate(time.Microsecond)
		if plan.Events <= 0 || !plan.From.Before(plan.To) {
			return
		}
		m := newMixer(seed, plan, short)
		for range plan.Events {
			if !yield(m.next()) {
				return
			}
		}
	}
}

// mixer merges the visits that are open at the same time.
type mixer struct {
	plan   Plan
	short  bool // see ShortMix
	seed   uint64
	pool   []visit
	people []person

	visits  int     // of the whole plan
	started int     // visits begun
	curve   *curve  // when visits begin
	scale   float64 // of the pauses within a visit, below 1 for short ranges
	nextAt  time.Time
	open    []openVisit // a heap by at, then number
	made    uint64
}

// person is a device with what enrichment would find out about it.
type person struct {
	device, profile string
	browser         *browser
	place           *place
	known           bool // in all events, see ShortMix
}

// openVisit is a visit under way; its next step is due at at.
type openVisit struct {
	at     time.Time
	number int
	step   int
	visit  *visit
	person *person
}

func newMixer(seed int64, plan Plan, short bool) *mixer {
	if plan.Devices <= 0 {
		plan.Devices = max(plan.Events/50, 1)
	}
	m := &mixer{plan: plan, short: short, seed: mix64(uint64(seed)), scale: 1}
	if short {
		m.pool = drawShortVisits(seed)
	} else {
		m.pool = drawVisits(seed)
	}
	m.people = make([]person, plan.Devices)
	for i := range m.people {
		h := mix64(m.seed ^ uint64(i))
		var id [16]byte
		putHex(id[:], h)
		u := unit(mix64(h))
		m.people[i] = person{
			device: "d_" + string(id[:]), profile: "u_" + string(id[:]),
			browser: &browsers[int(u*u*float64(len(browsers)))],
			place:   &places[h%uint64(len(places))],
			known:   short && i%10 == 0,
		}
	}
	longest := time.Duration(0)
	for _, v := range m.pool {
		longest = max(longest, v.length)
	}
	for events := 0; events < plan.Events; m.visits++ {
		events += len(m.visitOf(m.visits).steps)
	}
	// The last visit must end before To, and in a short range visits must be
	// short too.
	span := plan.To.Sub(plan.From)
	if quarter := span / 4; longest > quarter {
		m.scale = float64(quarter) / float64(longest)
	}
	m.curve = newCurve(plan.From, plan.To.Add(-time.Duration(float64(longest)*m.scale)))
	m.nextAt = m.curve.at(m.fraction(0))
	return m
}

func (m *mixer) visitOf(number int) *visit {
	return &m.pool[mix64(m.seed+uint64(number))%visitPool]
}

// personOf prefers some devices, so that some visitors come often.
func (m *mixer) personOf(number int) *person {
	u := unit(mix64(mix64(m.seed + uint64(number))))
	return &m.people[int(u*u*float64(len(m.people)))]
}

// fraction returns where in the range a visit begins; it grows with the number.
func (m *mixer) fraction(number int) float64 {
	return (float64(number) + unit(mix64(m.seed^uint64(number)<<1))) / float64(m.visits)
}

// next makes the earliest event that is left.
func (m *mixer) next() weir.Event {
	for m.started < m.visits && (len(m.open) == 0 || !m.open[0].at.Before(m.nextAt)) {
		m.push(openVisit{at: m.nextAt, number: m.started, visit: m.visitOf(m.started), person: m.personOf(m.started)})
		if m.started++; m.started < m.visits {
			m.nextAt = m.curve.at(m.fraction(m.started))
		}
	}
	top := &m.open[0]
	e := m.event(top)
	if top.step++; top.step < len(top.visit.steps) {
		top.at = top.at.Add(time.Duration(float64(top.visit.steps[top.step].pause) * m.scale).Truncate(time.Microsecond))
	} else {
		last := len(m.open) - 1
		m.open[0] = m.open[last]
		m.open = m.open[:last]
	}
	m.sink(0)
	return e
}

func (m *mixer) event(o *openVisit) weir.Event {
	s, p := &o.visit.steps[o.step], o.person
	var id [idSize]byte
	putID(id[:], uint64(o.at.UnixMilli()), uint16(m.seed&0xfff), m.made)
	m.made++
	e := weir.Event{
		ID: string(id[:]), ProjectID: m.plan.Project, Name: s.name,
		Time: o.at, ReceivedAt: o.at.Add(40 * time.Millisecond),
		DeviceID: p.device, Path: s.path, Origin: origin, Title: s.title,
		Country: p.place.country, Region: p.place.region, City: p.place.city, Language: p.place.language,
		Browser: p.browser.name, BrowserVersion: p.browser.version,
		OS: p.browser.os, OSVersion: p.browser.osVersion, DeviceType: p.browser.on,
		Library: library, Call: s.call, Properties: s.properties,
	}
	if s.identified || p.known {
		e.ProfileID = p.profile
	}
	if m.short {
		e.Properties = shortProperties(m.seed, m.made)
	}
	if s.revenue > 0 {
		e.Revenue, e.Currency = weir.Known(s.revenue), "EUR"
	}
	if o.step == 0 {
		e.Referrer, e.Channel = cameFrom(o.visit.referrer)
	}
	return e
}

// library is what the events name as their SDK.
const library = "weir-bench/1"

// cameFrom returns a referrer's host and channel.
func cameFrom(url string) (host, channel string) {
	host = strings.TrimPrefix(url, "https://")
	host, _, _ = strings.Cut(host, "/")
	host = strings.TrimPrefix(host, "www.")
	switch host {
	case "":
		return "", weir.ChannelDirect
	case "google.com", "bing.com":
		return host, weir.ChannelSearch
	case "reddit.com", "news.ycombinator.com":
		return host, weir.ChannelSocial
	case "chatgpt.com":
		return host, weir.ChannelAI
	}
	return host, weir.ChannelReferral
}

func (m *mixer) before(i, j int) bool {
	a, b := &m.open[i], &m.open[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.number < b.number
}

func (m *mixer) push(o openVisit) {
	m.open = append(m.open, o)
	for i := len(m.open) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.before(i, parent) {
			return
		}
		m.open[i], m.open[parent] = m.open[parent], m.open[i]
		i = parent
	}
}

func (m *mixer) sink(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(m.open) && m.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.open[i], m.open[least] = m.open[least], m.open[i]
		i = least
	}
}
