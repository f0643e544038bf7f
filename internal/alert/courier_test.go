package alert_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
)

// letters are mails that were sent.
type letters struct {
	mu  sync.Mutex
	all []deliver.Letter
	err error
}

func (l *letters) Send(_ context.Context, in deliver.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.all = append(l.all, in)
	}
	return l.err
}

func withMail(t *testing.T) (*world, *letters) {
	w, l := newWorld(t, "UTC"), &letters{}
	w.mails = l
	w.node = w.newNode("one", w.meta)
	return w, l
}

func (w *world) waiting() int {
	w.t.Helper()
	n, _, err := w.meta.AlertBacklog(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestAFailedPostIsTriedAgainEverLater(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	w.hook.answers(500)
	same(t, "first attempt", []string{"alert.fired 1"}, w.minute(0, 10))
	begin := w.now
	var after []time.Duration
	var keys []string
	for len(after) < 7 {
		w.wait(10 * time.Second)
		w.deliver()
		if got := w.hook.take(); len(got) > 0 {
			after, keys = append(after, w.now.Sub(begin)), append(keys, got[0].header.Get("Idempotency-Key"))
		}
	}
	same(t, "attempts", []time.Duration{
		10 * time.Second, 40 * time.Second, 130 * time.Second, 400 * time.Second, 1210 * time.Second, 3640 * time.Second, 7240 * time.Second,
	}, after)
	for _, k := range keys {
		same(t, "key", keys[0], k)
	}
	w.hook.answers(204)
	w.restart()
	w.wait(time.Hour)
	w.deliver()
	same(t, "after a restart", []string{"alert.fired 1"}, types(w.hook.take()))
	if w.waiting() != 0 {
		t.Error("it still waits")
	}
}

func TestAMessageIsGivenUpAfterADayAndItsHistorySaysSo(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.hook.answers(503)
	w.minute(0, 10)
	for range 30 {
		w.wait(time.Hour)
		w.deliver()
	}
	if n := len(w.hook.take()); n < 20 || n > 31 || w.waiting() != 0 {
		t.Errorf("%d attempts, %d wait", n, w.waiting())
	}
	entries, _, err := w.rules.History(t.Context(), w.project, a.ID, 0, 1)
	if err != nil || entries[0].Kind != weir.AlertUndelivered || !strings.Contains(entries[0].Detail, "503") || !strings.Contains(entries[0].Detail, w.hook.URL) ||
		strings.Contains(entries[0].Detail, "secret-path") {
		t.Errorf("history %+v %v", entries, err)
	}
	if strings.Contains(w.log.String(), "secret-path") || strings.Contains(w.log.String(), "whsec_") {
		t.Error("a secret is logged")
	}
}

func TestAWebhookThatIsGoneIsNotTriedAgain(t *testing.T) {
	for _, status := range []int{410, 302} {
		w := newWorld(t, "UTC")
		a := w.makes(nil)
		w.hook.answers(status)
		w.minute(0, 10)
		w.wait(time.Hour)
		w.deliver()
		if got := w.hook.take(); len(got) != 0 || w.waiting() != 0 {
			t.Errorf("%d: tried again %d times", status, len(got))
		}
		same(t, "history", []string{"moved ok-firing 1", "undelivered firing-firing 1"}, w.moves(a.ID))
	}
}

func TestAChannelGetsItsMessagesInOrderAndHoldsUpNoOther(t *testing.T) {
	w, mails := withMail(t)
	w.makes(func(s *weir.AlertSpec) {
		s.Channels = append(s.Channels, weir.AlertChannel{Kind: weir.AlertByEmail, To: "ada@example.org"})
	})
	w.hook.answers(500)
	w.minute(0, 10)
	w.minute(10, 0) // fired is tried again, recovered waits for it
	if len(mails.all) != 2 || mails.all[0].Subject != "Firing: Errors (Shop)" || mails.all[1].Subject != "Recovered: Errors (Shop)" {
		t.Errorf("mails %+v", mails.all)
	}
	w.hook.answers(200)
	w.hook.take()
	w.wait(time.Hour)
	w.deliver()
	same(t, "posts", []string{"alert.fired 1", "alert.recovered 1"}, types(w.hook.take()))
}

func TestAMailSaysWhatTheWebhookDoesAndIsNoMarkup(t *testing.T) {
	w, mails := withMail(t)
	w.makes(func(s *weir.AlertSpec) {
		s.Name = "<b>{project}</b>"
		s.Channels = []weir.AlertChannel{{Kind: weir.AlertByEmail, To: "ada@example.org"}}
	})
	w.minute(70, 30)
	if len(mails.all) != 1 {
		t.Fatalf("%d mails", len(mails.all))
	}
	m := mails.all[0]
	if m.To != "ada@example.org" || m.Subject != "Firing: <b>{project}</b> (Shop)" || !strings.HasSuffix(m.Key, w.alertChannel()) {
		t.Errorf("mail %+v", m)
	}
	for _, want := range []string{"Error rate in the last minute: 30 %", "Project: Shop", "2026-03-10 12:00", "State: firing"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q lacks %q", m.Text, want)
		}
	}
	if strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "&lt;b&gt;") {
		t.Errorf("HTML: %s", m.HTML)
	}
}

// alertChannel is the id of the one channel of the one alert.
func (w *world) alertChannel() string {
	w.t.Helper()
	all, err := w.rules.List(w.t.Context(), w.project)
	if err != nil {
		w.t.Fatal(err)
	}
	return all[0].Channels[0].ID
}

func TestMailsBeyondTheLimitOfAnHourWait(t *testing.T) {
	w, mails := withMail(t) // 3 an hour
	for i := range 5 {
		w.makes(func(s *weir.AlertSpec) {
			s.Channels = []weir.AlertChannel{{Kind: weir.AlertByEmail, To: fmt.Sprintf("ada%d@example.org", i)}}
		})
	}
	w.minute(0, 10)
	if len(mails.all) != 3 || w.waiting() != 2 {
		t.Fatalf("%d mails, %d wait", len(mails.all), w.waiting())
	}
	w.wait(10 * time.Minute)
	w.deliver()
	same(t, "too early", 3, len(mails.all))
	w.wait(10*time.Minute + time.Second)
	w.deliver()
	same(t, "one more", 4, len(mails.all))
	w.wait(20 * time.Minute)
	w.deliver()
	if len(mails.all) != 5 || w.waiting() != 0 {
		t.Errorf("%d mails, %d wait", len(mails.all), w.waiting())
	}
}

func TestADeletedAlertSendsNothingMore(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.hook.answers(500)
	w.minute(0, 10)
	if err := w.rules.Delete(t.Context(), w.project, a.ID); err != nil {
		t.Fatal(err)
	}
	w.wait(time.Hour)
	w.deliver()
	if got := w.hook.take(); len(got) != 0 || w.waiting() != 0 {
		t.Errorf("posts %v, %d wait", types(got), w.waiting())
	}
}

func TestAChannelThatIsTakenOffGetsNothingMore(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.hook.answers(500)
	w.minute(0, 10)
	if _, err := w.rules.Change(t.Context(), w.project, a.ID, func(s *weir.AlertSpec) error { s.Channels = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	if w.waiting() != 0 {
		t.Errorf("%d wait", w.waiting())
	}
}

// outages are an outbox that fails.
type outages struct{ err error }

func (o outages) ClaimAlertDeliveries(context.Context, time.Duration, int) ([]weir.AlertDelivery, error) {
	return nil, o.err
}

func (o outages) DropAlertDelivery(context.Context, *weir.AlertDelivery, *weir.AlertEntry) error {
	return o.err
}

func (o outages) PutOffAlertDelivery(context.Context, string, time.Time, int) error { return o.err }

func (o outages) AlertBacklog(context.Context) (int, time.Time, error) {
	return 0, time.Time{}, o.err
}

func TestACourierLooksForMessagesUntilItIsStoppedAndCountsFailures(t *testing.T) {
	w := newWorld(t, "UTC")
	synctest.Test(t, func(t *testing.T) {
		c := w.newCourier(outages{errors.New("no store today")})
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
	})
	if n := strings.Count(w.log.String(), "no store today"); n != 6 { // at 0, 5 and 10 s: the messages and their number
		t.Errorf("%d failures: %s", n, &w.log)
	}
}

func TestAMailThatTheLimitHoldsUpForADayIsGivenUp(t *testing.T) {
	w, mails := withMail(t) // 3 an hour
	a := w.makes(func(s *weir.AlertSpec) {
		s.Channels = nil
		for i := range alert.MaxChannels {
			s.Channels = append(s.Channels, weir.AlertChannel{Kind: weir.AlertByEmail, To: fmt.Sprintf("ada%d@example.org", i)})
		}
	})
	for range 10 { // 20 messages to 10 addresses: more than go in a day
		w.minute(0, 10)
		w.minute(10, 0)
	}
	for range 26 * 3 {
		w.wait(20 * time.Minute)
		w.deliver()
	}
	if n := len(mails.all); n < 70 || n > 90 || w.waiting() != 0 {
		t.Errorf("%d mails, %d wait after 26 hours", n, w.waiting())
	}
	entries, _, err := w.rules.History(t.Context(), w.project, a.ID, 0, 1)
	if err != nil || len(entries) == 0 || entries[0].Kind != weir.AlertUndelivered || !strings.Contains(entries[0].Detail, "limit of mails") {
		t.Errorf("history %+v %v", entries, err)
	}
}

func TestMessagesLeadToTheServersAddressWhereItIsKnown(t *testing.T) {
	for _, address := range []string{"", "https://weir.example.com"} {
		w, mails := withMail(t)
		w.address = address
		w.node = w.newNode("one", w.meta)
		w.makes(func(s *weir.AlertSpec) {
			s.Channels = append(s.Channels, weir.AlertChannel{Kind: weir.AlertByEmail, To: "ada@example.org"})
		})
		w.calls(70, 30)
		w.wait(time.Minute)
		w.evaluator.Pass(t.Context())
		w.deliver()
		posts := w.hook.take()
		if len(posts) != 1 || len(mails.all) != 1 {
			t.Fatalf("%d posts and %d mails", len(posts), len(mails.all))
		}
		want := ""
		if address != "" {
			want = address + "/p/" + w.project.ID
		}
		same(t, "url", want, posts[0].message.URL)
		m := mails.all[0]
		if strings.Contains(m.Text, "https://") != (want != "") || !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("%q: mail %+v", address, m)
		}
	}
}
