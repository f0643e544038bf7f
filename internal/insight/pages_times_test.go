package insight_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// closedBy is a leave of the view after so long.
func closedBy(v weir.EventRow, after time.Duration) weir.EventRow {
	leave := weir.EventRow{Event: weir.Event{ID: v.ID + " leave", Name: weir.NameScreenLeave, DeviceID: v.DeviceID, Path: v.Path, Time: v.Time.Add(after)}}
	leave.ClosesEventID, leave.ClosesPath, leave.ClosesMS = v.ID, v.Path, after.Milliseconds()
	return leave
}

// The view's time decides about the range, and not that of the event that closes it, to the
// microsecond. So do the view's columns about a filter and about bots.
func TestPageTimeBelongsToTheView(t *testing.T) {
	from := time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 2)
	var rows []weir.EventRow
	for i, at := range []time.Time{from.Add(-time.Microsecond), from, to.Add(-time.Microsecond), to} {
		v := view("d", fmt.Sprint("/", i), 0)
		v.Time, v.UTMMedium, v.Bot = at, "email", i == 2
		rows = append(rows, v, closedBy(v, time.Hour+999*time.Microsecond))
	}
	long := view("d2", "/long", 1)
	rows = append(rows, long, closedBy(long, 24*time.Hour)) // nothing closed it in time
	e := newEngine(t, &barrier{}, rows...)
	for name, c := range map[string]struct {
		filter weir.Filter
		bots   weir.Bots
		want   map[string]float64
	}{
		"all":                 {nil, weir.BotsIn, map[string]float64{"/1": 3600_000, "/2": 3600_000, "/long": 0}},
		"without bots":        {nil, weir.BotsOut, map[string]float64{"/1": 3600_000, "/long": 0}},
		"by a medium":         {weir.Filter{{Column: "utm_medium", Op: "=", Values: []string{"email"}}}, weir.BotsIn, map[string]float64{"/1": 3600_000, "/2": 3600_000}},
		"by the event's name": {weir.Filter{{Column: "name", Op: "=", Values: []string{weir.NameScreenView}}}, weir.BotsOut, map[string]float64{"/1": 3600_000, "/long": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			q := dayPages()
			q.Filter, q.Bots = c.filter, c.bots
			a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Pages) != len(c.want) {
				t.Fatalf("%d pages, want %d", len(a.Pages), len(c.want))
			}
			for _, p := range a.Pages {
				var got float64
				if p.PageTime != nil {
					got = *p.PageTime
				}
				if got != c.want[p.Path] {
					t.Errorf("%s: %v ms, want %v", p.Path, got, c.want[p.Path])
				}
			}
		})
	}
}

func TestVisitsWithoutAViewAreNoneOfThePages(t *testing.T) {
	rows := []weir.EventRow{view("d", "/a", 1)}
	for i := range 9 {
		server := view(fmt.Sprint("server's ", i), "", 1)
		server.Name = "paid"
		rows = append(rows, server)
	}
	e := newEngine(t, &barrier{}, rows...)
	a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), dayPages(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if v := a.Totals; v.Visits != 1 || v.VisitDuration == nil || *v.VisitDuration != 5000 {
		t.Fatalf("%+v", v)
	}
}
