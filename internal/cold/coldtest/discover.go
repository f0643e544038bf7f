package coldtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// discovery asks for names, values and columns, and compares them with what a walk over the
// events finds.
func (a *asker) discovery(t *testing.T) {
	o, e, r := newOracle(a.w), a.e, a.r
	ignored := gocmp.Options{cmpopts.IgnoreTypes(insight.DiscoveredIn{}), cmpopts.EquateEmpty()}
	whole := insight.Discovery{From: o.w.from.AddDate(0, 0, 2), To: o.w.from.AddDate(0, 0, 9), Limit: insight.MaxDiscovered}
	odd := whole
	odd.From, odd.To = odd.From.Add(7*time.Minute+time.Microsecond), odd.To.Add(-3*time.Hour-time.Second)
	for i, q := range []insight.Discovery{whole, odd} {
		if !a.asks(i) {
			continue
		}
		for _, part := range []string{"", "s", "ä", "nothing"} {
			q.Contains = part
			for _, limit := range []int{2, 1000} {
				q.Limit = limit
				got, err := e.Names(t.Context(), o.w.project, q, 0)
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(o.names(q), got, ignored); diff != "" {
					t.Errorf("names of %+v (-want +insight):\n%s", q, diff)
				}
			}
		}
		columns := []string{"name", "route", "status", "latency_ms", "error", "response_bytes", "revenue", "bot", "path", "country", "channel", "event_channel", "device_id", "properties.plan", "properties.a/b", "properties.missing"}
		for _, column := range columns {
			q.Contains, q.Event, q.Limit = []string{"", "", "0", "a", "e"}[r.IntN(5)], []string{"", "", weir.NameCall}[r.IntN(3)], []int{3, 1000}[r.IntN(2)]
			got, err := e.ColumnValues(t.Context(), o.w.project, column, q, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got.Approximate.Approximate || got.EventsRead > int64(len(o.w.events)) {
				t.Errorf("values of %s: approximate %t, of %d events", column, got.Approximate.Approximate, got.EventsRead)
			}
			got.EventsRead = 0
			if diff := gocmp.Diff(o.frequent(column, q), got, ignored); diff != "" {
				t.Errorf("values of %s of %+v (-want +insight):\n%s", column, q, diff)
			}
		}
		for _, event := range []string{"", weir.NameCall, "nothing"} {
			q.Contains, q.Event, q.Limit = []string{"properties.", "groups."}[r.IntN(2)], event, 1000
			got, err := e.Columns(t.Context(), o.w.project, q, 0)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(o.properties(q), got.Columns, ignored); diff != "" || got.Approximate.Approximate {
				t.Errorf("properties of %+v (approximate: %t; -want +insight):\n%s", q, got.Approximate.Approximate, diff)
			}
		}
	}
}

func (o *oracle) names(q insight.Discovery) *insight.Names {
	of := map[string]*insight.NamedEvent{}
	for _, e := range o.match(q.From, q.To, nil, "") {
		if !strings.Contains(e.Name, q.Contains) {
			continue
		}
		n := of[e.Name]
		if n == nil {
			n = &insight.NamedEvent{Name: e.Name}
			of[e.Name] = n
		}
		n.Count++
		if e.Time.After(n.LastSeen) {
			n.LastSeen = e.Time
		}
	}
	a := &insight.Names{}
	for _, n := range of {
		a.Names = append(a.Names, *n)
	}
	slices.SortFunc(a.Names, func(x, y insight.NamedEvent) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name))
	})
	a.Names, a.More = first(a.Names, q.Limit)
	return a
}

// first returns the first n of a list, and whether there are more.
func first[T any](list []T, n int) ([]T, bool) { return list[:min(len(list), n)], len(list) > n }

func (o *oracle) frequent(column string, q insight.Discovery) *insight.ColumnValues {
	counts := map[string]int64{}
	for _, e := range o.match(q.From, q.To, nil, q.Event) {
		if v, ok := o.group(e, column); ok && strings.Contains(v, q.Contains) && len([]rune(v)) <= 200 {
			counts[v]++
		}
	}
	a := &insight.ColumnValues{Column: column}
	for v, n := range counts {
		a.Values = append(a.Values, insight.CountedText{Value: v, Count: n})
	}
	slices.SortFunc(a.Values, func(x, y insight.CountedText) int {
		byValue := cmp.Compare(x.Value, y.Value)
		if numericColumn(column) {
			m, _ := strconv.ParseFloat(x.Value, 64)
			n, _ := strconv.ParseFloat(y.Value, 64)
			byValue = cmp.Compare(m, n)
		}
		return cmp.Or(cmp.Compare(y.Count, x.Count), byValue)
	})
	a.Values, a.More = first(a.Values, q.Limit)
	return a
}

func (o *oracle) properties(q insight.Discovery) []insight.KnownColumn {
	counts, types := map[string]int64{}, map[string]map[string]bool{}
	for _, e := range o.match(q.From, q.To, nil, q.Event) {
		var m map[string]any
		if e.Properties == nil {
			continue
		}
		if err := json.Unmarshal(e.Properties, &m); err != nil {
			panic(err) // the generator writes JSON
		}
		if groups, ok := m["$groups"].(map[string]any); ok && q.Contains == "groups." {
			m = map[string]any{}
			for name, id := range groups {
				if m[name] = id; id != nil {
					m[name] = "an id"
				}
			}
		} else if q.Contains == "groups." {
			m = nil
		}
		for name, v := range m {
			kind := "mixed"
			switch v := v.(type) {
			case nil:
				continue
			case string:
				if kind = "text"; isNumber(v) {
					kind = "number"
				}
			case bool:
				kind = "boolean"
			case float64:
				kind = "number"
			case []any:
				kind = "list"
			case map[string]any:
				kind = "object"
			}
			if types[name] == nil {
				types[name] = map[string]bool{}
			}
			counts[name]++
			types[name][kind] = true
		}
	}
	var out []insight.KnownColumn
	for name, n := range counts {
		c := insight.KnownColumn{Name: q.Contains + name, Type: "mixed", Uses: []string{"filter", "breakdown"}, Count: n}
		if types[name]["number"] {
			c.Uses = append(c.Uses, "math")
		}
		for kind := range types[name] {
			if len(types[name]) == 1 {
				c.Type = kind
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y insight.KnownColumn) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name))
	})
	return out
}

func isNumber(s string) bool { _, ok := numeric(s); return ok }

// testDiscoveryOfMany asks a project for whose write key somebody sends a flood of names: what
// is read is bounded, the answer says so, and what is sent often is still found.
func testDiscoveryOfMany(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := begin(t, open)
	p := &weir.Project{ID: "flood", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var rows []weir.EventRow
	for i := range 6000 {
		row := weir.EventRow{Seq: uint64(i + 1)}
		row.ID, row.ProjectID, row.Name, row.Time, row.ReceivedAt = fmt.Sprint(i), p.ID, fmt.Sprint("name ", i%1500), at.Add(time.Duration(i)*time.Second), at
		row.Properties = json.RawMessage(fmt.Sprintf(`{"plan":"pro","x%d":1,"y%d":2,"z%d":"a"}`, i, i, i))
		if i == 0 {
			row.Properties = json.RawMessage(`{"oldest":1}`)
		}
		rows = append(rows, row)
	}
	write(t, s, &cold.Batch{Token: "flood", Log: "flood", First: 1, Last: uint64(len(rows)), Now: at, Events: rows})
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	q := insight.Discovery{From: at.AddDate(0, 0, -1), To: at.AddDate(0, 0, 1), Limit: 3, Contains: "properties."}
	columns, err := e.Columns(t.Context(), p, q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !columns.Approximate.Approximate || columns.EventsRead != 5000 || !columns.More || len(columns.Columns) != 3 {
		t.Errorf("%+v", columns)
	}
	want := insight.KnownColumn{Name: "properties.plan", Type: "text", Uses: []string{"filter", "breakdown"}, Count: 5000}
	if diff := gocmp.Diff(want, columns.Columns[0]); diff != "" {
		t.Errorf("the property of each event (-want +insight):\n%s", diff)
	}
	q.Event, q.Contains = "name 0", "properties.old"
	if columns, err = e.Columns(t.Context(), p, q, 0); err != nil || len(columns.Columns) != 1 || columns.EventsRead != 4 || columns.Approximate.Approximate {
		t.Errorf("columns of one event: %+v, %v", columns, err)
	}
	q = insight.Discovery{From: q.From, To: q.To, Limit: 2, Hidden: map[string]bool{"name 0": true, "name 10": true}}
	names, err := e.Names(t.Context(), p, q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !names.More || len(names.Names) != 2 || names.Names[0].Name != "name 1" || names.Names[1].Name != "name 100" || names.Names[0].Count != 4 {
		t.Errorf("names without the hidden ones: %+v", names)
	}
	for name, bad := range map[string]insight.Discovery{"limit": {From: q.From, To: q.To, Limit: 1001}, "range": {From: q.To, To: q.From}, "text": {From: q.From, To: q.To, Contains: "\xff"}} {
		if _, err := e.Names(t.Context(), p, bad, 0); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("a wrong %s: %v, want EINVALID", name, err)
		}
	}
	if _, err := e.ColumnValues(t.Context(), p, "nothing", q, 0); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("values of an unknown column: %v, want EINVALID", err)
	}
}

// discovery asks for traits and their values.
func (o *traitOracle) discovery(t *testing.T, e *insight.Engine) {
	q := insight.Discovery{From: traitFrom, To: traitFrom.AddDate(0, 0, 1), People: true, Contains: "traits."}
	columns, err := e.Columns(t.Context(), o.h.project, q, 0)
	if err != nil {
		t.Fatal(err)
	}
	var want []insight.KnownColumn
	for _, trait := range append([]string{}, traitNames...) {
		who := map[string]bool{}
		for _, a := range o.h.asked {
			if a.trait == trait && (a.value != nil || a.op == "unset") {
				who[a.profile] = true
			}
		}
		want = append(want, insight.KnownColumn{Name: "traits." + trait, Type: "text", Uses: []string{"filter", "breakdown"}, Count: int64(len(who))})
	}
	slices.SortFunc(want, func(x, y insight.KnownColumn) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name))
	})
	if diff := gocmp.Diff(want, columns.Columns); diff != "" {
		t.Errorf("traits (-want +insight):\n%s", diff)
	}
	q.People = false
	if columns, err = e.Columns(t.Context(), o.h.project, q, 0); err != nil || len(columns.Columns) != 0 {
		t.Errorf("without people: %+v, %v", columns, err)
	}
	q.Contains = ""
	for _, trait := range traitNames {
		counts := map[string]int64{}
		for _, id := range o.ids() {
			if v, ok := o.text(id, trait); ok {
				counts[v]++
			}
		}
		values, err := e.ColumnValues(t.Context(), o.h.project, "traits."+trait, q, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, v := range values.Values {
			got[v.Value] = v.Count
		}
		if diff := gocmp.Diff(counts, got); diff != "" {
			t.Errorf("values of %s (-want +insight):\n%s", trait, diff)
		}
	}
}
