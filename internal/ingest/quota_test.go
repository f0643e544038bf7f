package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/ingest"
)

// limited is a rig whose project has limits, in Kolkata.
func limited(t *testing.T, l weir.Limits) *rig {
	t.Helper()
	r := newRig(t)
	r.project.Timezone = "Asia/Kolkata"
	if err := r.project.Resolve(); err != nil {
		t.Fatal(err)
	}
	var err error
	if r.project.Limits, err = l.Normal(); err != nil {
		t.Fatal(err)
	}
	return r
}

// batch is n events of a device each, at a time; "" is now.
func batch(first, n int, ts string) string {
	var b strings.Builder
	for i := range n {
		e := map[string]any{"id": fmt.Sprint("e", first+i), "name": "x", "device_id": fmt.Sprint("d", first+i)}
		if ts != "" {
			e["ts"] = ts
		}
		line, _ := json.Marshal(e)
		b.Write(append(line, '\n'))
	}
	return b.String()
}

// refused sends a body that must be refused whole, and returns why.
func (r *rig) refused(body string, from ingest.Remote, code string) ingest.Refusal {
	r.t.Helper()
	reply, err := r.Ingest(r.t.Context(), r.project, strings.NewReader(body), "", from)
	var refusal *ingest.Refusal
	if weir.ErrorCode(err) != code || !errors.As(err, &refusal) {
		r.t.Fatalf("%+v, %v; want %s", reply, err, code)
	}
	return *refusal
}

func (r *rig) usage() *ingest.Usage {
	r.t.Helper()
	u := ingest.Usages{Counters: r.store, Overflows: r.overflows, Clock: r.Clock, LimitKey: weir.Rate{N: 9, Per: time.Minute}}
	a, err := u.Usage(r.t.Context(), r.project)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func TestAQuotaUsedUpRefusesUntilTheMonthIsOver(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 10})
	r.send(batch(0, 8, ""), browser)
	r.send(batch(8, 3, ""), browser) // the request that reaches the quota is taken whole
	refusal := r.refused(batch(11, 2, ""), browser, weir.EQUOTA)
	midnight := time.Date(2026, 3, 31, 18, 30, 0, 0, time.UTC) // in Kolkata
	if want := midnight.Sub(r.now); refusal.After != want {
		t.Errorf("to be sent again after %v, want %v", refusal.After, want)
	}
	if n := r.stored(); n != 11 {
		t.Fatalf("%d events are stored, want 11", n)
	}
	if got := r.metric("weir_events_rejected_total", "quota_exceeded"); got != 2 {
		t.Errorf("%v events are counted as refused, want 2", got)
	}
	r.now = midnight.Add(-time.Microsecond)
	r.refused(batch(11, 2, ""), browser, weir.EQUOTA)
	u := r.usage()
	if u.Month != "2026-03" || u.Used != 11 || u.Quota != 10 || *u.Remaining != 0 || !u.UsedUp || u.Refused != 4 || !u.To.Equal(midnight) {
		t.Errorf("usage = %+v", u)
	}

	r.now = midnight
	r.send(batch(11, 2, ""), browser) // sent again, it is taken
	u = r.usage()
	if u.Month != "2026-04" || u.Used != 2 || *u.Remaining != 8 || u.UsedUp || u.Refused != 0 {
		t.Errorf("usage of the next month = %+v", u)
	}
}

func TestAnEventCountsInTheMonthOfItsOwnTime(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 3})
	r.send(batch(0, 5, "2026-02-28T18:29:59Z"), browser) // February in Kolkata
	r.send(batch(5, 3, "2026-02-28T18:30:00Z"), browser)
	r.refused(batch(8, 1, "2026-02-28T18:30:00Z"), browser, weir.EQUOTA)
	r.send(batch(8, 1, "2026-02-01T00:00:00Z"), browser)
	if u := r.usage(); u.Used != 3 {
		t.Errorf("usage = %+v", u)
	}
}

func TestOnlyTheEventsOfAMonthThatIsUsedUpWait(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 3, Key: weir.Rate{N: 100, Per: time.Hour}})
	r.send(batch(0, 3, ""), browser)
	from := browser
	from.Key = "k"
	const past = "2026-02-01T00:00:00Z"
	reply := r.send(batch(3, 2, past)+batch(5, 1, "")+`{"name":""}`+"\n"+batch(6, 1, past), from)
	want := []weir.Rejection{
		{Index: 2, Reason: "quota_exceeded", Detail: "the project's 3 events of its month are used up: send it again after 2026-03-31T18:30:00Z"},
		{Index: 3, Reason: "name_missing"},
	}
	if d := cmp.Diff(want, reply.Rejected); d != "" || reply.Accepted != 3 || reply.Standing.Remaining != 97 {
		t.Fatalf("%d accepted, %d remaining: %s", reply.Accepted, reply.Standing.Remaining, d)
	}
	if got := r.metric("weir_events_rejected_total", "quota_exceeded"); got != 1 || r.usage().Refused != 1 || r.usage().Used != 3 || r.stored() != 6 {
		t.Errorf("%v events are counted as refused, usage %+v, %d stored", got, r.usage(), r.stored())
	}
	// Sent again: the others are duplicates, and it is in when its month is over.
	r.now = time.Date(2026, 3, 31, 18, 30, 0, 0, time.UTC)
	if reply = r.send(batch(5, 1, "2026-03-14T10:00:00Z"), from); reply.Accepted != 1 {
		t.Errorf("%+v", reply)
	}
}

func TestAQuotaSurvivesTheProcessAndCountsAllNodes(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 10})
	other := *r
	other.Ingester = ingest.New(ingest.Config{
		Log: r.log, Salts: r.salts, Enrich: r.Enrich, Clock: r.Clock, Quotas: ingest.NewQuotas(r.counters, r.Clock, nil, nil),
	})
	other.send(batch(0, 5, ""), browser)
	r.send(batch(5, 5, ""), browser)
	r.refused(batch(10, 1, ""), browser, weir.EQUOTA)
	// The other node may go by what it knew for a second.
	other.send(batch(10, 1, ""), browser)
	r.now = r.now.Add(time.Second)
	other.refused(batch(11, 1, ""), browser, weir.EQUOTA)
	if u := r.usage(); u.Used != 11 {
		t.Errorf("usage = %+v", u)
	}
}

func TestDuplicatesUseNoQuota(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 10})
	for range 5 {
		r.send(batch(0, 9, ""), browser)
	}
	r.send(batch(9, 1, ""), browser)
	r.refused(batch(10, 1, ""), browser, weir.EQUOTA)
}

func TestASampleKeepsDevicesWholeAndSaysSo(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1, Over: weir.OverSample, Sample: 25})
	r.send(batch(0, 1, ""), browser)
	kept := map[string]bool{}
	const devices = 2000
	accepted := 0
	for round := range 2 {
		body := strings.ReplaceAll(batch(0, devices, ""), `"id":"e`, fmt.Sprintf(`"id":"%d-`, round))
		reply := r.send(body, browser)
		accepted += reply.Accepted
		if reply.Accepted+len(reply.Rejected) != devices {
			t.Fatalf("%d accepted and %d rejected of %d", reply.Accepted, len(reply.Rejected), devices)
		}
		dropped := map[int]bool{}
		for _, j := range reply.Rejected {
			if j.Reason != "sampled_out" {
				t.Fatalf("%+v", j)
			}
			dropped[j.Index] = true
		}
		for i := range devices {
			device := fmt.Sprint("d", i)
			if round == 0 {
				kept[device] = !dropped[i]
			} else if kept[device] == dropped[i] {
				t.Fatalf("%s is kept once, and once not", device)
			}
		}
	}
	if share := float64(accepted) / (2 * devices); share < 0.22 || share > 0.28 {
		t.Errorf("%v of the devices are kept, want a quarter", share)
	}
	for _, e := range r.newest(100) {
		if string(e.Properties) != `{"weir_sample":0.25}` || !kept[e.DeviceID] {
			t.Fatalf("%s: %s", e.DeviceID, e.Properties)
		}
	}
	// The devices that are counted are those that were kept.
	n, err := r.store.Uniques(t.Context(), "p", hot.Day, r.now.Add(-48*time.Hour), r.now)
	if err != nil {
		t.Fatal(err)
	}
	if want := float64(accepted / 2); float64(n) < 0.95*want || float64(n) > 1.05*want {
		t.Errorf("%d devices are counted, want %v", n, want)
	}
	out := int64(2*devices - accepted)
	if u := r.usage(); u.SampledOut != out || u.Used != int64(accepted+1) || u.Over != weir.OverSample || u.Sample != 25 {
		t.Errorf("usage = %+v, want %d sampled out", u, out)
	}
	if got := r.metric("weir_events_rejected_total", "sampled_out"); got != float64(out) {
		t.Errorf("metric = %v, want %d", got, out)
	}
}

func TestReplyNamesSampledAndRejectedEvents(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1, Over: weir.OverSample, Sample: 1})
	r.send(batch(0, 1, ""), browser)
	reply := r.send(`{"name":"x","device_id":"a"}
{"name":""}
{"name":"x","device_id":"b"}`, browser)
	want := []weir.Rejection{{Index: 0, Reason: "sampled_out"}, {Index: 1, Reason: "name_missing"}, {Index: 2, Reason: "sampled_out"}}
	for i := range reply.Rejected {
		reply.Rejected[i].Detail = ""
	}
	if d := cmp.Diff(want, reply.Rejected); d != "" || reply.Accepted != 0 {
		t.Fatalf("%d accepted: %s", reply.Accepted, d)
	}
}

func TestFlaggedEventsAreTakenAndMarked(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1, Over: weir.OverFlag})
	r.send(batch(0, 1, ""), browser)
	if p := string(r.last().Properties); p != "" {
		t.Errorf("within the quota: %s", p)
	}
	for body, want := range map[string]string{
		`{"name":"x","device_id":"d"}`:                                                           `{"weir_over_quota":true}`,
		`{"name":"x","device_id":"d","properties":{"plan":"pro"}}`:                               `{"weir_over_quota":true,"plan":"pro"}`,
		`{"name":"x","device_id":"d","properties":{"weir_over_quota":"no","z":[1]}}`:             `{"weir_over_quota":true,"z":[1]}`,
		`{"name":"x","device_id":"d","ts":"2026-02-01T00:00:00Z","properties":{"plan":"older"}}`: `{"plan":"older"}`,
	} {
		if got := string(r.sent(body, browser).Properties); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	if u := r.usage(); u.Flagged != 3 || u.Used != 4 || u.Refused+u.SampledOut != 0 {
		t.Errorf("usage = %+v", u)
	}
	if got := r.metric("weir_events_flagged_total", ""); got != 3 {
		t.Errorf("metric = %v", got)
	}
}

func TestAnEventThatCouldNotBeStoredIsNotCountedAsAnything(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1, Over: weir.OverFlag, Key: weir.Rate{N: 2, Per: time.Hour}})
	r.send(batch(0, 1, ""), browser)
	r.log.fail = errors.New("away")
	from := browser
	from.Key = "k"
	for range 3 {
		if _, err := r.Ingest(t.Context(), r.project, strings.NewReader(batch(1, 2, "")), "", from); weir.ErrorCode(err) != weir.EUNAVAILABLE {
			t.Fatalf("its rate was used up by what was not stored: %v", err)
		}
	}
	r.log.fail = nil
	r.send(batch(1, 2, ""), from)
	if u := r.usage(); u.Flagged != 2 {
		t.Errorf("usage = %+v", u)
	}
}

func TestWhileTheCountIsNotKnownEventsAreTaken(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 3})
	r.counters.fail = errors.New("away")
	r.send(batch(0, 2, ""), browser)
	r.send(batch(2, 2, ""), browser)
	r.refused(batch(4, 1, ""), browser, weir.EQUOTA) // by what this node knows
	if got := r.metric("weir_quota_failures_total", ""); got != 1 {
		t.Errorf("%v failures are counted", got)
	}
	r.counters.fail = nil
	r.project.Limits.Quota = 5
	r.now = r.now.Add(time.Second)
	r.send(batch(4, 1, ""), browser)
	r.refused(batch(5, 1, ""), browser, weir.EQUOTA)
}

func TestAClockThatWasAheadStopsNoCounting(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1000})
	r.now = r.now.Add(time.Hour)
	r.send(batch(0, 1, ""), browser)
	r.now, r.counters.reads = r.now.Add(-time.Hour), 0
	r.send(batch(1, 1, ""), browser)
	if r.counters.reads != 1 {
		t.Errorf("%d readings after the clock was set back, want 1", r.counters.reads)
	}
}

func TestCountersAreReadOnceASecond(t *testing.T) {
	r := limited(t, weir.Limits{Quota: 1000})
	for i := range 50 {
		r.send(batch(i, 1, ""), browser)
	}
	if r.counters.reads != 1 {
		t.Errorf("%d readings within a moment, want 1", r.counters.reads)
	}
	plain := newRig(t)
	plain.send(batch(0, 1, ""), browser)
	if plain.counters.reads != 0 {
		t.Error("the counters are read for a project without a quota")
	}
}

func TestEventsOfAKeyOverItsRateAreRefusedAndCounted(t *testing.T) {
	r := limited(t, weir.Limits{Key: weir.Rate{N: 10, Per: time.Minute}})
	one, two := browser, browser
	one.Key, two.Key = "one", "two"
	reply := r.send(batch(0, 8, ""), one)
	if s := reply.Standing; s == nil || s.Policy != ingest.PolicyKey || s.Remaining != 2 || s.Rate != r.project.Limits.Key {
		t.Fatalf("standing = %+v", s)
	}
	refusal := r.refused(batch(8, 3, ""), one, weir.ERATELIMITED)
	if refusal.After != 6*time.Second || refusal.Standing.Remaining != 2 {
		t.Errorf("refusal = %+v", refusal)
	}
	r.send(batch(8, 3, ""), two)
	r.send(batch(11, 2, ""), one)
	if u := r.usage(); u.RateLimited != 3 || u.LimitKey != "10/m" || u.LimitIP != "off" || u.Quota != 0 || u.Remaining != nil {
		t.Errorf("usage = %+v", u)
	}
	if got := r.metric("weir_events_rejected_total", "rate_limited"); got != 3 {
		t.Errorf("metric = %v", got)
	}
	if reply := r.send(batch(20, 1, ""), browser); reply.Standing != nil {
		t.Errorf("who has no key stands at %+v", reply.Standing)
	}
	r.project.Limits.Key = weir.RateOff
	r.send(batch(30, 50, ""), one)
}

func TestOverflowsAreStored(t *testing.T) {
	l := &ledger{events: map[string]int64{}}
	r := limited(t, weir.Limits{Quota: 1})
	r.Overflows = ingest.NewOverflows(l, slog.New(slog.DiscardHandler))
	r.overflows = r.Overflows
	r.send(batch(0, 1, ""), browser) // not in the bubble: the log keeps channels for its next append
	synctest.Test(t, func(t *testing.T) {
		done := make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		go func() { done <- r.overflows.Run(ctx) }()
		r.refused(batch(1, 7, ""), browser, weir.EQUOTA)
		l.mu.Lock()
		l.fail = errors.New("away")
		l.mu.Unlock()
		<-time.After(6 * time.Second)
		if len(l.events) != 0 {
			t.Fatalf("ledger = %v", l.events)
		}
		l.mu.Lock()
		l.fail = nil
		l.mu.Unlock()
		<-time.After(5 * time.Second)
		if u := r.usage(); u.Refused != 7 || l.events["p 2026-03 quota_exceeded"] != 7 {
			t.Fatalf("usage %+v, ledger %v", u, l.events)
		}
		r.refused(batch(1, 2, ""), browser, weir.EQUOTA)
		if u := r.usage(); u.Refused != 9 {
			t.Fatalf("usage = %+v", u)
		}
		stop()
		if err := <-done; err != nil || l.events["p 2026-03 quota_exceeded"] != 9 {
			t.Fatalf("when it stops: %v, %v", l.events, err)
		}
	})
}
