package insight_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/insight"
)

// barrier counts its flushes.
type barrier struct {
	asOf    time.Time
	flushed int
	err     error
}

func (b *barrier) Flush(context.Context) (time.Time, error) {
	b.flushed++
	return noon, b.err
}

func (b *barrier) AsOf() time.Time { return b.asOf }

// noon is what the clock says.
var noon = time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC)

func berlin(t testing.TB) *weir.Project {
	t.Helper()
	p := &weir.Project{ID: "p", Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	return p
}

func newEngine(t testing.TB, b *barrier, rows ...weir.EventRow) *insight.Engine {
	t.Helper()
	return insight.New(newStore(t, rows...), b, func() time.Time { return noon }, insight.Options{})
}

// newStore is a cold tier that holds rows of the project p.
func newStore(t testing.TB, rows ...weir.EventRow) cold.Store {
	t.Helper()
	s, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	batch := &cold.Batch{Token: "t", Now: noon, Events: rows}
	visits := map[string]weir.VisitRow{} // one of each device
	for i := range rows {
		r := &rows[i]
		r.ProjectID, r.Seq, r.ReceivedAt = "p", uint64(i+1), r.Time
		v, ok := visits[r.DeviceID]
		if ok {
			v.Sign = -1
			batch.Visits = append(batch.Visits, v)
		} else {
			v = weir.VisitRow{ProjectID: "p", DeviceID: r.DeviceID, SessionID: r.DeviceID, Start: r.Time, Entry: r.Path, EntryAt: r.Time}
		}
		v.Sign, v.Version, v.End, v.Exit, v.ExitAt = 1, v.Version+1, r.Time.Add(5*time.Second), r.Path, r.Time
		v.Events++
		if r.IsScreenView() {
			v.ScreenViews++
		}
		visits[r.DeviceID] = v
		batch.Visits = append(batch.Visits, v)
	}
	if err := s.Write(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	return s
}

// view is a screen view of a device, hours after the first of January in Berlin.
func view(device, path string, hours float64) weir.EventRow {
	at := time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC).Add(time.Duration(hours * float64(time.Hour)))
	return weir.EventRow{Event: weir.Event{ID: device + path, Name: weir.NameScreenView, DeviceID: device, Path: path, Time: at}}
}

func rows() []weir.EventRow {
	a, b, c := view("d1", "/a", 1), view("d2", "/a", 30), view("d2", "/b", 31)
	a.Country, b.Country = "DE", "other"
	a.Properties = json.RawMessage(`{"price":10}`)
	c.Properties = json.RawMessage(`{"price":"cheap"}`)
	c.ClosesEventID, c.ClosesPath, c.ClosesMS = b.ID, "/a", 3600_000
	return []weir.EventRow{a, b, c}
}

func dayQuery(series ...weir.Series) weir.Trend {
	from := time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC)
	return weir.Trend{Common: weir.Common{From: from, To: from.AddDate(0, 0, 2), Interval: weir.Day}, Series: series}
}

// dayPages are the pages of the same days.
func dayPages() weir.Pages { return weir.Pages{Common: dayQuery().Common} }

// sameJSON compares an answer with what it should be in JSON.
func sameJSON(t *testing.T, answer any, want string) {
	t.Helper()
	b, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATrendIsWrittenInTheProjectsTimezone(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathUnique}, weir.Series{Event: "screen_view", Math: weir.MathAvg, Property: "properties.price"}), 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, `{"series":[
{"event":"","math":"unique","total":2,
 "points":[{"time":"2026-01-01T00:00:00+01:00","value":1},{"time":"2026-01-02T00:00:00+01:00","value":1}]},
{"event":"screen_view","math":"avg","property":"properties.price","total":10,"ignored":1,
 "points":[{"time":"2026-01-01T00:00:00+01:00","value":10},{"time":"2026-01-02T00:00:00+01:00","value":null}]}],
"kind":"trend","bots_left_out":0,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

func TestBreakdownDistinguishesNullTheValueOtherAndTheRest(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	q := dayQuery(weir.Series{Math: weir.MathTotal})
	q.Breakdown, q.Interval, q.Compare = "country", weir.Month, weir.ComparePrevious
	point := `"points":[{"time":"2026-01-01T00:00:00+01:00","value":1}],"total":1,
"compare":{"from":"2025-12-30T00:00:00+01:00","to":"2026-01-01T00:00:00+01:00","points":[{"time":"2025-12-30T00:00:00+01:00","value":0}],"total":0}`
	all := `{"series":[
{"event":"","math":"total","breakdown":"DE",` + point + `},
{"event":"","math":"total","breakdown":"other",` + point + `},
{"event":"","math":"total","breakdown":null,` + point + `}],
"kind":"trend","as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`
	a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, all)
	q.Limit = 2
	if a, err = insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, strings.Replace(all, `"breakdown":null`, `"breakdown":"other","other":true`, 1))
}

func TestPagesAreWrittenWithTheirTotals(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	q := dayPages()
	a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, `{"pages":[
{"path":"/a","views":2,"visitors":2,"page_time_ms":3600000,"entries":2,"exits":1,"bounce_rate":0.5},
{"path":"/b","views":1,"visitors":1,"page_time_ms":null,"entries":0,"exits":1,"bounce_rate":null}],
"totals":{"views":3,"visitors":2,"visits":2,"bounce_rate":0.5,"visit_duration_ms":1805000},
"kind":"pages","bots_left_out":0,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
	q.From, q.To = q.To, q.To.AddDate(0, 0, 1)
	if a, err = insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, `{"pages":[],"totals":{"views":0,"visitors":0,"visits":0,"bounce_rate":null,"visit_duration_ms":null},
"kind":"pages","bots_left_out":0,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

func TestPagesWithoutNumberCountTheirVisitors(t *testing.T) {
	const pages = 300
	var events []weir.EventRow
	for i := range pages {
		for d := range 1 + i%4 { // d0 is on all of them
			events = append(events, view(fmt.Sprint("d", d), fmt.Sprint("/", i), float64(i)/100))
		}
	}
	e := newEngine(t, &barrier{}, events...)
	q := dayPages()
	q.Limit = 1000
	a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Pages) != pages || a.Totals.Visitors != 4 || a.Totals.Views != int64(len(events)) {
		t.Errorf("%d pages, %+v", len(a.Pages), a.Totals)
	}
	for _, p := range a.Pages {
		var i int64
		if _, err := fmt.Sscanf(p.Path, "/%d", &i); err != nil || p.Visitors != 1+i%4 || p.Views != p.Visitors {
			t.Errorf("%+v, %v", p, err)
		}
	}
}

func TestEventsAreWrittenNewestFirstWithTheirDuration(t *testing.T) {
	call := view("d3", "", 40)
	call.ID, call.Name, call.Path = "c", weir.NameCall, ""
	call.Call = &weir.Call{Method: "GET", Route: "/v1", Status: 200, LatencyMS: weir.Known(1.5)}
	e := newEngine(t, &barrier{}, append(rows()[1:], call)...)
	a, err := e.Events(t.Context(), berlin(t), insight.EventsQuery{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, `{"events":[
{"id":"c","name":"api_call","ts":"2026-01-02T16:00:00+01:00","received_at":"2026-01-02T16:00:00+01:00","device_id":"d3",
 "call":{"method":"GET","route":"/v1","status":200,"latency_ms":1.5}},
{"id":"d2/b","name":"screen_view","ts":"2026-01-02T07:00:00+01:00","received_at":"2026-01-02T07:00:00+01:00","device_id":"d2","path":"/b",
 "properties":{"price":"cheap"},"closes_event_id":"d2/a"},
{"id":"d2/a","name":"screen_view","ts":"2026-01-02T06:00:00+01:00","received_at":"2026-01-02T06:00:00+01:00","device_id":"d2","path":"/a",
 "country":"other","duration_ms":3600000}],
"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

func TestAFreshnessSparesTheBarrierWhileTheColdTierIsNotFurtherBehind(t *testing.T) {
	for _, tt := range []struct {
		name      string
		behind    time.Duration // 0: nothing was ever complete
		freshness time.Duration
		flushes   int
	}{
		{"none asked for", time.Second, 0, 1},
		{"less behind", time.Minute, 2 * time.Minute, 0},
		{"exactly as far behind", time.Minute, time.Minute, 0},
		{"further behind", time.Minute, 30 * time.Second, 1},
		{"nothing complete yet", 0, 24 * time.Hour, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &barrier{}
			if tt.behind > 0 {
				b.asOf = noon.Add(-tt.behind)
			}
			e := newEngine(t, b)
			a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), tt.freshness)
			if err != nil {
				t.Fatal(err)
			}
			want := noon
			if tt.flushes == 0 {
				want = b.asOf
			}
			if b.flushed != tt.flushes || !a.AsOf.Equal(want) {
				t.Errorf("%d flushes, as of %v; want %d, %v", b.flushed, a.AsOf, tt.flushes, want)
			}
		})
	}
}

func TestAQueryThatIsNotAllowedDoesNotWaitForTheBarrier(t *testing.T) {
	b := &barrier{}
	e := newEngine(t, b)
	if _, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), weir.Trend{}, 0); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("error %v, want EINVALID", err)
	}
	if b.flushed != 0 {
		t.Error("flushed")
	}
}

func TestABarrierThatFailsFailsTheQuery(t *testing.T) {
	b := &barrier{err: weir.Errorf(weir.EUNAVAILABLE, "the hot tier is down")}
	e := newEngine(t, b)
	ctx, p := t.Context(), berlin(t)
	pages := dayPages()
	_, trend := insight.Ask[insight.Trend](ctx, e, p, dayQuery(weir.Series{Math: weir.MathTotal}), 0)
	_, page := insight.Ask[insight.Pages](ctx, e, p, pages, 0)
	_, events := e.Events(ctx, p, insight.EventsQuery{}, 0)
	for name, err := range map[string]error{"trend": trend, "pages": page, "events": events} {
		if weir.ErrorCode(err) != weir.EUNAVAILABLE {
			t.Errorf("%s: error %v, want EUNAVAILABLE", name, err)
		}
	}
}

func TestACancelledQueryEnds(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := insight.Ask[insight.Trend](ctx, e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
}

func TestAStatementThatTakesTooLongIsGivenUp(t *testing.T) {
	s, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	e := insight.New(s, always{}, nil, insight.Options{MaxTime: time.Nanosecond})
	_, err = insight.Ask[insight.Trend](t.Context(), e, p, weir.Trend{Common: weir.Common{From: time.Unix(0, 0), To: time.Unix(3600, 0), Interval: weir.Hour}, Series: []weir.Series{{Math: weir.MathTotal}}}, 0)
	if weir.ErrorCode(err) != weir.EUNAVAILABLE || !strings.Contains(weir.ErrorMessage(err), "takes too long") {
		t.Errorf("%v, want EUNAVAILABLE", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = insight.Ask[insight.Trend](ctx, e, p, weir.Trend{Common: weir.Common{From: time.Unix(0, 0), To: time.Unix(3600, 0), Interval: weir.Hour}, Series: []weir.Series{{Math: weir.MathTotal}}}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
}

// always is a barrier that nobody waits at.
type always struct{}

func (always) Flush(context.Context) (time.Time, error) { return time.Now(), nil }
func (always) AsOf() time.Time                          { return time.Now() }
