package coldtest

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// oracle answers questions the slow and plain way, over slices of events. It
// shares no code with insight but the types of its answers: where the two
// differ, one of them is wrong.
type oracle struct {
	w       *world
	linked  map[string]string // device → profile of its earliest link
	merged  map[string]string // profile → the one that it counts under
	unnamed map[string]bool   // profiles that are ids of devices
	dates   map[string]time.Time
	began   map[[2]string]*weir.EventRow // device and session → the visit's earliest event
}

func newOracle(w *world) *oracle {
	o := &oracle{w: w, linked: make(map[string]string), dates: make(map[string]time.Time)}
	o.began = make(map[[2]string]*weir.EventRow)
	for i := range w.events {
		e := &w.events[i]
		if e.SessionID == "" { // in no visit
			continue
		}
		key := [2]string{e.DeviceID, e.SessionID}
		if first := o.began[key]; first == nil || e.Time.Before(first.Time) {
			o.began[key] = e
		}
	}
	links := linksOf(w.links, w.events)
	o.merged = mergesOf(links)
	o.unnamed = unnamedOf(links, w.events)
	sort.Slice(links, func(i, j int) bool {
		if !links[i].At.Equal(links[j].At) {
			return links[i].At.Before(links[j].At)
		}
		return links[i].ProfileID < links[j].ProfileID
	})
	for _, l := range links {
		if _, ok := o.linked[l.DeviceID]; !ok && l.DeviceID != "" {
			o.linked[l.DeviceID] = l.ProfileID
		}
	}
	return o
}

// person tells persons apart; ok is false for an event of nobody.
func (o *oracle) person(e *weir.EventRow) (p [2]string, ok bool) {
	if into, ok := o.merged[e.ProfileID]; ok {
		return [2]string{"profile", into}, true
	}
	device := e.DeviceID
	if o.unnamed[e.ProfileID] {
		device = e.ProfileID
	} else if e.ProfileID != "" {
		return [2]string{"profile", e.ProfileID}, true
	}
	if device == "" {
		return p, false
	}
	if profile, ok := o.linked[device]; ok {
		return [2]string{"profile", profile}, true
	}
	return [2]string{"device", device}, true
}

// value is a column as text; ok is false when there is none.
func (o *oracle) value(e *weir.EventRow, column string) (v string, ok bool) {
	first := e // of the visit
	if visit := o.began[[2]string{e.DeviceID, e.SessionID}]; visit != nil {
		first = visit
	}
	if name, isGroup := strings.CutPrefix(column, "groups."); isGroup {
		return groupOf(e, name)
	}
	if name, isProperty := strings.CutPrefix(column, "properties."); isProperty {
		return propertyOf(e, name)
	}
	switch column {
	case "name":
		v = e.Name
	case "path":
		v = o.page(e.Path)
	case "country":
		v = e.Country
	case "import_id":
		v = e.ImportID
	case "browser":
		v = e.Browser
	case "channel", "visit.channel":
		v = first.Channel
	case "event_channel":
		v = e.Channel
	case "referrer":
		v = first.Referrer
	case "event_referrer":
		v = e.Referrer
	case "utm_campaign":
		v = first.UTMCampaign
	case "device_id":
		v = e.DeviceID
	case "profile_id":
		v = e.ProfileID
	case "session_id":
		v = e.SessionID
	case "currency":
		v = e.Currency
	case "bot":
		return strconv.FormatBool(e.Bot), true
	case "revenue":
		return decimal(e.Revenue)
	case "method", "route", "consumer", "status", "latency_ms", "status_class", "request_bytes", "response_bytes", "error", "error_shape", "trace_id":
		return o.callValue(e.Call, column)
	default:
		panic("the oracle does not know column " + column)
	}
	return v, v != ""
}

func (o *oracle) callValue(c *weir.Call, column string) (v string, ok bool) {
	if c == nil {
		return "", false
	}
	switch column {
	case "method":
		v = c.Method
	case "route":
		v = o.page(c.Route)
	case "consumer":
		v = c.Consumer
	case "status":
		return strconv.Itoa(c.Status), c.Status != 0
	case "status_class":
		return fmt.Sprint(c.Status/100, "xx"), c.Status != 0
	case "latency_ms":
		return decimal(c.LatencyMS)
	case "request_bytes":
		return decimal(c.RequestBytes)
	case "response_bytes":
		return decimal(c.ResponseBytes)
	case "error":
		v = c.Error
	case "error_shape":
		v = shapeOf(c.Error)
	case "trace_id":
		v = c.TraceID
	}
	return v, v != ""
}

func decimal(n weir.Number) (string, bool) { return strconv.FormatFloat(n.Value, 'f', -1, 64), n.Known }

// groupOf is the first group of a type that an event names; "" is none.
func groupOf(e *weir.EventRow, name string) (string, bool) {
	var m struct {
		Groups any    `json:"$groups"`
		Type   string `json:"group_type"`
		ID     string `json:"group_id"`
	}
	if e.Properties != nil {
		if err := json.Unmarshal(e.Properties, &m); err != nil {
			panic(err) // the generator writes JSON
		}
	}
	groups, _ := m.Groups.(map[string]any)
	id := groups[name]
	if list, ok := id.([]any); ok && len(list) > 0 {
		id = list[0]
	}
	if id == nil && e.Name == weir.NameGroup && m.Type == name {
		id = m.ID
	}
	if id == nil {
		return "", false
	}
	return fmt.Sprint(id), fmt.Sprint(id) != ""
}

func propertyOf(e *weir.EventRow, name string) (string, bool) {
	if e.Properties == nil {
		return "", false
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(e.Properties, &m); err != nil {
		panic(err) // the generator writes JSON
	}
	raw, ok := m[name]
	if !ok || string(raw) == "null" {
		return "", false
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return spelled(s), true
	}
	return spelled(string(raw)), true
}

// spelled is text, and a number in one spelling: 1000.0 and 1e3 are "1000".
func spelled(s string) string {
	n, ok := new(big.Rat).SetString(s)
	if _, isNumber := numeric(s); !isNumber || !ok || len(s) > 20 {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(n.FloatString(18), "0"), ".")
}

// numeric reads text in the form of a JSON number.
func numeric(s string) (float64, bool) {
	if s == "" || !strings.ContainsAny(s[:1], "-0123456789") || !json.Valid([]byte(s)) || strings.TrimSpace(s) != s {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// shapeOf is the shape of the errors that the generator writes.
func shapeOf(message string) string {
	words := strings.Fields(message)
	for i, w := range words {
		if _, isNumber := numeric(w); isNumber {
			words[i] = "<n>"
		} else if strings.HasPrefix(w, `"`) {
			words[i] = "<text>:"
		}
	}
	return strings.Join(words, " ")
}

// group is what a breakdown by a column groups an event by.
func (o *oracle) group(e *weir.EventRow, column string) (v string, ok bool) {
	if column == "error" {
		column = "error_shape"
	}
	return o.value(e, column)
}

// holds tests one condition. An error is found by its message or its shape.
func (o *oracle) holds(e *weir.EventRow, c weir.Condition) bool {
	of := func(c weir.Condition) bool { return o.holds(e, c) }
	fails := func(c weir.Condition) bool { return !of(c) }
	switch {
	case c.All != nil:
		return !slices.ContainsFunc(c.All, fails)
	case c.Any != nil:
		return slices.ContainsFunc(c.Any, of)
	case c.Not != nil:
		return slices.ContainsFunc(c.Not, fails)
	}
	if positive, ok := map[string]string{"!=": "=", "not in": "in", "not contains": "contains", "not matches": "matches", "is not set": "is set"}[c.Op]; ok {
		c.Op = positive
		return !o.holds(e, c)
	}
	if c.Column == "action" {
		return o.isAction(e, c)
	}
	if c.Column == "error" {
		shape := c
		shape.Column = "error_shape"
		return o.columnHolds(e, c) || o.columnHolds(e, shape)
	}
	return o.columnHolds(e, c)
}

func (o *oracle) columnHolds(e *weir.EventRow, c weir.Condition) bool {
	v, ok := o.value(e, c.Column)
	same := func(want string) bool {
		if numericColumn(c.Column) {
			x, _ := strconv.ParseFloat(v, 64)
			y, _ := strconv.ParseFloat(want, 64)
			return x == y
		}
		if strings.HasPrefix(c.Column, "properties.") {
			return v == spelled(want)
		}
		return v == want
	}
	switch c.Op {
	case "=":
		return (ok || textColumn(c.Column)) && same(c.Values[0])
	case "is set":
		return c.Column == "bot" || ok && (v != "" || !textColumn(c.Column))
	case "starts with":
		return (ok || textColumn(c.Column)) && strings.HasPrefix(v, c.Values[0])
	case "matches":
		return (ok || textColumn(c.Column)) && regexp.MustCompile("(?s)"+c.Values[0]).MatchString(v)
	case "in":
		return (ok || textColumn(c.Column)) && slices.ContainsFunc(c.Values, same)
	case "contains":
		return (ok || textColumn(c.Column)) && strings.Contains(v, c.Values[0])
	case ">", "<", ">=", "<=":
		x, isNumber := numeric(v)
		y, _ := strconv.ParseFloat(c.Values[0], 64)
		return ok && isNumber && (c.Op[0] == '>' && x > y || c.Op[0] == '<' && x < y || len(c.Op) == 2 && x == y)
	}
	panic("the oracle does not know operator " + c.Op)
}

func numericColumn(c string) bool {
	return slices.Contains([]string{"status", "latency_ms", "revenue", "request_bytes", "response_bytes"}, c)
}

// textColumn says that no value is the same as empty text.
func textColumn(c string) bool {
	return !numericColumn(c) && c != "bot" && !strings.HasPrefix(c, "properties.")
}

// match selects the events of a range that pass a filter.
// withBots returns the filter with the test that the word for bots is.
func withBots(f weir.Filter, b weir.Bots) weir.Filter {
	if b == weir.BotsIn {
		return f
	}
	return append(slices.Clone(f), weir.Condition{Column: "bot", Op: "=", Values: []string{strconv.FormatBool(b == weir.BotsOnly)}})
}

// leftOut is how many bots an answer about people leaves out; nil if bots count.
func (o *oracle) leftOut(q weir.Common, names ...string) *int64 {
	if q.Bots.OfPeople() != weir.BotsOut {
		return nil
	}
	who := map[[2]string]bool{}
	for _, e := range o.match(q.From, q.To, withBots(q.Filter, weir.BotsOnly), "") {
		if p, ok := o.person(e); ok && (len(names) == 0 || slices.Contains(names, e.Name)) {
			who[p] = true
		}
	}
	return new(int64(len(who)))
}

func (o *oracle) match(from, to time.Time, filter []weir.Condition, name string) []*weir.EventRow {
	var out []*weir.EventRow
next:
	for i := range o.w.events {
		e := &o.w.events[i]
		if e.Time.Before(from) || !e.Time.Before(to) || name != "" && e.Name != name {
			continue
		}
		for _, c := range filter {
			if !o.holds(e, c) {
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}
