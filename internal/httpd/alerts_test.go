package httpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/httpd"
)

var _ httpd.Alerts = (*alert.Rules)(nil)

// noCounters count nothing.
type noCounters struct{}

func (noCounters) Series(context.Context, string, hot.Grain, hot.Dimension, string, time.Time, time.Time) ([]hot.Point, error) {
	return nil, nil
}

func (noCounters) Members(context.Context, string, hot.Grain, hot.Dimension, time.Time, time.Time, int) ([]hot.Member, error) {
	return nil, nil
}

func (noCounters) Uniques(context.Context, string, hot.Grain, time.Time, time.Time) (int64, error) {
	return 0, nil
}

func (noCounters) Inquire(context.Context, string, hot.Inquiry) (hot.Findings, error) {
	return hot.Findings{}, nil
}
func (noCounters) Live(context.Context, string, time.Time) (int, error) { return 0, nil }

// posted are the posts of tests, which fail at hosts called down.
type posted struct {
	mu  sync.Mutex
	all []deliver.Post
}

func (p *posted) Send(_ context.Context, post deliver.Post) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, post)
	if strings.Contains(post.URL, "down") {
		return errors.New("it answered 500 Internal Server Error")
	}
	return nil
}

// alertsOf gives the server alerts over the fixture's store.
func (f *fixture) alertsOf(cfg *httpd.Config) {
	cfg.Alerts = alert.NewRules(alert.RulesConfig{
		Store: f.meta, Counters: noCounters{}, Clock: f.watch.now, Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")},
		Sender: &alert.Sender{
			Webhooks: &f.posts, Limiter: local.New(local.Options{Clock: f.watch.now}).Limiter, MailsPerHour: 5, Texts: alert.English(),
		},
	})
}

const errorRate = `{"name":"Errors","measure":{"kind":"error_rate"},"condition":{"op":"above","value":0.1,"clear":0.05},
	"for":3,"min_volume":50,"channels":[{"type":"webhook","url":"https://hooks.example.org/T123/secret-path"}]}`

func (f *fixture) newAlert(body string) httpd.AlertBody {
	f.t.Helper()
	a := f.as(f.admin, "POST", f.path("/alerts"), body)
	wantStatus(f.t, a, 201)
	return decode[httpd.AlertBody](f.t, a)
}

func TestAnAlertIsMadeShownChangedAndDeleted(t *testing.T) {
	f := start(t)
	made := f.newAlert(errorRate)
	clearAt := 0.05
	want := httpd.AlertBody{
		ID: made.ID, Name: "Errors", Enabled: true, Measure: httpd.MeasureBody{Kind: "error_rate"}, Window: 5,
		Condition: httpd.AlertConditionBody{Op: "above", Value: 0.1, Clear: &clearAt}, For: 3, ClearFor: 1, MinVolume: 50, NoData: "keep",
		Channels:  []httpd.ChannelBody{{ID: made.Channels[0].ID, Type: "webhook", URL: "https://hooks.example.org/T123/secret-path", Secret: made.Channels[0].Secret}},
		CreatedAt: f.watch.now(), UpdatedAt: f.watch.now(), State: "ok", Since: f.watch.now(),
	}
	if d := cmp.Diff(want, made, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Fatal(d)
	}
	secret := made.Channels[0].Secret
	if !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("secret %q", secret)
	}
	path := f.path("/alerts/" + made.ID)
	for _, p := range []string{path, f.path("/alerts")} {
		if a := f.as(f.admin, "GET", p, ""); strings.Contains(a.body, secret) || !strings.Contains(a.body, "secret-path") {
			t.Errorf("%s: %s", p, a.body)
		}
	}
	changed := decode[httpd.AlertBody](t, f.as(f.admin, "PATCH", path,
		`{"window":10,"channels":[{"id":"`+made.Channels[0].ID+`","type":"webhook"},{"type":"webhook","url":"http://10.1.2.3/x"}]}`))
	if changed.Window != 10 || changed.For != 3 || len(changed.Channels) != 2 || changed.Channels[0].URL != made.Channels[0].URL ||
		changed.Channels[0].Secret != "" || changed.Channels[1].Secret == "" {
		t.Errorf("changed: %+v", changed)
	}
	if strings.Contains(f.log.String(), secret) {
		t.Error("the secret is logged")
	}
	wantStatus(t, f.as(f.admin, "DELETE", path, ""), 204)
	wantError(t, f.as(f.admin, "GET", path, ""), 404, weir.ENOTFOUND)
	wantError(t, f.as(f.admin, "DELETE", path, ""), 404, weir.ENOTFOUND)
}

func TestAViewerSeesOfAWebhookItsHostAlone(t *testing.T) {
	f := start(t)
	made := f.newAlert(errorRate)
	for role, want := range map[weir.Role]string{
		weir.RoleViewer: "https://hooks.example.org", weir.RoleEditor: "https://hooks.example.org/T123/secret-path",
	} {
		c := f.signedIn(role.String()+"@example.org", role, false)
		got := decode[httpd.AlertBody](t, f.doWith(c, "GET", f.path("/alerts/"+made.ID), ""))
		if got.Channels[0].URL != want {
			t.Errorf("%s sees %q", role, got.Channels[0].URL)
		}
	}
}

func TestAnAlertOfAnotherProjectIsNone(t *testing.T) {
	f := start(t)
	made := f.newAlert(errorRate)
	other, _ := f.newProject("Other", "UTC")
	path := "/api/v1/projects/" + other.ID + "/alerts/" + made.ID
	for _, c := range []struct{ method, path, body string }{
		{"GET", path, ""},
		{"PATCH", path, `{"name":"mine"}`},
		{"DELETE", path, ""},
		{"GET", path + "/history", ""},
		{"POST", path + "/silence", `{"minutes":5}`},
		{"POST", path + "/test", ""},
	} {
		wantError(t, f.as(f.admin, c.method, c.path, c.body), 404, weir.ENOTFOUND)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/alerts/"+made.ID), ""), 200)
	if len(f.posts.all) != 0 {
		t.Error("a test was sent")
	}
}

func TestAlertsAreRefusedForBadInput(t *testing.T) {
	f := start(t)
	made := f.newAlert(errorRate)
	with := func(from, to string) string {
		if !strings.Contains(errorRate, from) {
			t.Fatal(from)
		}
		return strings.Replace(errorRate, from, to, 1)
	}
	for _, body := range []string{
		"", "{}", `{"name":"x"}`, with(`"Errors"`, `""`), with(`error_rate`, `mood`), with(`0.1`, `7`), with(`"above"`, `"near"`), with(`"for":3`, `"for":61`),
		with(`"for":3`, `"for":-1`), with(`"clear":0.05`, `"clear":0.2`), with(`"min_volume":50`, `"colour":"red"`),
		with(`https://hooks.example.org/T123/secret-path`, `http://127.0.0.1:6379/`), with(`https://hooks.example.org`, `gopher://example.org`),
		with(`{"type":"webhook"`, `{"id":"made-up","type":"webhook"`), with(`{"kind":"error_rate"}`, `{"kind":"calls","filter":[{"column":"status","op":"~","value":1}]}`),
		with(`{"type":"webhook","url":"https://hooks.example.org/T123/secret-path"}`, `{"type":"email","to":"ada@example.org"}`), // no mail server
	} {
		wantError(t, f.as(f.admin, "POST", f.path("/alerts"), body), 400, weir.EINVALID)
	}
	path := f.path("/alerts/" + made.ID)
	for _, body := range []string{`{"window":0}`, `{"window":-5}`, `{"for":0}`, `{"channels":[{"id":"made-up","type":"webhook","url":"https://x.org"}]}`, `{"channels":[{"id":"made-up","type":"webhook"}]}`, `{"id":"x"}`} {
		wantError(t, f.as(f.admin, "PATCH", path, body), 400, weir.EINVALID)
	}
	for _, body := range []string{`{}`, `{"minutes":-1}`, `{"minutes":5,"until":"2026-03-11T00:00:00Z"}`, `{"until":"2036-03-11T00:00:00Z"}`} {
		wantError(t, f.as(f.admin, "POST", path+"/silence", body), 400, weir.EINVALID)
	}
	for _, q := range []string{"?cursor=x", "?cursor=-1", "?limit=0", "?limit=501"} {
		wantError(t, f.as(f.admin, "GET", path+"/history"+q, ""), 400, weir.EINVALID)
	}
	if got := decode[httpd.AlertBody](t, f.as(f.admin, "GET", path, "")); got.Window != 5 {
		t.Errorf("changed: %+v", got)
	}
}

func TestAProjectHasAHundredAlertsAtMost(t *testing.T) {
	f := start(t)
	for range alert.MaxAlerts {
		f.newAlert(`{"name":"x","measure":{"kind":"calls"},"condition":{"op":"above","value":1}}`)
	}
	wantError(t, f.as(f.admin, "POST", f.path("/alerts"), errorRate), 409, weir.ECONFLICT)
}

func TestAnAlertIsSilencedUntilATimeAndNoLonger(t *testing.T) {
	f := start(t)
	path := f.path("/alerts/" + f.newAlert(errorRate).ID)
	is := func(silenced bool) {
		t.Helper()
		if got := decode[httpd.AlertBody](t, f.as(f.admin, "GET", path, "")); got.Silenced != silenced {
			t.Errorf("silenced: %v until %v", got.Silenced, got.SilencedUntil)
		}
	}
	wantStatus(t, f.as(f.admin, "POST", path+"/silence", `{"minutes":30}`), 200)
	is(true)
	f.watch.add(30 * time.Minute)
	is(false)
	wantStatus(t, f.as(f.admin, "POST", path+"/silence", `{"until":"2026-03-12T00:00:00+01:00"}`), 200)
	is(true)
	wantStatus(t, f.as(f.admin, "POST", path+"/silence", `{"minutes":0}`), 200)
	is(false)
}

func TestATestMessageGoesToEachChannelAndSaysWhatBecameOfIt(t *testing.T) {
	f := start(t)
	made := f.newAlert(strings.Replace(errorRate, `"channels":[`, `"channels":[{"type":"webhook","url":"https://down.example.org/x"},`, 1))
	path := f.path("/alerts/" + made.ID + "/test")
	a := f.as(f.admin, "POST", path, "")
	wantStatus(t, a, 200)
	got := decode[struct{ Deliveries []httpd.AlertTestBody }](t, a).Deliveries
	if len(got) != 2 || got[0].Delivered || !strings.Contains(got[0].Error, "500") || !got[1].Delivered || got[1].Error != "" {
		t.Fatalf("deliveries %+v", got)
	}
	if strings.Contains(a.body, "whsec_") {
		t.Error("a secret is shown again")
	}
	for _, p := range f.posts.all {
		var m weir.AlertMessage
		if err := json.Unmarshal(p.Body, &m); err != nil || m.Type != weir.AlertTestMessage || m.Alert.Name != "Errors" || m.Project.ID != f.shop.ID || p.Secret == "" {
			t.Errorf("posted %s %v", p.Body, err)
		}
	}
	for range 9 {
		wantStatus(t, f.as(f.admin, "POST", path, ""), 200)
	}
	wantError(t, f.as(f.admin, "POST", path, ""), 429, weir.ERATELIMITED)
	silent := f.newAlert(`{"name":"x","measure":{"kind":"calls"},"condition":{"op":"above","value":1}}`)
	wantError(t, f.as(f.admin, "POST", f.path("/alerts/"+silent.ID+"/test"), ""), 400, weir.EINVALID)
}

func TestAHistoryIsReadPageByPage(t *testing.T) {
	f := start(t)
	made := f.newAlert(errorRate)
	was, err := f.meta.Alert(t.Context(), f.shop.ID, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	step := weir.AlertStep{AlertID: made.ID, Version: 1, Was: was.Status.CheckedTo, Status: was.Status}
	for i := range 5 {
		v := float64(i)
		step.Entries = append(step.Entries, weir.AlertEntry{Kind: weir.AlertMoved, At: f.watch.now(), From: "ok", To: "firing", Incident: int64(i), Reading: weir.AlertReading{Value: &v}})
	}
	if ok, err := f.meta.StepAlert(t.Context(), &step); !ok || err != nil {
		t.Fatal(ok, err)
	}
	type page struct {
		Entries    []httpd.AlertEntryBody
		NextCursor string `json:"next_cursor"`
	}
	var incidents []int64
	var sizes []int
	for cursor := ""; ; {
		p := decode[page](t, f.as(f.admin, "GET", f.path("/alerts/"+made.ID+"/history?limit=2&cursor="+cursor), ""))
		sizes = append(sizes, len(p.Entries))
		for _, e := range p.Entries {
			incidents = append(incidents, e.Incident)
			if *e.Value != float64(e.Incident) || e.From != "ok" || e.To != "firing" {
				t.Errorf("entry %+v", e)
			}
		}
		if cursor = p.NextCursor; cursor == "" {
			break
		}
	}
	if d := cmp.Diff([]int64{4, 3, 2, 1, 0}, incidents); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{2, 2, 1}, sizes); d != "" {
		t.Error(d)
	}
}
