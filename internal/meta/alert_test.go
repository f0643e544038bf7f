package meta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func someAlert(p *weir.Project) weir.Alert {
	return weir.Alert{
		ProjectID: p.ID,
		AlertSpec: weir.AlertSpec{
			Name: "Errors", Enabled: true, Window: 5, For: 2, ClearFor: 3, MinVolume: 50, NoData: weir.NoDataOK,
			Measure:   weir.AlertMeasure{Kind: weir.MeasureInsight, Insight: weir.KindCalls, Value: weir.ValueApdex, Filter: []weir.Condition{{Column: "route", Op: "in", Values: []string{"/a", "/b"}}}},
			Condition: weir.AlertCondition{Op: "above", Value: 0.1, Clear: 0.05, Against: weir.AgainstDay},
			Channels:  []weir.AlertChannel{{Kind: weir.AlertByWebhook, URL: "https://example.org/x"}, {Kind: weir.AlertByEmail, To: "ada@example.org"}},
		},
		Status: weir.AlertStatus{State: weir.AlertOK},
	}
}

func makeAlert(t *testing.T, f fixture, p *weir.Project) *weir.Alert {
	t.Helper()
	return must(f.CreateAlert(t.Context(), someAlert(p), 100))(t)
}

func TestAnAlertIsReadAsItWasStoredWithoutItsSecrets(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	made := makeAlert(t, f, p)
	secret := made.Channels[0].Secret
	if !strings.HasPrefix(secret, meta.SecretPrefix) || made.Channels[1].Secret != "" {
		t.Fatalf("channels %+v", made.Channels)
	}
	want := *made
	want.Channels = append([]weir.AlertChannel(nil), made.Channels...)
	want.Channels[0].Secret = ""
	again := reopen(t, f)
	if d := cmp.Diff(&want, must(again.Alert(t.Context(), p.ID, made.ID))(t)); d != "" {
		t.Error(d)
	}
	for name, list := range map[string]func() ([]*weir.Alert, error){
		"project": func() ([]*weir.Alert, error) { return again.Alerts(t.Context(), p.ID) },
		"active":  func() ([]*weir.Alert, error) { return again.ActiveAlerts(t.Context()) },
	} {
		if d := cmp.Diff([]*weir.Alert{&want}, must(list())(t)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if got := must(again.AlertTargets(t.Context(), made.ID))(t); got[0].Secret != secret {
		t.Errorf("targets %+v", got)
	}
}

func TestAlertStepIsStoredOnlyIfTheAlertDidNotChange(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	now := f.watch.now()
	step := weir.AlertStep{
		AlertID: a.ID, Version: a.Version, Was: a.Status.CheckedTo,
		Status:   weir.AlertStatus{State: weir.AlertFiring, CheckedTo: now, Incident: 1, Told: 1},
		Entries:  []weir.AlertEntry{{Kind: weir.AlertMoved, At: now, From: "ok", To: "firing", Incident: 1}},
		Messages: []weir.AlertMessage{{ID: a.ID + ".1.fired", Type: weir.AlertFiredMessage}},
	}
	take := func(want bool) {
		t.Helper()
		if ok := must(f.StepAlert(t.Context(), &step))(t); ok != want {
			t.Fatalf("step: %v, want %v", ok, want)
		}
	}
	take(true)
	take(false) // another node, for the same minute
	step.Was, step.Status.CheckedTo = now, now.Add(time.Minute)
	changed := *a
	changed.Status = step.Status
	changed.Status.CheckedTo = now
	was := must(f.Alert(t.Context(), p.ID, a.ID))(t)
	must(f.ChangeAlert(t.Context(), was, changed, nil))(t)
	take(false) // of a rule that is no more
	step.Version = 2
	take(true)
	_, err := f.ChangeAlert(t.Context(), was, changed, nil)
	wantCode(t, err, weir.ECONFLICT)
	if n, _, err := f.AlertBacklog(t.Context()); n != 2 || err != nil {
		t.Errorf("%d messages, %v: one for each channel, once", n, err)
	}
	if got := must(f.AlertHistory(t.Context(), p.ID, a.ID, 0, 10))(t); len(got) != 2 {
		t.Errorf("history %+v", got)
	}
}

func TestDisabledAlertStaysActiveUntilItsRecoveryIsSent(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	set := func(enabled bool, told int64) int {
		t.Helper()
		was := must(f.Alert(t.Context(), p.ID, a.ID))(t)
		next := *was
		next.Enabled, next.Status.Told = enabled, told
		must(f.ChangeAlert(t.Context(), was, next, nil))(t)
		return len(must(f.ActiveAlerts(t.Context()))(t))
	}
	if got := []int{set(true, 0), set(false, 3), set(false, 0)}; cmp.Diff([]int{1, 1, 0}, got) != "" {
		t.Errorf("active: %v", got)
	}
}

func TestAHistoryKeepsTheNewestThousand(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	step := weir.AlertStep{AlertID: a.ID, Version: 1, Status: a.Status, Was: a.Status.CheckedTo}
	for i := range 1005 {
		step.Entries = append(step.Entries, weir.AlertEntry{Kind: weir.AlertMoved, At: f.watch.now(), Incident: int64(i)})
	}
	must(f.StepAlert(t.Context(), &step))(t)
	got := must(f.AlertHistory(t.Context(), p.ID, a.ID, 0, 5000))(t)
	if len(got) != 1000 || got[0].Incident != 1004 || got[999].Incident != 5 {
		t.Errorf("%d entries from %d to %d", len(got), got[0].Incident, got[len(got)-1].Incident)
	}
}

func TestAnAlertIsLookedForInItsProject(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	for _, c := range [][2]string{{"other", a.ID}, {p.ID, "nothing"}} {
		_, err := f.Alert(t.Context(), c[0], c[1])
		wantCode(t, err, weir.ENOTFOUND)
		_, err = f.AlertHistory(t.Context(), c[0], c[1], 0, 10)
		wantCode(t, err, weir.ENOTFOUND)
		wantCode(t, f.DeleteAlert(t.Context(), c[0], c[1]), weir.ENOTFOUND)
		wantCode(t, f.SilenceAlert(t.Context(), &weir.Alert{ProjectID: c[0], ID: c[1]}), weir.ENOTFOUND)
		_, err = f.ChangeAlert(t.Context(), a, weir.Alert{ProjectID: c[0], ID: c[1]}, nil)
		wantCode(t, err, weir.ENOTFOUND)
	}
	_, err := f.CreateAlert(t.Context(), weir.Alert{ProjectID: "nothing"}, 100)
	wantCode(t, err, weir.ENOTFOUND)
	_, err = f.CreateAlert(t.Context(), someAlert(p), 1)
	wantCode(t, err, weir.ECONFLICT)
}

func TestMessagesAreClaimedOnceAndInOrder(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	step := weir.AlertStep{AlertID: a.ID, Version: 1, Status: a.Status, Was: a.Status.CheckedTo}
	for _, id := range []string{"1.fired", "1.recovered"} {
		step.Messages = append(step.Messages, weir.AlertMessage{ID: a.ID + "." + id})
	}
	must(f.StepAlert(t.Context(), &step))(t)
	claim := func() (keys []string) {
		t.Helper()
		for _, d := range must(f.ClaimAlertDeliveries(t.Context(), time.Minute, 10))(t) {
			keys = append(keys, fmt.Sprintf("%s %s %d", strings.TrimPrefix(d.Message.ID, a.ID+"."), d.Channel.Kind, d.Attempts))
			if d.Channel.Kind == weir.AlertByWebhook && d.Channel.Secret != a.Channels[0].Secret {
				t.Error("a webhook without its secret")
			}
			if d.Message.ID == a.ID+".1.fired" && d.Channel.Kind == weir.AlertByEmail {
				if err := f.DropAlertDelivery(t.Context(), &d, nil); err != nil {
					t.Error(err)
				}
			}
		}
		return keys
	}
	if got := claim(); len(got) != 2 || strings.Contains(strings.Join(got, ","), "recovered") {
		t.Errorf("first %v", got)
	}
	if got := claim(); cmp.Diff([]string{"1.recovered email 0"}, got) != "" {
		t.Errorf("then %v", got)
	}
	if got := claim(); got != nil {
		t.Errorf("claimed twice: %v", got)
	}
	f.watch.add(time.Minute)
	if got := claim(); len(got) != 2 || !strings.Contains(strings.Join(got, ","), "1.fired webhook 1") {
		t.Errorf("after the lease: %v", got)
	}
	if err := f.DeleteAlert(t.Context(), p.ID, a.ID); err != nil {
		t.Fatal(err)
	}
	if n, oldest, err := f.AlertBacklog(t.Context()); n != 0 || !oldest.IsZero() || err != nil {
		t.Errorf("%d of %v wait, %v", n, oldest, err)
	}
}
