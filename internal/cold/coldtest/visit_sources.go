package coldtest

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/visit"
)

// testVisitSources asks where the visitors of three visits came from: one came by mail and
// returned from a payment page, one by a search whose first view arrived last, and one
// event is in no visit.
func testVisitSources(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := begin(t, open)
	p := &weir.Project{ID: "sources", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	minute := func(m int) time.Time { return start.Add(time.Duration(m) * time.Minute) }
	mail := weir.Event{Channel: weir.ChannelEmail, UTMSource: "news", UTMMedium: "email", UTMCampaign: "c1"}
	pay := weir.Event{Channel: weir.ChannelReferral, Referrer: "checkout.stripe.com"}
	search := weir.Event{Channel: weir.ChannelSearch, Referrer: "google.com"}
	direct := weir.Event{Channel: weir.ChannelDirect}
	event := func(id, device, name string, at int, e weir.Event) weir.EventRow {
		e.ID, e.ProjectID, e.DeviceID, e.Name, e.Time, e.ReceivedAt, e.Path = id, p.ID, device, name, minute(at), minute(at), "/"
		if name == "purchase" {
			e.Revenue, e.Currency = weir.Known(10.0), "EUR"
		}
		return weir.EventRow{Event: e}
	}
	batches := [][]weir.EventRow{
		{
			event("1", "a", weir.NameScreenView, 0, mail), event("2", "a", weir.NameScreenView, 5, pay), event("3", "a", "purchase", 5, pay),
			event("4", "b", "purchase", 3, direct), event("5", "", "purchase", 3, direct),
		},
		{event("6", "b", weir.NameScreenView, 0, search)},
	}
	states := visit.Open{}
	seq := uint64(0)
	for i, rows := range batches {
		for j := range rows {
			seq++
			rows[j].Seq = seq
		}
		folded := visit.Folder{LogID: "log"}.Fold(states, rows, minute(10), nil)
		maps.Copy(states, folded.Changed)
		write(t, s, &cold.Batch{Token: string(rune('a' + i)), Log: "log", First: rows[0].Seq, Last: seq, Now: minute(10), Events: rows, Visits: folded.Visits})
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	common := weir.Common{From: start, To: start.Add(24 * time.Hour), Interval: weir.Day}
	purchases := weir.Series{Event: "purchase", Math: weir.MathSum, Property: "revenue"}

	for column, want := range map[string]map[string]float64{
		"channel":       {"email": 10, "search": 10, "direct": 10},
		"visit.channel": {"email": 10, "search": 10, "direct": 10},
		"event_channel": {"referral": 10, "direct": 20},
		"utm_campaign":  {"c1": 10, "": 20},
		"referrer":      {"google.com": 10, "": 20},
	} {
		got := map[string]float64{}
		a, err := e.Ask(t.Context(), p, weir.Trend{Common: common, Series: []weir.Series{purchases}, Breakdown: column}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range a.(*insight.Trend).Series {
			got[line.Breakdown.Value] = *line.Total
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("revenue by %s (-want +got):\n%s", column, d)
		}
	}
	for channel, want := range map[string]insight.PageTotals{"email": {Views: 2, Visitors: 1, Visits: 1}, "search": {Views: 1, Visitors: 1, Visits: 1}, "referral": {}} {
		q := weir.Pages{Common: common}
		q.Filter = weir.Filter{{Column: "channel", Op: "=", Values: []string{channel}}}
		a, err := e.Ask(t.Context(), p, q, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := a.(*insight.Pages).Totals
		if d := cmp.Diff(want, insight.PageTotals{Views: got.Views, Visitors: got.Visitors, Visits: got.Visits}); d != "" {
			t.Errorf("pages of %s (-want +got):\n%s", channel, d)
		}
	}
	page, err := e.Events(t.Context(), p, insight.EventsQuery{Filter: weir.Filter{{Column: "utm_campaign", Op: "=", Values: []string{"c1"}}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, it := range page.Events {
		got[it.ID] = [2]string{it.Channel, it.EventChannel}
	}
	if d := cmp.Diff(map[string][2]string{"1": {"email", "email"}, "2": {"email", "referral"}, "3": {"email", "referral"}}, got); d != "" {
		t.Errorf("the events of campaign c1, by the channels of visit and event (-want +got):\n%s", d)
	}
}
