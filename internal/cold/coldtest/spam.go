package coldtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/visit"
)

// testReferrerSpam asks about two people and three devices whose referrer is spam: people's
// numbers leave these out and say how many, numbers of events have them.
func testReferrerSpam(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := begin(t, open)
	p := &weir.Project{ID: "spam", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	enricher, err := enrich.New(enrich.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer enricher.Close()
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	var rows []weir.EventRow
	for i, referrer := range []string{"https://google.com/", "", "https://semalt.com/", "https://semalt.semalt.com/", "https://www.trafficbot.life/buy"} {
		in := weir.Incoming{
			Event:  weir.Event{ID: string(rune('1' + i)), ProjectID: p.ID, DeviceID: string(rune('a' + i)), Name: weir.NameScreenView, Time: start, ReceivedAt: start},
			Source: weir.Source{URL: "https://shop.example/", Referrer: referrer},
		}
		enricher.Apply(&in, nil)
		rows = append(rows, weir.EventRow{Event: in.Event, Seq: uint64(i + 1)})
	}
	folded := visit.Folder{LogID: "log"}.Fold(visit.Open{}, rows, start, nil)
	write(t, s, &cold.Batch{Token: "a", Log: "log", First: 1, Last: uint64(len(rows)), Now: start, Events: rows, Visits: folded.Visits})

	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	common := weir.Common{From: start, To: start.Add(24 * time.Hour), Interval: weir.Day}
	a, err := e.Ask(t.Context(), p, weir.Pages{Common: common}, 0)
	if err != nil {
		t.Fatal(err)
	}
	pages := a.(*insight.Pages)
	if got := pages.Totals; got.Views != 2 || got.Visitors != 2 || got.Visits != 2 || pages.BotsLeftOut == nil || *pages.BotsLeftOut != 3 {
		t.Errorf("pages: %+v, %v bots left out; want 2 views, visitors and visits, 3 left out", got, pages.BotsLeftOut)
	}
	for bots, want := range map[weir.Bots]map[string]float64{
		weir.BotsOut:  {weir.ChannelSearch: 1, weir.ChannelDirect: 1},
		weir.BotsOnly: {weir.ChannelSpam: 3},
		weir.BotsIn:   {weir.ChannelSearch: 1, weir.ChannelDirect: 1, weir.ChannelSpam: 3},
	} {
		common.Bots = bots
		a, err := e.Ask(t.Context(), p, weir.Trend{Common: common, Series: []weir.Series{{Math: weir.MathTotal}}, Breakdown: "channel"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, line := range a.(*insight.Trend).Series {
			got[line.Breakdown.Value] = *line.Total
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("events by channel with bots %q (-want +got):\n%s", bots, d)
		}
	}
}
