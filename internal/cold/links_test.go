package cold_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestLinksAreThoseOfTheBatchAndWhatIdentifyEventsSay(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	brought := weir.Link{ProjectID: "p", DeviceID: "d", ProfileID: "u", At: at}
	for name, tt := range map[string]struct {
		event weir.Event
		want  []weir.Link
	}{
		"an alias":                      {weir.Event{ProfileID: "u", DeviceID: "d", Properties: []byte(`{"$alias":"old"}`)}, []weir.Link{{DeviceID: "old", ProfileID: "u", Alias: true}}},
		"an alias that is a number":     {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":17}`)}, []weir.Link{{DeviceID: "17", ProfileID: "u", Alias: true}}},
		"an alias of the device itself": {weir.Event{ProfileID: "u", DeviceID: "d", Properties: []byte(`{"$alias":"d"}`)}, []weir.Link{{DeviceID: "d", ProfileID: "u", Alias: true}}},
		"an alias to oneself":           {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":"u"}`)}, []weir.Link{{ProfileID: "u"}}},
		"an illegal alias":              {weir.Event{ProfileID: "u", Properties: []byte(`{"$alias":"null"}`)}, []weir.Link{{ProfileID: "u"}}},
		"a server's":                    {weir.Event{ProfileID: "u"}, []weir.Link{{ProfileID: "u"}}},
		"a device's":                    {weir.Event{ProfileID: "u", DeviceID: "d"}, nil},
		"of nobody":                     {weir.Event{DeviceID: "d", Properties: []byte(`{"$alias":"old"}`)}, nil},
		"of an illegal profile":         {weir.Event{ProfileID: "undefined", Properties: []byte(`{"$alias":"old"}`)}, nil},
		"of another name":               {weir.Event{Name: "alias", ProfileID: "u", Properties: []byte(`{"$alias":"old"}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.event.Name == "" {
				tt.event.Name = weir.NameIdentify
			}
			tt.event.ProjectID, tt.event.Time = "p", at
			for i := range tt.want {
				tt.want[i].ProjectID, tt.want[i].At = "p", at
			}
			// Room behind what the batch brings must not be written to.
			b := &cold.Batch{Links: append(make([]weir.Link, 0, 4), brought), Events: []weir.EventRow{{Event: tt.event}, {Event: tt.event}}}
			got := cold.Links(b)
			if d := cmp.Diff(append(append([]weir.Link{brought}, tt.want...), tt.want...), got); d != "" {
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
			{ProjectID: "p", DeviceID: "former", ProfileID: "other", At: at, Alias: true},
			{ProjectID: "p", DeviceID: "former", ProfileID: "other", At: at}, // a device of that name
		},
	}
	link := func(alias, profile string, at time.Time) weir.Link {
		return weir.Link{ProjectID: "p", DeviceID: alias, ProfileID: profile, At: at, Alias: true}
	}
	device := link("former", "other", at)
	device.Alias = false
	want := []weir.Link{device, link("d", "other", at), link("gone", "other", later), link("c", "gone", later)}
	if d := cmp.Diff(want, known.Filter(b).Links); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if d := cmp.Diff(cold.Links(b), (cold.Erased{}).Filter(b).Links); d != "" {
		t.Errorf("when nobody was erased (-want +got)\n%s", d)
	}
}
