package cold_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestLinksAreThoseOfTheBatchAndWhatEventsSay(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	brought := weir.Link{ProjectID: "p", DeviceID: "d", ProfileID: "u", At: at}
	for name, tt := range map[string]struct {
		event weir.Event
		want  []weir.Link
	}{
		"an alias":                      {weir.Event{ProfileID: "u", DeviceID: "d", Properties: []byte(`{"$alias":"old"}`)}, []weir.Link{{DeviceID: "old", ProfileID: "u", Alias: true}, {DeviceID: "d", ProfileID: "u"}}},
		"an alias that is a number":     {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":17}`)}, []weir.Link{{DeviceID: "17", ProfileID: "u", Alias: true}, {ProfileID: "u"}}},
		"an alias of the device itself": {weir.Event{ProfileID: "u", DeviceID: "d", Properties: []byte(`{"$alias":"d"}`)}, []weir.Link{{DeviceID: "d", ProfileID: "u", Alias: true}, {DeviceID: "d", ProfileID: "u"}}},
		"an alias to oneself":           {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":"u"}`)}, []weir.Link{{ProfileID: "u"}}},
		"an illegal alias":              {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":"null"}`)}, []weir.Link{{ProfileID: "u"}}},
		"a server's":                    {weir.Event{ProfileID: "u"}, []weir.Link{{ProfileID: "u"}}},
		"a device's":                    {weir.Event{ProfileID: "u", DeviceID: "d"}, []weir.Link{{DeviceID: "d", ProfileID: "u"}}},
		"a device's, of any name":       {weir.Event{Name: "x", ProfileID: "u", DeviceID: "d"}, []weir.Link{{DeviceID: "d", ProfileID: "u"}}},
		"a server's, of any name":       {weir.Event{Name: "x", ProfileID: "u"}, []weir.Link{{DeviceID: "u"}}},
		"of nobody":                     {weir.Event{DeviceID: "d", Properties: []byte(`{"$alias":"old"}`)}, nil},
		"of an illegal profile":         {weir.Event{ProfileID: "undefined", Properties: []byte(`{"$alias":"old"}`)}, nil},
		"of another name":               {weir.Event{Name: "alias", ProfileID: "u", Properties: []byte(`{"$alias":"old"}`)}, []weir.Link{{DeviceID: "u"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.event.Name == "" {
				tt.event.Name = weir.NameIdentify
			}
			tt.event.ProjectID, tt.event.Time, tt.event.ReceivedAt = "p", at, at.Add(time.Second)
			want := []weir.Link{brought}
			for _, l := range tt.want {
				l.ProjectID, l.At, l.ReceivedAt = "p", at, at.Add(time.Second)
				want = append(want, l)
			}
			for _, l := range want[1:] { // an alias as often as it is said
				if l.Alias {
					want = append(want, l)
				}
			}
			// Room behind what the batch brings must not be written to.
			b := &cold.Batch{Links: append(make([]weir.Link, 0, 4), brought), Events: []weir.EventRow{{Event: tt.event}, {Event: tt.event}}}
			got := cold.Links(b)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if spare := b.Links[:2][1]; spare != (weir.Link{}) {
				t.Errorf("the batch's own links were written over: %+v", spare)
			}
		})
	}
}

func TestWhoWasErasedIsLinkedToNobody(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	gone := cold.Erasure{ProjectID: "p", ProfileID: "gone", Merged: []string{"former"}, Devices: []string{"d"}, At: at.Add(time.Hour)}
	known := cold.Erased{}
	known.Add(gone.Marks()...)
	identify := func(profile, alias string, at time.Time) weir.EventRow {
		return weir.EventRow{Event: weir.Event{
			ProjectID: "p", Name: weir.NameIdentify, ProfileID: profile, Properties: []byte(`{"$alias":"` + alias + `"}`), Time: at, ReceivedAt: at,
		}}
	}
	later := gone.At.Add(time.Minute)
	b := &cold.Batch{
		Events: []weir.EventRow{
			identify("gone", "a", at), identify("former", "b", at), identify("other", "gone", at), identify("other", "former", at),
			identify("other", "d", at), identify("other", "gone", later), identify("gone", "c", later),
		},
		Links: []weir.Link{
			{ProjectID: "p", DeviceID: "e", ProfileID: "gone", At: at},
			{ProjectID: "p", DeviceID: "former", At: at}, // a profile, of an event without a device
			{ProjectID: "p", DeviceID: "former", ProfileID: "other", At: at, Alias: true},
			{ProjectID: "p", DeviceID: "former", ProfileID: "other", At: at}, // a device of that name
		},
	}
	link := func(alias, profile string, at time.Time) weir.Link {
		return weir.Link{ProjectID: "p", DeviceID: alias, ProfileID: profile, At: at, ReceivedAt: at, Alias: true}
	}
	device := weir.Link{ProjectID: "p", DeviceID: "former", ProfileID: "other", At: at}
	identified := func(profile string, at time.Time) weir.Link {
		l := link("", profile, at)
		l.Alias = false
		return l
	}
	want := []weir.Link{
		device, identified("other", at), link("d", "other", at), link("gone", "other", later), link("c", "gone", later), identified("gone", later),
	}
	if d := cmp.Diff(want, known.Filter(b).Links); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff(cold.Links(b), (cold.Erased{}).Filter(b).Links); d != "" {
		t.Errorf("when nobody was erased (-want +got)\n%s", d)
	}
}

// The rows of two batches may be one's: links are a function of each event alone.
func TestLinksAreTheSameInWhateverBatchesEventsCome(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var events []weir.EventRow
	for i := range 2000 {
		e := weir.Event{ProjectID: "p", Name: "x", Time: time.UnixMicro(int64(r.IntN(500))), ReceivedAt: time.UnixMicro(int64(i))}
		e.DeviceID, e.ProfileID = fmt.Sprint("d", r.IntN(9)), fmt.Sprint("u", r.IntN(9))
		events = append(events, weir.EventRow{Event: e})
	}
	type pair struct{ device, profile string }
	since := func(size int, forget bool) map[pair]time.Time {
		out := map[pair]time.Time{}
		var memory cold.Linked
		rows := 0
		for some := range slices.Chunk(events, size) {
			if forget && r.IntN(3) == 0 {
				memory = cold.Linked{}
			}
			b := &cold.Batch{Events: some}
			b.Links = cold.Links(b)
			for _, l := range memory.New(b) {
				rows++
				if at, ok := out[pair{l.DeviceID, l.ProfileID}]; !ok || l.At.Before(at) {
					out[pair{l.DeviceID, l.ProfileID}] = l.At
				}
			}
			if r.IntN(2) == 0 { // else it failed, and came again
				memory.Keep()
			}
		}
		if size == 1 && !forget && rows > len(events)/2 {
			t.Errorf("%d rows of %d events: what is there is written again", rows, len(events))
		}
		return out
	}
	want := since(len(events), false)
	for _, size := range []int{1, 7, 300} {
		for _, forget := range []bool{false, true} {
			if d := cmp.Diff(want, since(size, forget)); d != "" {
				t.Errorf("batches of %d (-want +got)\n%s", size, d)
			}
		}
	}
}
