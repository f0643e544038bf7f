package coldtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// world is what one project's generated events are.
type world struct {
	project *weir.Project
	from    time.Time // of the first visits
	days    int
	events  []weir.EventRow
	links   []weir.Link
}

// zones have, one each: nothing, half an hour, a repeated hour, a repeated half
// hour, a midnight that does not exist (west and east of Greenwich, which Go's
// time.Date solves in two ways), a midnight that is twice. The date lies days before the change.
var zones = []struct {
	name string
	from string
}{
	{"UTC", "2025-12-20"},
	{"Asia/Kolkata", "2025-02-20"},
	{"America/New_York", "2025-10-26"},
	{"Australia/Lord_Howe", "2025-03-28"},
	{"America/Santiago", "2025-09-01"},
	{"Asia/Beirut", "2025-03-24"},
	{"Asia/Amman", "2021-10-23"},
}

// generate makes a world of about n events over 14 days.
func generate(r *rand.Rand, zone, from string, n int) (*world, error) {
	p := &weir.Project{ID: "p-" + zone, Timezone: zone}
	if err := p.Resolve(); err != nil {
		return nil, err
	}
	start, err := time.ParseInLocation("2006-01-02", from, p.Location())
	if err != nil {
		return nil, err
	}
	w := &world{project: p, from: start, days: 14}
	devices := n / 25
	for visit := 0; len(w.events) < n; visit++ {
		w.visit(r, visit, r.IntN(devices))
	}
	for d := range devices {
		for range []int{0, 0, 1, 1, 3}[r.IntN(5)] {
			w.links = append(w.links, weir.Link{
				ProjectID: p.ID, DeviceID: deviceID(d), ProfileID: fmt.Sprint("user-", r.IntN(devices/4)),
				At: start.Add(time.Duration(r.IntN(4)) * time.Hour).UTC(), // few times, so that some are equal
			})
		}
	}
	return w, nil
}

func deviceID(d int) string { return fmt.Sprint("device-", d) }

var (
	paths     = []string{"/", "/pricing", "/blog/ä b", "/docs/用户", "/it's", `/say "hi"`, "/%_", "/other", "/a@b?c", ""}
	countries = []string{"DE", "US", "US", "IN", "other", ""}
	browsers  = []string{"Chrome", "Safari", "Firefox ESR", ""}
	names     = []string{weir.NameScreenView, weir.NameScreenView, weir.NameScreenView, "click", "Käufe", "sign up", weir.NameCall, weir.NameScreenLeave, weir.NameIdentify}
)

// visit adds one visit of a device: some events with gaps of a second to half
// an hour, as the fold would have written them.
func (w *world) visit(r *rand.Rand, number, device int) {
	at := w.from.Add(time.Duration(r.Int64N(int64(w.days) * 24 * int64(time.Hour)))).UTC().Truncate(time.Microsecond)
	if r.IntN(6) == 0 {
		at = at.AddDate(-1, 0, 0)
	}
	base := weir.Event{
		ProjectID: w.project.ID, DeviceID: deviceID(device), SessionID: fmt.Sprint("s-", number),
		Country: countries[device%len(countries)], Browser: browsers[device%len(browsers)], Bot: device%11 == 3,
		Channel: weir.ChannelSearch, Language: "de", DeviceType: weir.DevicePhone,
	}
	if r.IntN(6) == 0 {
		base.ProfileID = fmt.Sprint("user-", r.IntN(20))
	}
	if r.IntN(40) == 0 {
		base.DeviceID = "" // a server's event: no person unless a profile
	}
	var view *weir.EventRow
	for range 1 + r.IntN(8) {
		e := weir.EventRow{Event: base, Shard: device % 3, Seq: uint64(len(w.events) + 1)}
		e.ID = fmt.Sprintf("%s-%d", w.project.ID, len(w.events))
		e.Time, e.ReceivedAt = at, at
		e.Name = names[r.IntN(len(names))]
		e.Path = paths[r.IntN(len(paths))]
		w.details(r, &e)
		if view != nil {
			e.ClosesEventID, e.ClosesPath = view.ID, view.Path
			e.ClosesMS = e.Time.Sub(view.Time).Milliseconds()
			view = nil
		}
		w.events = append(w.events, e)
		if e.IsScreenView() {
			view = &weir.EventRow{Event: e.Event}
		}
		gap := []time.Duration{2 * time.Second, 5 * time.Minute, 29 * time.Minute}[r.IntN(3)]
		at = at.Add(time.Microsecond + time.Duration(r.Int64N(int64(gap)))).Truncate(time.Microsecond)
	}
}

// details fills in a call, a revenue and properties of all sorts.
func (w *world) details(r *rand.Rand, e *weir.EventRow) {
	if e.Name == weir.NameCall {
		e.Call = &weir.Call{
			Method: []string{"GET", "POST", ""}[r.IntN(3)], Route: []string{"/v1/a", "/v1/b"}[r.IntN(2)],
			Status:    []int{200, 200, 201, 404, 500, 0}[r.IntN(6)],
			LatencyMS: float64(r.IntN(4000)) / 8, Consumer: []string{"acme", ""}[r.IntN(2)],
		}
	}
	if r.IntN(5) == 0 {
		e.Revenue, e.Currency = float64(r.IntN(400)-100)/4, "EUR"
	}
	if r.IntN(4) == 0 {
		return
	}
	props := map[string]any{}
	for _, name := range propertyNames {
		if r.IntN(2) == 0 {
			props[name] = propertyValues[r.IntN(len(propertyValues))]
		}
	}
	props["amount"] = r.IntN(1000)
	b, err := json.Marshal(props)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	e.Properties = b
}

var (
	propertyNames  = []string{"plan", "a.b", "a/b", "a~1", `q"'`, "ü", "$set", "0"}
	propertyValues = []any{"pro", "free", "", "other", "ünï", "12", "-3.5", "1e3", " 7", "0x1F", "inf", "NaN", "007", "1_000", 7, -2.25, 0, true, nil, []any{1, "a"}}
)

// batches cuts the world's events into batches in an order that is theirs by
// shard, with the visit rows that each adds.
func (w *world) batches(size int) []*cold.Batch {
	var out []*cold.Batch
	for chunk := range slices.Chunk(w.events, size) {
		n := len(out)
		b := &cold.Batch{Token: fmt.Sprintf("%s-%d", w.project.ID, n), First: uint64(n*size + 1), Last: uint64(n*size + len(chunk)), Now: w.from, Events: chunk}
		b.Visits = visitRows(chunk)
		if n == 0 {
			b.Links = w.links
		}
		out = append(out, b)
	}
	return out
}

// visitRows are the deltas of one batch.
func visitRows(events []weir.EventRow) []weir.VisitRow {
	var rows []weir.VisitRow
	index := make(map[[2]string]int)
	for i := range events {
		e := &events[i]
		key := [2]string{e.DeviceID, e.SessionID}
		at, ok := index[key]
		if !ok {
			at = len(rows)
			index[key] = at
			rows = append(rows, weir.VisitRow{
				ProjectID: e.ProjectID, DeviceID: e.DeviceID, SessionID: e.SessionID, Start: e.Time,
				Bot: e.Bot, Channel: e.Channel, Country: e.Country, Browser: e.Browser, DeviceType: e.DeviceType, Language: e.Language,
			})
		}
		v := &rows[at]
		v.End = e.Time // a visit's events come in order
		v.Events++
		v.Revenue += e.Revenue
		if e.ProfileID != "" {
			v.ProfileID = e.ProfileID
		}
		if e.IsInteractive() {
			v.Interactive++
		}
		if e.Call != nil {
			v.Calls++
		}
		if e.IsScreenView() {
			if v.ScreenViews == 0 {
				v.Entry, v.EntryAt = e.Path, e.Time
			}
			v.Exit, v.ExitAt = e.Path, e.Time
			v.ScreenViews++
		}
	}
	return rows
}
