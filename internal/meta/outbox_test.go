package meta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

// fires puts a message on the way to each of an alert's channels.
func fires(t *testing.T, f fixture, a *weir.Alert, incident int) {
	t.Helper()
	was := must(f.Alert(t.Context(), a.ProjectID, a.ID))(t)
	step := weir.AlertStep{
		AlertID: a.ID, Version: was.Version, Was: was.Status.CheckedTo, Status: was.Status,
		Messages: []weir.AlertMessage{{ID: fmt.Sprintf("%s.%d.fired", a.ID, incident), Type: weir.AlertFiredMessage, State: weir.AlertFiring, Incident: int64(incident)}},
	}
	step.Status.CheckedTo = f.watch.now()
	if ok := must(f.StepAlert(t.Context(), &step))(t); !ok {
		t.Fatal("the step was not taken")
	}
}

func TestAProjectWithManyMessagesHoldsUpNoOther(t *testing.T) {
	f := open(t)
	loud, _ := newProject(t, f)
	quiet, _ := newProject(t, f)
	many := someAlert(loud)
	for range 30 {
		many.Channels = append(many.Channels, weir.AlertChannel{Kind: weir.AlertByWebhook, URL: "https://example.org/x"})
	}
	fires(t, f, must(f.CreateAlert(t.Context(), many, 100))(t), 1)
	f.watch.add(time.Second)
	b := makeAlert(t, f, quiet)
	fires(t, f, b, 1)
	n := 0
	for _, d := range must(f.ClaimAlertDeliveries(t.Context(), time.Minute, 16))(t) {
		if d.ProjectID == quiet.ID {
			n++
		}
	}
	if n != len(b.Channels) {
		t.Errorf("%d of the quiet project's %d messages are among the first 16", n, len(b.Channels))
	}
}

func TestAMessageThatCannotBeReadIsGivenUpAndHoldsUpNoOther(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a, b := makeAlert(t, f, p), makeAlert(t, f, p)
	fires(t, f, a, 1)
	fires(t, f, b, 1)
	raw(t, f.path).exec(t, `UPDATE alert_outbox SET message = '{"id":' WHERE alert_id = ?`, a.ID)
	all, err := f.ClaimAlertDeliveries(t.Context(), time.Minute, 16)
	if err != nil || len(all) != len(b.Channels) || all[0].AlertID != b.ID {
		t.Fatalf("claimed %+v: %v", all, err)
	}
	if n, _, err := f.AlertBacklog(t.Context()); n != len(b.Channels) || err != nil {
		t.Errorf("%d messages wait: %v", n, err)
	}
	got := must(f.AlertHistory(t.Context(), p.ID, a.ID, 0, 10))(t)
	if len(got) != len(a.Channels) || got[0].Kind != weir.AlertUndelivered || !strings.Contains(got[0].Detail, "cannot be read") {
		t.Errorf("history %+v", got)
	}
}

func TestOnlyTheNewestWaitingMessagesOfAChannelAreKept(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	a := makeAlert(t, f, p)
	const most, more = 100, 5
	for i := range most + more {
		f.watch.add(time.Minute)
		fires(t, f, a, i+1)
	}
	if n, _, err := f.AlertBacklog(t.Context()); n != most*len(a.Channels) || err != nil {
		t.Errorf("%d messages wait for %d channels: %v", n, len(a.Channels), err)
	}
	all := must(f.ClaimAlertDeliveries(t.Context(), time.Minute, 1))(t)
	if len(all) != 1 || all[0].Message.Incident != more+1 {
		t.Errorf("the oldest is %+v", all)
	}
	got := must(f.AlertHistory(t.Context(), p.ID, a.ID, 0, 50))(t)
	if len(got) != more {
		t.Fatalf("%d entries", len(got))
	}
	if got[0].Kind != weir.AlertUndelivered || !strings.Contains(got[0].Detail, "over 100 messages") || got[0].Incident != most+more {
		t.Errorf("the last is %+v", got[0])
	}
}
