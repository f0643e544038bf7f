package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
)

func TestAnAcceptedEventIsDurableAndCounted(t *testing.T) {
	r := newRig(t)
	e := r.sent(`{"id":"a","name":"signup","ts":"2026-03-14T09:59:00Z","properties":{"plan":"pro"}}`, browser)
	e.DeviceID, e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType = "", "", "", "", "", ""
	want := weir.Event{
		ID: "a", ProjectID: "p", Name: "signup", Properties: []byte(`{"plan":"pro"}`),
		Time: r.now.Add(-time.Minute), ReceivedAt: r.now, Roams: true,
	}
	if d := cmp.Diff(want, e); d != "" {
		t.Fatal(d)
	}
	points, err := r.store.Series(t.Context(), "p", hot.Minute, hot.Name, "signup", r.now.Add(-time.Hour), r.now)
	if d := cmp.Diff([]hot.Point{{Start: want.Time, Count: 1}}, points); d != "" || err != nil {
		t.Fatal(d, err)
	}
}

func TestAnIDIsMadeForAnEventWithoutOne(t *testing.T) {
	r := newRig(t)
	if reply := r.send(`[{"name":"x"},{"name":"x"},{"name":"x"}]`, browser); reply.Accepted != 3 || reply.Duplicates != 0 {
		t.Fatalf("%+v", reply)
	}
	id, err := uuid.Parse(r.last().ID)
	if err != nil || id.Version() != 7 {
		t.Fatalf("id %q: version %d (%v), want a UUIDv7", r.last().ID, id.Version(), err)
	}
}

func TestAnIDCountsOnceWithinARequestAndAcrossRequests(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 0, 30, 0, 0, time.UTC)
	got := r.send(`[{"id":"a","name":"x"},{"id":"b","name":"x"},{"id":"a","name":"x"}]`, browser)
	if d := cmp.Diff(ingest.Reply{Accepted: 2, Duplicates: 1}, got); d != "" {
		t.Fatal(d)
	}
	r.now = r.now.Add(23 * time.Hour)
	got = r.send(`[{"id":"b","name":"x"},{"id":"c","name":"x"}]`, browser)
	if d := cmp.Diff(ingest.Reply{Accepted: 1, Duplicates: 1}, got); d != "" {
		t.Fatal(d)
	}
	if n := r.stored(); n != 3 {
		t.Fatalf("%d events are stored", n)
	}
	if a, d := r.metric("weir_events_accepted_total", ""), r.metric("weir_events_duplicate_total", ""); a != 3 || d != 2 {
		t.Fatalf("metrics say %v accepted and %v duplicates", a, d)
	}
}

// An id belongs to whom the client names, not to the device that its address gives it.
func TestSameIDFromAnotherDeviceIsAnotherEvent(t *testing.T) {
	r := newRig(t)
	r.now = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	elsewhere := ingest.Remote{IP: "192.0.2.99", UserAgent: browser.UserAgent}
	for _, c := range []struct {
		what, body string
		from       ingest.Remote
		accepted   int
	}{
		{"the first", `{"id":"a","name":"x"}`, browser, 1},
		{"the same again", `{"id":"a","name":"x"}`, browser, 0},
		{"from another address", `{"id":"a","name":"x"}`, elsewhere, 0},
		{"of a device that is named", `{"id":"a","name":"x","device_id":"d"}`, browser, 1},
		{"of the same, from another address", `{"id":"a","name":"x","device_id":"d"}`, elsewhere, 0},
		{"of a session that is named", `{"id":"a","name":"x","session_id":"s"}`, browser, 1},
		{"of the same, from another address", `{"id":"a","name":"x","session_id":"s"}`, elsewhere, 0},
		{"of another session", `{"id":"a","name":"x","session_id":"s2"}`, browser, 1},
		{"of a profile that is named", `{"id":"a","name":"x","profile_id":"u"}`, browser, 1},
		{"of the same, from another address", `{"id":"a","name":"x","profile_id":"u"}`, elsewhere, 0},
		{"of an address that the event names", `{"id":"a","name":"x","ip":"192.0.2.3","user_agent":"a"}`, browser, 1},
		{"of the same, from another address", `{"id":"a","name":"x","ip":"192.0.2.3","user_agent":"a"}`, elsewhere, 0},
	} {
		if reply := r.send(c.body, c.from); reply.Accepted != c.accepted {
			t.Errorf("%s: %+v, want %d accepted", c.what, reply, c.accepted)
		}
	}
}

func TestSameIDInAnotherProjectIsAnotherEvent(t *testing.T) {
	r := newRig(t)
	r.send(`{"id":"a","name":"x"}`, browser)
	other := *r.project
	other.ID = "q"
	r.project = &other
	if reply := r.send(`{"id":"a","name":"x"}`, browser); reply.Accepted != 1 {
		t.Fatalf("%+v", reply)
	}
}

func TestARejectedEventHoldsNobodyUpAndIsCountedByReason(t *testing.T) {
	r := newRig(t)
	got := r.send(`[{"name":"x"},{"name":""},{"name":"x"},{"name":"y","ts":"1999-01-01T00:00:00Z"},{"path":"/"}]`, browser)
	if got.Accepted != 2 || len(got.Rejected) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []weir.Rejection{
		{Index: 1, Reason: "name_missing"}, {Index: 3, Reason: "ts_ancient"}, {Index: 4, Reason: "name_missing"},
	} {
		if j := got.Rejected[i]; j.Index != want.Index || j.Reason != want.Reason {
			t.Errorf("%+v, want %+v", j, want)
		}
	}
	for reason, want := range map[string]float64{"name_missing": 2, "ts_ancient": 1, "nul_byte": 0} {
		if n := r.metric("weir_events_rejected_total", reason); n != want {
			t.Errorf("%s: %v, want %v", reason, n, want)
		}
	}
}

func TestABodyThatIsWrongAsAWholeStoresNothingAndIsCounted(t *testing.T) {
	for _, c := range []struct{ body, encoding, code string }{
		{`[{"name":"x"},`, "", weir.EINVALID},
		{`{"name":"x"}`, "compress", weir.EUNSUPPORTED},
		{strings.Repeat(" ", 101<<20), "", weir.ETOOLARGE},
	} {
		r := newRig(t)
		_, err := r.Ingest(t.Context(), r.project, strings.NewReader(c.body), c.encoding, browser)
		if weir.ErrorCode(err) != c.code {
			t.Errorf("%.20q: %v, want %s", c.body, err, c.code)
		}
		if n := r.metric("weir_ingest_requests_refused_total", c.code); n != 1 || r.log.calls != 0 {
			t.Errorf("%.20q: %v refusals counted, %d appends", c.body, n, r.log.calls)
		}
	}
}

// A number beyond 64 bits is stored two bytes longer than it is sent.
func TestAnEventIsAtMostTheLargestRecordOfTheLog(t *testing.T) {
	r := newRig(t)
	event := func(numbers int) string {
		return `{"name":"a","properties":{"a":[9` + strings.Repeat(",99999999999999999999", numbers) + `]}}`
	}
	reply := r.send("["+event(48_000)+`,`+event(49_900)+`,{"name":"b"}]`, browser)
	if len(event(49_900)) > wire.DefaultLimits().Event {
		t.Fatal("the event is too large as it is sent")
	}
	if reply.Accepted != 2 || len(reply.Rejected) != 1 || reply.Rejected[0].Index != 1 || reply.Rejected[0].Reason != wire.ReasonTooLarge {
		t.Errorf("%d accepted, %+v", reply.Accepted, reply.Rejected)
	}
	if got := r.metric("weir_events_rejected_total", wire.ReasonTooLarge); got != 1 {
		t.Errorf("%v counted", got)
	}
	events := r.newest(3)
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	for _, e := range events {
		if n := hot.RecordSize(&e); n > hot.MaxRecord {
			t.Errorf("a record of %d bytes", n)
		}
	}
}

func TestARequestWithoutEventsAsksNothingOfTheLog(t *testing.T) {
	r := newRig(t)
	if got := r.send(`[]`, browser); got.Accepted+got.Duplicates+len(got.Rejected) != 0 || r.log.calls != 0 {
		t.Fatalf("%+v, %d appends", got, r.log.calls)
	}
}

func TestAnEventThatCannotBeStoredIsForTheSenderToKeep(t *testing.T) {
	for _, c := range []struct {
		err  error
		says string
	}{
		{fmt.Errorf("%w: 3 MiB left", hot.ErrFull), "no room"},
		{context.DeadlineExceeded, "cancelled"},
		{hot.ErrClosed, "could not be stored"},
		{errors.New("input/output error"), "could not be stored"},
	} {
		r := newRig(t)
		r.feed.watching = true
		r.log.fail = c.err
		_, err := r.Ingest(t.Context(), r.project, strings.NewReader(`[{"name":"x"},{"ts":1}]`), "", browser)
		if weir.ErrorCode(err) != weir.EUNAVAILABLE || !strings.Contains(weir.ErrorMessage(err), c.says) {
			t.Errorf("%v: %v", c.err, err)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%v: the cause is lost: %v", c.err, err)
		}
		if strings.Contains(weir.ErrorMessage(err), "MiB") || strings.Contains(weir.ErrorMessage(err), "output") {
			t.Errorf("%v: a client may read %q", c.err, weir.ErrorMessage(err))
		}
		if n := r.metric("weir_ingest_requests_refused_total", weir.EUNAVAILABLE); n != 1 {
			t.Errorf("%v: %v refusals counted", c.err, n)
		}
		if n := r.metric("weir_events_accepted_total", ""); n != 0 || len(r.feed.names) != 0 {
			t.Errorf("%v: %v events accepted, %q told", c.err, n, r.feed.names)
		}
	}
}

func TestThoseWhoWatchAreToldOfAcceptedEventsAlone(t *testing.T) {
	r := newRig(t)
	r.feed.watching = true
	r.send(`{"id":"1","name":"one"}`, browser)
	r.send(`[{"id":"1","name":"again"},{"id":"2","name":"two"},{"name":""},{"id":"2","name":"again"},{"id":"3","name":"three"}]`, browser)
	if d := cmp.Diff([]string{"one", "two", "three"}, r.feed.names); d != "" {
		t.Fatal(d)
	}
}

func TestNobodyIsToldWhenNobodyWatches(t *testing.T) {
	r := newRig(t)
	r.send(`{"name":"x"}`, browser)
	if len(r.feed.names) != 0 {
		t.Fatalf("told of %q", r.feed.names)
	}
}

func TestAnAddressIsStoredOnlyWhereTheProjectAsks(t *testing.T) {
	for _, c := range []struct {
		keep             bool
		body, properties string
	}{
		{false, `{"name":"x"}`, ``},
		{false, `{"name":"x","ip":"198.51.100.9","properties":{"a":1}}`, `{"a":1}`},
		{true, `{"name":"x"}`, `{"ip":"192.0.2.7"}`},
		{true, `{"name":"x","properties":{"a":1}}`, `{"ip":"192.0.2.7","a":1}`},
		{true, `{"name":"x","properties":{"ip":"mine"}}`, `{"ip":"mine"}`},
		{true, `{"name":"x","properties":{"IP":"another key"}}`, `{"ip":"192.0.2.7","IP":"another key"}`},
		{true, `{"name":"x","ip":"a\"b\\c"}`, `{"ip":"a\"b\\c"}`},
	} {
		r := newRig(t)
		r.project.StoreIP = c.keep
		if e := r.sent(c.body, browser); string(e.Properties) != c.properties {
			t.Errorf("%s: properties %s, want %s", c.body, e.Properties, c.properties)
		}
	}
}

func TestADaysEventsCountInTheProjectsTimezone(t *testing.T) {
	r := newRig(t)
	r.project = &weir.Project{ID: "p", Timezone: "Asia/Kolkata"}
	if err := r.project.Resolve(); err != nil {
		t.Fatal(err)
	}
	r.send(`[{"name":"x","ts":"2026-03-13T18:29:59Z"},{"name":"x","ts":"2026-03-13T18:30:00Z"}]`, browser)
	points, err := r.store.Series(t.Context(), "p", hot.Day, hot.Total, "", r.now.AddDate(0, 0, -3), r.now)
	want := []hot.Point{
		{Start: time.Date(2026, 3, 12, 18, 30, 0, 0, time.UTC), Count: 1},
		{Start: time.Date(2026, 3, 13, 18, 30, 0, 0, time.UTC), Count: 1},
	}
	if d := cmp.Diff(want, points); d != "" || err != nil {
		t.Fatal(d, err)
	}
}
