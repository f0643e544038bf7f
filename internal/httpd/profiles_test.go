package httpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func (b *backend) Profiles(_ context.Context, p *weir.Project, q insight.ProfilesQuery, freshness time.Duration) (*insight.ProfilePage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.profiles, b.freshness = q, freshness
	return &insight.ProfilePage{Profiles: []insight.ProfileItem{}, Meta: insight.Meta{AsOf: asOf(p)}}, b.asked(p)
}

func (b *backend) Profile(_ context.Context, p *weir.Project, id string, freshness time.Duration) (*insight.Profile, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.profile, b.freshness = id, freshness
	return &insight.Profile{
		ProfileItem: insight.ProfileItem{Traits: map[string]json.RawMessage{}}, Revenue: map[string]float64{}, Devices: []insight.DeviceItem{}, Aliases: []insight.AliasItem{},
		Meta: insight.Meta{AsOf: asOf(p)},
	}, b.asked(p)
}

// exported is an export of which the document says what it may be.
const exported = `{"profile":{"profile_id":"u","first_seen":"2026-03-10T12:00:00Z","last_seen":"2026-03-10T12:00:00Z","events":0,"calls":0,"screen_views":0,"visits":0,` +
	`"traits":{},"revenue":{},"devices":[],"aliases":[],"as_of":"2026-03-10T12:00:00Z","cached":false,"elapsed_ms":1},"devices":[],"changes":[],"visits":[],"events":[],"dead_letters":[]}`

// Export writes the backend's pieces, and fails where one is empty.
func (b *backend) Export(_ context.Context, p *weir.Project, id string, w io.Writer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.profile = id
	for _, piece := range b.export {
		if piece == "" {
			return errors.New("the store went away")
		}
		if _, err := io.WriteString(w, piece); err != nil {
			return err
		}
	}
	return b.asked(p)
}

func (b *backend) Erase(_ context.Context, p *weir.Project, id, by string) (*insight.Erased, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.profile, b.by = id, by
	return &insight.Erased{ProfileID: id, ErasedAt: asOf(p), Devices: 2}, b.asked(p)
}

func TestProfilesAreAskedFor(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "GET", f.path("/profiles?search=ada&trait=plan&value=&limit=7&cursor=c&freshness=1m"), ""), 200)
	q := f.profiles
	if q.Search != "ada" || q.Trait != "plan" || q.Value == nil || *q.Value != "" || q.Limit != 7 || q.Cursor != "c" || f.freshness != time.Minute {
		t.Errorf("asked for %+v, freshness %v", q, f.freshness)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/profiles"), ""), 200)
	if q := f.profiles; q.Value != nil || q.Limit != 50 {
		t.Errorf("asked for %+v without parameters", q)
	}
	for _, bad := range []string{"?limit=0", "?limit=501", "?freshness=soon"} {
		if a := f.as(f.admin, "GET", f.path("/profiles"+bad), ""); a.status/100 != 4 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}

func TestAProfilesIDMayHoldAnything(t *testing.T) {
	f := start(t)
	for _, tail := range []string{"", "/events", "/export"} {
		f.export = []string{exported}
		f.profile, f.events = "", insight.EventsQuery{}
		wantStatus(t, f.as(f.admin, "GET", f.path("/profiles/a%2Fb%20%3F@x.org"+tail), ""), 200)
		got := f.profile
		if tail == "/events" {
			got = f.events.ProfileID
		}
		if got != "a/b ?@x.org" {
			t.Errorf("%s: asked about %q", tail, got)
		}
	}
}

func TestAProfileThatIsNotThereIs404(t *testing.T) {
	f := start(t)
	f.err = weir.Errorf(weir.ENOTFOUND, "there is no such profile")
	for _, tail := range []string{"", "/export"} {
		wantError(t, f.as(f.admin, "GET", f.path("/profiles/nobody"+tail), ""), 404, weir.ENOTFOUND)
	}
}

func TestAnExportIsOneDocument(t *testing.T) {
	f := start(t)
	f.export = []string{exported[:20], exported[20:]}
	a := f.as(f.admin, "GET", f.path("/profiles/u/export"), "")
	wantStatus(t, a, 200)
	if !json.Valid([]byte(a.body)) || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %v", a.body, a.header)
	}
}

func TestAnExportThatFailsInTheMiddleIsCutOff(t *testing.T) {
	f := start(t)
	f.export = []string{strings.Repeat(" ", 1<<16), ""}
	req, err := http.NewRequestWithContext(t.Context(), "GET", f.server.URL+f.path("/profiles/u/export"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.admin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("the answer seems whole")
	}
}

func TestErasureRecordsWhoAskedForIt(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "DELETE", f.path("/profiles/u"), "")
	wantStatus(t, a, 200)
	if f.profile != "u" || !strings.HasPrefix(f.by, "token ") || !strings.Contains(a.body, `"devices":2`) {
		t.Errorf("erased %q by %q: %s", f.profile, f.by, a.body)
	}
	f.err = weir.Errorf(weir.EUNAVAILABLE, "not all events are in the cold tier")
	wantError(t, f.as(f.admin, "DELETE", f.path("/profiles/u"), ""), 503, weir.EUNAVAILABLE)
}

// deadlines notes what is written before the connection's deadline is set anew.
type deadlines struct {
	*httptest.ResponseRecorder
	since, most int
}

func (d *deadlines) SetWriteDeadline(time.Time) error { d.since = 0; return nil }

func (d *deadlines) Write(b []byte) (int, error) {
	d.since += len(b)
	d.most = max(d.most, d.since)
	return d.ResponseRecorder.Write(b)
}

func TestWhoReadsAnExportSlowlyHasTimeForEachChunk(t *testing.T) {
	f := prepare(t)
	f.export = []string{strings.Repeat(" ", 1<<20), "{}", strings.Repeat(" ", 1<<18)}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	req := httptest.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1"+f.path("/profiles/u/export"), nil)
	req.Header.Set("Authorization", "Bearer "+f.admin)
	f.served.Handler().ServeHTTP(w, req)
	if w.Code != 200 || w.Body.Len() != 1<<20+2+1<<18 {
		t.Fatalf("%d, %d bytes", w.Code, w.Body.Len())
	}
	if w.most > 64<<10 {
		t.Errorf("%d bytes have one deadline together", w.most)
	}
}

func TestTheLogHasNoIDOfAProfile(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/profiles/ada", "/profiles/ada%2Flovelace/events", "/profiles/ada/export"} {
		f.as(f.admin, "GET", f.path(path), "")
	}
	f.as(f.admin, "DELETE", f.path("/profiles/ada"), "")
	if got := f.log.String(); strings.Contains(got, "ada") || strings.Count(got, f.path("/profiles/{profile}")) != 4 || !strings.Contains(got, "{profile}/events") {
		t.Errorf("%s", got)
	}
}
