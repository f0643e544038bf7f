package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
)

// Templates are events of POST /v1/events rendered once, with slots of a fixed
// width for what differs from one sending to the next. So an event costs a copy
// and a few digits, and the generator leaves the machine to the server.

// tmpl is a rendered event. The offsets are where its slots begin; profile is -1
// when it has none.
type tmpl struct {
	text                        []byte
	id, micros, device, profile int
}

const (
	// Slots, as wide as what goes in.
	idSlot      = "00000000-0000-7000-8000-000000000000"
	timeSlot    = "2000-01-01T00:00:00.000000Z"
	deviceSlot  = "d_################"
	profileSlot = "u_################"

	timeLayout = "2006-01-02T15:04:05.000000Z"
	secondSize = len("2006-01-02T15:04:05.")
)

// wireEvent is an event in the form of POST /v1/events.
type wireEvent struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	TS         string          `json:"ts"`
	DeviceID   string          `json:"device_id"`
	ProfileID  string          `json:"profile_id,omitempty"`
	URL        string          `json:"url,omitempty"`
	Referrer   string          `json:"referrer,omitempty"`
	IP         string          `json:"ip"`
	UserAgent  string          `json:"user_agent"`
	Call       *wireCall       `json:"call,omitempty"`
	Properties json.RawMessage `json:"properties,omitempty"`
}

type wireCall struct {
	Method    string  `json:"method"`
	Route     string  `json:"route"`
	Status    int     `json:"status"`
	LatencyMS float64 `json:"latency_ms"`
	Consumer  string  `json:"consumer"`
}

// renderVisits makes the templates of each of the seed's visits.
func renderVisits(seed int64) ([][]tmpl, error) {
	rng := rand.New(rand.NewPCG(uint64(seed), 0x6c6f6164))
	var all [][]tmpl
	for _, v := range drawVisits(seed) {
		ip := fmt.Sprintf("203.0.113.%d", rng.IntN(256))
		if rng.IntN(2) == 0 {
			ip = fmt.Sprintf("198.51.100.%d", rng.IntN(256))
		}
		agent := pick(rng, browsers).userAgent
		var steps []tmpl
		for i, s := range v.steps {
			e := wireEvent{
				ID: idSlot, Name: s.name, TS: timeSlot, DeviceID: deviceSlot,
				URL: origin + s.path, IP: ip, UserAgent: agent, Properties: s.properties,
			}
			if i == 0 {
				e.Referrer = v.referrer
			}
			if s.identified {
				e.ProfileID = profileSlot
			}
			if c := s.call; c != nil {
				e.URL = ""
				e.Call = &wireCall{c.Method, c.Route, c.Status, c.LatencyMS.Value, c.Consumer}
			}
			t, err := newTemplate(&e)
			if err != nil {
				return nil, err
			}
			steps = append(steps, t)
		}
		all = append(all, steps)
	}
	return all, nil
}

func newTemplate(e *wireEvent) (tmpl, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return tmpl{}, fmt.Errorf("bench: render a template: %w", err)
	}
	s := string(text)
	t := tmpl{
		text: text, id: index(s, idSlot), micros: index(s, timeSlot),
		device: index(s, deviceSlot) + len("d_"), profile: -1,
	}
	if e.ProfileID != "" {
		t.profile = index(s, profileSlot) + len("u_")
	}
	return t, nil
}

// index returns where a slot begins. Slots stand before anything that could look like
// one.
func index(s, slot string) int {
	for i := range s {
		if len(s)-i >= len(slot) && s[i:i+len(slot)] == slot {
			return i
		}
	}
	panic("bench: template without the slot " + slot)
}

// visitorsPerConn is how many visits a connection carries on at the same time.
const visitorsPerConn = 64

// generator writes the events of one connection. A device belongs to one
// connection, so that its events arrive in order.
type generator struct {
	visits   [][]tmpl
	visitors [visitorsPerConn]visitor
	turn     int
	rng      *rand.Rand

	devices           uint64 // of this connection
	firstDevice, seed uint64

	conn    uint16 // in ids, beside nonce and count
	nonce   uint64 // 28 bits that differ between runs
	count   uint64
	clock   [len(timeLayout)]byte // the batch's time as text
	ms      uint64
	micros  int
	pending int // events since the clock was set
}

type visitor struct {
	device uint64
	steps  []tmpl // the rest of the visit
}

// newGenerator makes the generator of connection n of all. The ids of two runs
// differ when the runs begin at different nanoseconds, whatever the seed.
func newGenerator(visits [][]tmpl, seed int64, n, all, devices int, run time.Time) *generator {
	per := uint64(max(devices/all, 1))
	return &generator{
		visits: visits, rng: rand.New(rand.NewPCG(uint64(seed), uint64(n))),
		devices: per, firstDevice: per * uint64(n), seed: mix64(uint64(seed)),
		conn: uint16(n) & 0xfff, nonce: mix64(uint64(run.UnixNano())) & 0xfffffff,
	}
}

// setClock dates the events that follow: the first at now, each next one a
// microsecond later.
func (g *generator) setClock(now time.Time) {
	now = now.UTC()
	now.AppendFormat(g.clock[:0], timeLayout)
	g.ms, g.micros, g.pending = uint64(now.UnixMilli()), now.Nanosecond()/1000, 0
}

// appendEvent appends the next event of the connection.
func (g *generator) appendEvent(b []byte) []byte {
	v := &g.visitors[g.turn]
	g.turn = (g.turn + 1) % visitorsPerConn
	if len(v.steps) == 0 {
		v.device = mix64(g.seed ^ (g.firstDevice + g.rng.Uint64N(g.devices)))
		v.steps = g.visits[g.rng.IntN(len(g.visits))]
	}
	t := &v.steps[0]
	v.steps = v.steps[1:]

	start := len(b)
	b = append(b, t.text...)
	e := b[start:]
	putID(e[t.id:], g.ms, g.conn, g.nonce<<32|g.count&0xffffffff)
	copy(e[t.micros:], g.clock[:secondSize])
	putMicros(e[t.micros+secondSize:], min(g.micros+g.pending, 999_999))
	putHex(e[t.device:t.device+16], v.device)
	if t.profile >= 0 {
		putHex(e[t.profile:t.profile+16], v.device)
	}
	g.count++
	g.pending++
	return b
}

// appendBody appends n events: one object, or an array of several.
func (g *generator) appendBody(b []byte, n int) []byte {
	if n == 1 {
		return g.appendEvent(b)
	}
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = g.appendEvent(b)
	}
	return append(b, ']')
}
