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

// zone is a timezone with a date.
type zone struct{ name, from string }

// zones have, one each: nothing, half an hour, a repeated hour, a repeated half
// hour, a midnight that does not exist (west and east of Greenwich, which Go's
// time.Date solves in two ways), a midnight that is twice, one that is
// twice and shows the date before between. The date lies days before the change.
var zones = []zone{
	{"UTC", "2025-12-20"},
	{"Australia/Lord_Howe", "2025-03-28"},
	{"Asia/Beirut", "2025-03-24"},
	{"America/St_Johns", "2010-11-01"},
	{"Asia/Kolkata", "2025-02-20"},
	{"America/New_York", "2025-10-26"},
	{"America/Santiago", "2025-09-01"},
	{"Asia/Amman", "2021-10-23"},
}

// generate makes a world of about n events over 14 days.
func generate(r *rand.Rand, zone, from string, n int) (*world, error) {
	p := &weir.Project{ID: "p-" + zone, Timezone: zone, URLRules: rulesOf(zone)}
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
	w.mingle()
	for i := range w.events { // a log's seqs go up in the order in which events come
		w.events[i].Seq = uint64(i + 1)
	}
	w.erase()
	for d := range devices {
		for range []int{0, 0, 1, 1, 3}[r.IntN(5)] {
			w.links = append(w.links, weir.Link{
				ProjectID: p.ID, DeviceID: deviceID(d), ProfileID: fmt.Sprint("user-", r.IntN(devices/4)),
				At: start.Add(time.Duration(r.IntN(4)) * time.Hour).UTC(), // few times, so that some are equal
			})
		}
	}
	for range devices / 2 {
		w.links = append(w.links, weir.Link{
			ProjectID: p.ID, DeviceID: formerID(r), ProfileID: []string{fmt.Sprint("user-", r.IntN(20)), formerID(r)}[r.IntN(8)/7],
			At: start.Add(time.Duration(r.IntN(4)) * time.Hour).UTC(), Alias: true,
		})
	}
	return w, nil
}

// erase leaves of some visits' events what an erasure of their persons leaves.
func (w *world) erase() {
	for i := range w.events {
		e := &w.events[i]
		var visit int
		if _, err := fmt.Sscanf(e.SessionID, "s-%d", &visit); err == nil && visit%19 == 7 {
			*e = cold.Anonymous(e)
		}
	}
}

// isErased says whether an event is one that erase made.
func isErased(e *weir.EventRow) bool {
	return weir.Person(e.ProfileID, e.DeviceID) == "" && cold.IsErasedID(e.ID)
}

// formerID is of a profile that is identified now and then, and an alias often.
func formerID(r *rand.Rand) string { return fmt.Sprint("former-", r.IntN(80)) }

// shardsOf is how many shards a world's devices are in.
const shardsOf = 3

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
		Channel: weir.ChannelSearch, Language: "de", DeviceType: weir.DevicePhone, ImportID: []string{"", "first", "", "second"}[number%4],
	}
	if r.IntN(6) == 0 {
		base.ProfileID = fmt.Sprint("user-", r.IntN(20))
	}
	if r.IntN(40) == 0 {
		base.DeviceID = "" // a server's event: no person unless a profile
	}
	if r.IntN(10) == 0 { // a server's, of a former id
		base.DeviceID, base.ProfileID = "", formerID(r)
	}
	if r.IntN(12) == 0 { // a server's, that has the id of a browser, or takes it for one
		base.DeviceID, base.ProfileID = "", deviceID(r.IntN(device+20))
	}
	var view *weir.EventRow
	for range 1 + r.IntN(8) {
		e := weir.EventRow{Event: base, Shard: device % shardsOf, Seq: uint64(len(w.events) + 1)}
		e.ID = fmt.Sprintf("%s-%d", w.project.ID, len(w.events))
		if before := len(w.events) - 20; before > 0 && before%7 == 0 && w.events[before].DeviceID != e.DeviceID {
			e.ID = w.events[before].ID // another device's event has the same id
		}
		e.Time, e.ReceivedAt = at, at
		e.Bot = base.Bot != (len(w.events)%13 == 0)
		e.Name = names[r.IntN(len(names))]
		e.Path = paths[r.IntN(len(paths))]
		if n := len(w.events); n%3 == 0 {
			e.Path = fmt.Sprint("/page/", n%199) // more pages than one mask of persons holds
		}
		e.Channel, e.Referrer, e.UTMCampaign = cameBy(len(w.events))
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
	n := len(w.events)
	if n%29 == 5 {
		e.Name = weir.NameGroup
	}
	if e.Name == weir.NameCall {
		e.Call = &weir.Call{
			Method: []string{"GET", "POST", ""}[r.IntN(3)], Route: []string{"/v1/a", "/v1/b"}[r.IntN(2)],
			Status:   []int{200, 200, 201, 404, 500, 0}[r.IntN(6)],
			Consumer: []string{"acme", "", fmt.Sprint("consumer-", len(w.events)%60)}[r.IntN(3)],
		}
		if r.IntN(5) > 0 { // else it is unknown; 0 is a value
			e.Call.LatencyMS = weir.Known([]float64{0, float64(r.IntN(4000)) / 8}[min(r.IntN(5), 1)])
		}
		if r.IntN(3) > 0 {
			e.Call.RequestBytes = weir.Known([]float64{0, float64(r.IntN(4000))}[min(r.IntN(5), 1)])
		}
		if r.IntN(3) > 0 {
			e.Call.ResponseBytes = weir.Known([]float64{0, 200, float64(r.IntN(5e6)), 1 << 40}[r.IntN(4)])
		}
		if r.IntN(3) == 0 {
			e.Call.Error = []string{fmt.Sprint("order ", r.IntN(900), " not found"), fmt.Sprintf("user %q: für ist's zu spät", fmt.Sprint("u", r.IntN(9))), "order <n> not found", "' OR TRUE --"}[r.IntN(4)]
		}
		if r.IntN(3) == 0 {
			e.Call.TraceID = fmt.Sprintf("%032x", r.IntN(50))
		}
	}
	if r.IntN(5) == 0 {
		e.Revenue, e.Currency = weir.Known([]float64{0, float64(r.IntN(400)-100) / 4}[min(r.IntN(5), 1)]), "EUR"
		switch {
		case e.Revenue.Value == 0 && r.IntN(2) == 0:
			e.Currency = ""
		case r.IntN(40) == 0:
			e.Currency = "JPY"
		}
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
	if n%3 == 0 {
		props["$groups"] = groupsOf(n)
	}
	if e.Name == weir.NameGroup {
		props["group_type"], props["group_id"] = []string{"company", "team"}[n%2], fmt.Sprint("acme-", n%11)
	}
	if e.Name == weir.NameIdentify && r.IntN(2) == 0 {
		props[weir.PropertyAlias] = []any{
			formerID(r), formerID(r), formerID(r), deviceID(r.IntN(40)), fmt.Sprint("user-", r.IntN(20)), 0, 7, "Undefined", nil, e.ProfileID,
		}[r.IntN(10)]
	}
	b, err := json.Marshal(props)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	e.Properties = b
}

// groupsOf are the groups of the n-th event, in each form that protocols send.
func groupsOf(n int) any {
	company := fmt.Sprint("acme-", n%13)
	return []any{
		map[string]any{"company": company},
		map[string]any{"company": n % 7, "team": []any{"t1", "t2"}},
		map[string]any{"company": []any{company}, "te/am": "ü"},
		map[string]any{"company": "", "team": nil},
		map[string]any{},
		"company",
		map[string]any{"team": []any{n % 5}},
	}[n/3%7]
}

// cameBy is where the n-th event says that its visitor came from: the events of a visit
// differ in it.
func cameBy(n int) (channel, referrer, campaign string) {
	return []string{weir.ChannelSearch, weir.ChannelDirect, weir.ChannelEmail, ""}[n%4], []string{"a.example", "", "pay.example"}[n%3], []string{"spring", "", "", "other"}[n%7%4]
}

var (
	propertyNames  = []string{"plan", "a.b", "a/b", "a~1", `q"'`, "ü", "$set", "0"}
	propertyValues = []any{"pro", "free", "", "other", "ünï", "12", "-3.5", "1e3", " 7", "0x1F", "inf", "NaN", "007", "1_000", "1000", json.Number("1000.0"), json.Number("1e3"), json.Number("-0.0"), "7.0", "0.30000000000000004", "12345678901234567890123", 7, -2.25, 0, true, nil, []any{1, "a"}}
)

// mingle puts the events in the order in which they come in: all visits go on
// at the same time, so that batches cut them, and some events are late.
func (w *world) mingle() {
	nth := make(map[string]int)
	turn := make(map[string]int, len(w.events))
	for i := range w.events {
		e := &w.events[i]
		turn[e.ID] = nth[e.SessionID]
		nth[e.SessionID]++
		if i%5 == 0 {
			turn[e.ID] += 2
		}
	}
	slices.SortStableFunc(w.events, func(a, b weir.EventRow) int { return turn[a.ID] - turn[b.ID] })
}

// batches cuts the world's events into batches in an order that is theirs by
// shard, with the visit rows that each adds.
func (w *world) batches(size int) []*cold.Batch {
	shards := make([][]weir.EventRow, shardsOf)
	for _, e := range w.events {
		shards[e.Shard] = append(shards[e.Shard], e)
	}
	var out []*cold.Batch
	visits := make(map[[2]string]*visitSoFar)
	for shard, events := range shards {
		for chunk := range slices.Chunk(events, size) {
			first, last := chunk[0].Seq, chunk[0].Seq // late events stand among others
			for _, e := range chunk {
				first, last = min(first, e.Seq), max(last, e.Seq)
			}
			b := &cold.Batch{
				Token: fmt.Sprintf("%s-%d-%d", w.project.ID, shard, chunk[0].Seq), Log: w.project.ID, Shard: shard, First: first, Last: last, Now: w.from, Events: chunk,
			}
			b.Visits = visitRows(visits, chunk)
			if len(out) == 0 {
				b.Links = w.links
				b.Marks = []cold.Mark{{ProjectID: w.project.ID, Person: cold.HashOf(w.project.ID, "usomebody"), At: w.from}}
			}
			out = append(out, b)
		}
	}
	return out
}

// visitSoFar is a visit's events up to a batch, and its states up to then.
type visitSoFar struct {
	events []*weir.EventRow
	states uint32
}

// visitRows cancel the state of each visit that the batch changes, and say what
// the visit is now. A state is made anew from all events of the visit.
func visitRows(visits map[[2]string]*visitSoFar, batch []weir.EventRow) []weir.VisitRow {
	var changed [][2]string
	news := make(map[[2]string][]*weir.EventRow)
	for i := range batch {
		if isErased(&batch[i]) {
			continue
		}
		key := [2]string{batch[i].DeviceID, batch[i].SessionID}
		if news[key] == nil {
			changed = append(changed, key)
		}
		news[key] = append(news[key], &batch[i])
	}
	var rows []weir.VisitRow
	for _, key := range changed {
		v := visits[key]
		if v == nil {
			v = &visitSoFar{}
			visits[key] = v
		} else {
			rows = append(rows, v.state(-1))
		}
		v.events = append(v.events, news[key]...)
		v.states++
		rows = append(rows, v.state(1))
	}
	return rows
}

// state is the visit as its events so far tell it.
func (v *visitSoFar) state(sign int8) weir.VisitRow {
	s := weir.VisitRow{Sign: sign, Version: v.states}
	for _, e := range v.events {
		if e.ProfileID != "" {
			s.ProfileID = e.ProfileID
		}
	}
	inOrder := slices.Clone(v.events)
	slices.SortFunc(inOrder, func(a, b *weir.EventRow) int { return a.Time.Compare(b.Time) })
	first, last := inOrder[0], inOrder[len(inOrder)-1]
	s.ProjectID, s.DeviceID, s.SessionID, s.Start, s.End = first.ProjectID, first.DeviceID, first.SessionID, first.Time, last.Time
	s.Referrer, s.Channel, s.UTMCampaign, s.Country, s.Browser, s.DeviceType, s.Language = first.Referrer, first.Channel, first.UTMCampaign, first.Country, first.Browser, first.DeviceType, first.Language
	human, humanView := false, false
	for _, e := range inOrder {
		s.Events++
		s.Revenue += e.Revenue.Value
		human = human || !e.Bot
		humanView = humanView || !e.Bot && e.IsScreenView()
		if e.IsInteractive() {
			s.Interactive++
		}
		if e.Call != nil {
			s.Calls++
		}
		if e.IsScreenView() {
			if s.ScreenViews == 0 {
				s.Entry, s.EntryAt = e.Path, e.Time
			}
			s.Exit, s.ExitAt = e.Path, e.Time
			s.ScreenViews++
		}
	}
	if s.Bot = !human; s.ScreenViews > 0 {
		s.Bot = !humanView
	}
	return s
}
