package coldtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func testTraits(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	s := begin(t, open)
	h := newHistory(rand.New(rand.NewPCG(7, 8)), p)
	h.write(t, s)
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	o := &traitOracle{h: h, values: map[[2]string]string{}, owners: map[string]string{}}
	if aliases, refused := o.aliasCounts(); aliases < 3 || refused < 3 {
		t.Fatalf("%d aliases count and %d do not: that shows nothing", aliases, refused)
	}
	t.Run("each profile's traits are what its changes make of them", func(t *testing.T) { o.profiles(t, e) })
	t.Run("profiles are listed, the one seen last first", func(t *testing.T) { o.list(t, e) })
	t.Run("events are counted by a trait of their persons", func(t *testing.T) { o.breakdowns(t, e) })
	t.Run("traits and their values are discovered", func(t *testing.T) { o.discovery(t, e) })
	t.Run("events are found by a trait of their persons", func(t *testing.T) { o.filters(t, e, p) })
}

// asking is one thing that an identify event asks for, as the oracle has it.
type asking struct {
	at      time.Time
	shard   int
	seq     uint64
	n       int // in its event
	profile string
	trait   string
	op      string // set once add unset
	value   any    // string, bool, nil, or millionths as int64
}

// history is a past in which devices in several shards say things about the same
// profiles, late and at the same times.
type history struct {
	project *weir.Project
	rows    [traitShards][]weir.EventRow
	links   []weir.Link
	visits  []weir.VisitRow
	asked   []asking
	size    int // events of a batch
}

const (
	traitShards   = 3
	traitProfiles = 12
	traitDevices  = 30
	traitFormers  = 9
)

var (
	traitNames = []string{"plan", "credits", "name", "it's \"odd\" ?", "日本"}
	traitFrom  = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

func newHistory(r *rand.Rand, p Part) *history {
	h := &history{project: &weir.Project{ID: "traits", Timezone: "UTC"}, size: 75}
	if p.Of > 1 && !long() { // each batch is several statements for each server
		h.size = 300
	}
	if err := h.project.Resolve(); err != nil {
		panic(err)
	}
	for range 900 {
		device := r.IntN(traitDevices)
		shard := device % traitShards
		row := weir.EventRow{Shard: shard, Seq: uint64(len(h.rows[shard]) + 1)}
		row.ProjectID, row.DeviceID = h.project.ID, fmt.Sprint("device-", device)
		// Few instants, so that many are the same; some before 1970, in any order.
		row.Time = traitFrom.Add(time.Duration(r.IntN(40)) * time.Hour)
		if r.IntN(20) == 0 {
			row.Time = time.UnixMicro(-int64(r.IntN(3)) * 1_000_000).UTC()
		}
		row.ReceivedAt = traitFrom.AddDate(0, 0, 3)
		row.ID = fmt.Sprintf("%08x", r.Uint32())
		row.Name = []string{weir.NameIdentify, weir.NameIdentify, weir.NameScreenView, "buy"}[r.IntN(4)]
		if r.IntN(3) > 0 {
			row.ProfileID = fmt.Sprint("user-", r.IntN(traitProfiles))
			h.links = append(h.links, weir.Link{ProjectID: h.project.ID, DeviceID: row.DeviceID, ProfileID: row.ProfileID, At: row.Time})
		}
		if row.Name != weir.NameIdentify && r.IntN(6) == 0 { // a server's, of a former id
			row.DeviceID, row.ProfileID = "", fmt.Sprint("former-", r.IntN(traitFormers))
		}
		if r.IntN(4) == 0 {
			row.Revenue, row.Currency = weir.Known(float64(r.IntN(5))), "EUR"
			if row.DeviceID == "" {
				h.rows[shard] = append(h.rows[shard], row)
				continue
			}
			h.visits = append(h.visits, weir.VisitRow{
				ProjectID: h.project.ID, DeviceID: row.DeviceID, SessionID: row.ID, ProfileID: row.ProfileID, Sign: 1, Version: 1,
				Start: row.Time, End: row.Time, Events: 1, ScreenViews: int64(len(h.visits) % 3),
			})
		}
		if row.Name == weir.NameIdentify {
			h.identify(r, &row)
		} else {
			row.Properties = json.RawMessage(`{"plan":"of an event that identifies nobody","$set":{"plan":"so"}}`)
		}
		h.rows[shard] = append(h.rows[shard], row)
	}
	return h
}

// identify fills in an event's properties, and notes what they ask for: what is set once,
// properties, $set, $add, $unset, names by their bytes.
func (h *history) identify(r *rand.Rand, row *weir.EventRow) {
	once, top, set, add, unset := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, []string{}
	for range r.IntN(4) {
		name := traitNames[r.IntN(len(traitNames))]
		switch r.IntN(9) {
		case 0, 1:
			once[name] = traitValue(r)
		case 2:
			top[name] = traitValue(r)
		case 3:
			set[name] = traitValue(r)
		case 4, 5, 6:
			add[name] = int64(r.IntN(4_000_001)-2_000_000) * []int64{1, 1, 1000, 1_000_000}[r.IntN(4)]
		case 7:
			unset = append(unset, name)
		}
	}
	properties := map[string]any{"$lib": "web", "$set_once": jsonOf(once), "$set": jsonOf(set), "$add": jsonOf(add), "$unset": unset}
	maps.Copy(properties, jsonOf(top))
	if r.IntN(4) == 0 {
		properties[weir.PropertyAlias] = []any{
			fmt.Sprint("former-", r.IntN(traitFormers)), fmt.Sprint("user-", r.IntN(traitProfiles)), fmt.Sprint("device-", r.IntN(traitDevices)), "none", row.ProfileID,
		}[r.IntN(5)]
	}
	var err error
	if row.Properties, err = json.Marshal(properties); err != nil {
		panic(err)
	}
	if row.ProfileID == "" {
		return
	}
	n := 0
	note := func(op, name string, value any) {
		h.asked = append(h.asked, asking{row.Time, row.Shard, row.Seq, n, row.ProfileID, name, op, value})
		n++
	}
	for _, part := range []struct {
		op     string
		values map[string]any
	}{{"once", once}, {"set", top}, {"set", set}, {"add", add}} {
		var names []string
		for name := range part.values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			note(part.op, name, part.values[name])
		}
	}
	for _, name := range unset {
		note("unset", name, nil)
	}
}

// traitValue is a string, true, nothing, or a number in millionths.
func traitValue(r *rand.Rand) any {
	switch r.IntN(6) {
	case 0:
		return true
	case 1:
		return nil
	case 2, 3:
		return int64(r.IntN(5)) * 500_000
	}
	return []string{"pro", "free", "", "12", "3.5", "it's", "用户"}[r.IntN(7)]
}

// jsonOf writes millionths as numbers.
func jsonOf(values map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range values {
		if m, ok := v.(int64); ok {
			v = json.RawMessage(plain(m))
		}
		out[name] = v
	}
	return out
}

// plain is a number of millionths, the long way.
func plain(m int64) string {
	s := fmt.Sprintf("%07d", max(m, -m))
	s = strings.TrimSuffix(strings.TrimRight(s[:len(s)-6]+"."+s[len(s)-6:], "0"), ".")
	if m < 0 {
		s = "-" + s
	}
	return s
}

// write drains the shards in turn, each in order, and some batches twice: as one that
// comes again, and as one whose writer does not know.
func (h *history) write(t *testing.T, s cold.Store) {
	t.Helper()
	size := h.size
	for first := 0; first < len(h.rows[0])+len(h.rows[1])+len(h.rows[2]); first += size {
		for shard, rows := range h.rows {
			if first >= len(rows) {
				continue
			}
			rows = rows[first:min(first+size, len(rows))]
			b := &cold.Batch{
				Token: fmt.Sprintf("traits-%d-%d", shard, first), Log: "traits", Shard: shard,
				First: rows[0].Seq, Last: rows[len(rows)-1].Seq, Now: time.Now().UTC().Truncate(time.Microsecond), Events: rows,
			}
			if first == 0 && shard == 0 {
				b.Links, b.Visits = h.links, h.visits
			}
			write(t, s, b)
			switch (first/size + shard) % 3 {
			case 0:
				again(t, s, b)
			case 1:
				write(t, s, b)
			}
			if first%(2*size) == 0 { // changes that are there already, as a copy brings them
				write(t, s, &cold.Batch{Token: b.Token + "-more", Log: "more", Shard: shard, First: b.First, Last: b.Last, Now: b.Now, Traits: cold.Traits(b)})
			}
		}
	}
}
