package httpd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
)

// share makes a shared link of shop and returns it.
func (f *fixture) share(n meta.NewShare) *meta.Share {
	f.t.Helper()
	if n.ProjectID == "" {
		n.ProjectID = f.shop.ID
	}
	if n.Shows == "" {
		n.Shows = meta.ShowsOverview
	}
	x, err := f.meta.CreateShare(f.t.Context(), n)
	if err != nil {
		f.t.Fatal(err)
	}
	return x
}

// shownBy are the routes that readers of shared links may call, in the words of docs/sharing.md.
var shownBy = map[string]string{
	"GET /api/v1/projects/{id}/stats/overview": "overview live",
	"GET /api/v1/projects/{id}/stats/trend":    "overview live",
	"GET /api/v1/projects/{id}/live":           "overview live",
	"POST /api/v1/projects/{id}/query":         "overview",
}

func readers(f *fixture) []caller {
	return []caller{
		{name: "reader of a shared overview", token: f.share(meta.NewShare{Shows: meta.ShowsOverview}).Secret, link: "overview", known: true},
		{name: "reader of a shared live view", token: f.share(meta.NewShare{Shows: meta.ShowsLive}).Secret, link: "live", known: true},
		{name: "reader without the password", token: f.share(meta.NewShare{Password: password}).Secret, link: "overview", locked: true, known: true},
	}
}

// wantReader is want for the reader of a shared link of shop.
func wantReader(pattern string, route documented, c caller, project, shop string) int {
	switch {
	case route.needs == "nothing", route.needs == "session", route.needs == "reader":
		return 0
	case !strings.Contains(shownBy[pattern], c.link):
		return 403
	case c.locked:
		return 401
	case project != shop:
		return 404
	}
	return 0
}

func TestASharedLinkIsMadeListedChangedAndEnded(t *testing.T) {
	f := start(t)
	editor := f.signedIn("ed@example.org", weir.RoleEditor, false)
	a := f.doWith(editor, "POST", f.path("/shares"), `{"what":"overview","origins":["https://Blog.example"],"ends_at":"2026-03-11T00:00:00Z","password":"a long password"}`)
	wantStatus(t, a, 201)
	made := decode[httpd.ShareBody](t, a)
	if !strings.HasPrefix(made.URL, f.server.URL+"/share/wl_") || !made.Password || made.What != "overview" || len(made.Origins) != 1 || made.Origins[0] != "blog.example" || made.CreatedBy.Email != "ed@example.org" {
		t.Fatalf("%s", a.body)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("the answer is stored")
	}
	one := f.path("/shares/" + made.ID)
	changed := decode[httpd.ShareBody](t, f.doWith(editor, "PATCH", one, `{"no_password":true,"no_end":true,"origins":[]}`))
	if changed.Password || changed.EndsAt != nil || len(changed.Origins) != 0 || changed.URL != made.URL {
		t.Errorf("changed: %+v", changed)
	}
	for _, body := range []string{`{"no_password":true,"password":"a long password"}`, `{"no_end":true,"ends_at":"2026-03-11T00:00:00Z"}`, `{"ends_at":"2026-03-09T00:00:00Z"}`, `{"origins":["*"]}`} {
		wantError(t, f.doWith(editor, "PATCH", one, body), 400, weir.EINVALID)
	}
	list := decode[struct{ Shares []httpd.ShareBody }](t, f.doWith(editor, "GET", f.path("/shares"), ""))
	if len(list.Shares) != 1 || list.Shares[0].URL != made.URL {
		t.Errorf("list: %+v", list)
	}
	wantStatus(t, f.doWith(editor, "DELETE", one, ""), 204)
	wantError(t, f.doWith(editor, "DELETE", one, ""), 404, weir.ENOTFOUND)
	if strings.Contains(f.log.String(), "wl_") {
		t.Error("the log has a link")
	}
}

func TestASharedLinkSaysWhatItShows(t *testing.T) {
	f := start(t)
	x := f.share(meta.NewShare{Shows: meta.ShowsLive, EndsAt: f.watch.now().Add(time.Hour)})
	got := decode[httpd.SharedBody](t, f.as(x.Secret, "GET", "/api/v1/share", ""))
	if got.What != "live" || got.Password || got.Project == nil || got.Project.ID != f.shop.ID || got.Project.Name != "Shop" || got.Project.Timezone != "Europe/Berlin" || !got.EndsAt.Equal(x.EndsAt) {
		t.Errorf("%+v", got)
	}
	wantError(t, f.as("wl_made_up", "GET", "/api/v1/share", ""), 401, weir.EUNAUTHORIZED)
	f.watch.add(time.Hour)
	wantError(t, f.as(x.Secret, "GET", "/api/v1/share", ""), 401, weir.EUNAUTHORIZED)
	wantError(t, f.as(x.Secret, "GET", f.path("/stats/overview"), ""), 401, weir.EUNAUTHORIZED)
}

func TestAReaderAsksOnlyWhatTheSharedPageShows(t *testing.T) {
	f := start(t)
	x := f.share(meta.NewShare{})
	ask := func(body string) answer { return f.as(x.Secret, "POST", f.path("/query"), body) }
	for _, body := range []string{
		`{"kind":"pages","from":"-7d","filter":[],"limit":8}`,
		`{"limit":8,"from":"today","kind":"pages"}`,
		`{"kind":"calls","from":"-30d","filter":[{"column":"bot","op":"=","value":"false"}],"breakdown":"route","sort":"latency","limit":10}`,
		`{"kind":"trend","from":"-30d","filter":[],"interval":"month","series":[{"math":"total"}],"breakdown":"country","limit":8}`,
	} {
		wantStatus(t, ask(body), 200)
		if f.freshness < 30*time.Second {
			t.Errorf("freshness %v: each reader costs a question", f.freshness)
		}
	}
	for _, body := range []string{
		`{"kind":"pages","from":"-31d","filter":[],"limit":8}`,
		`{"kind":"pages","from":"-7d","to":"today","limit":8}`,
		`{"kind":"pages","from":"-7d","limit":1000}`,
		`{"kind":"pages","from":"-7d","limit":8,"freshness":1}`,
		`{"kind":"pages","from":"-7d","limit":8,"filter":[{"column":"profile_id","op":"=","value":"ada"}]}`,
		`{"kind":"pages","from":"-7d","limit":8,"filter":[{"column":"path","op":"=","value":"/users/ada"}]}`,
		`{"kind":"trend","from":"-30d","interval":"month","series":[{"math":"total"}],"breakdown":"consumer","limit":8}`,
		`{"kind":"trend","from":"-30d","interval":"month","series":[{"math":"total"}],"breakdown":"properties.email","limit":8}`,
		`{"kind":"trend","from":"-30d","interval":"month","series":[{"math":"total"}],"breakdown":"device_id","limit":8}`,
		`{"kind":"trend","from":"-7d","series":[{"math":"total"}]}`,
		`{"kind":"growth","from":"-7d"}`,
		`{"KIND":"pages","kind":"growth","from":"-7d","limit":8}`,
		`{}`,
	} {
		if a := ask(body); a.status != 403 && a.status != 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	wantStatus(t, f.as(x.Secret, "GET", f.path("/stats/trend?range=hour"), ""), 200)
	wantError(t, f.as(x.Secret, "GET", f.path("/stats/trend?range=hour&by=consumer"), ""), 403, weir.EFORBIDDEN)
	wantError(t, f.as(x.Secret, "GET", f.path("/stats/trend?event=secret"), ""), 403, weir.EFORBIDDEN)
	f.consumers = true
	if o := f.as(x.Secret, "GET", f.path("/stats/overview"), ""); o.status != 200 || strings.Contains(o.body, "acme") {
		t.Errorf("%d %s", o.status, o.body)
	}
	if o := f.as(f.admin, "GET", f.path("/stats/overview"), ""); !strings.Contains(o.body, "acme") {
		t.Errorf("who has a role does not see consumers: %s", o.body)
	}
}

func TestAPasswordOfASharedLinkGivesAPass(t *testing.T) {
	f := start(t)
	x := f.share(meta.NewShare{Password: "a long password"})
	other := f.share(meta.NewShare{Password: "a long password"})
	locked := decode[httpd.SharedBody](t, f.as(x.Secret, "GET", "/api/v1/share", ""))
	if !locked.Password || locked.Project != nil {
		t.Errorf("without the password: %+v", locked)
	}
	wantError(t, f.as(x.Secret, "GET", f.path("/stats/overview"), ""), 401, weir.EUNAUTHORIZED)
	open := func(secret, password string) answer {
		return f.as(secret, "POST", "/api/v1/share/open", fmt.Sprintf(`{"password":%q}`, password))
	}
	wantError(t, open(x.Secret, "another password"), 401, weir.EUNAUTHORIZED)
	a := open(x.Secret, "a long password")
	wantStatus(t, a, 200)
	pass := decode[struct {
		Token     string
		ExpiresAt time.Time `json:"expires_at"`
	}](t, a)
	reads := func(token string, status int) {
		t.Helper()
		wantStatus(t, f.as(token, "GET", f.path("/stats/overview"), ""), status)
	}
	reads(pass.Token, 200)
	again := decode[struct{ Token string }](t, open(pass.Token, "a long password"))
	reads(again.Token, 200)
	_, signed, _ := strings.Cut(pass.Token, ".")
	reads(other.Secret+"."+signed, 401) // it is for one link
	reads(x.Secret+"."+strings.Replace(signed, ".", "0.", 1), 401)
	reads(x.Secret+".", 401)
	f.watch.add(24*time.Hour - time.Second)
	reads(pass.Token, 200)
	f.watch.add(time.Second)
	reads(pass.Token, 401)

	pass = decode[struct {
		Token     string
		ExpiresAt time.Time `json:"expires_at"`
	}](t, open(x.Secret, "a long password"))
	reads(pass.Token, 200)
	if _, err := f.meta.ChangeShare(t.Context(), f.shop.ID, x.ID, meta.ShareChange{Password: new("another password")}); err != nil {
		t.Fatal(err)
	}
	reads(pass.Token, 401)
	wantError(t, open(f.share(meta.NewShare{}).Secret, "a long password"), 400, weir.EINVALID)
}

func TestGuessesAtThePasswordOfASharedLinkAreSlowedDown(t *testing.T) {
	f := start(t)
	x := f.share(meta.NewShare{Password: "a long password"})
	open := func(password, ip string) answer {
		return f.do("POST", "/api/v1/share/open", fmt.Sprintf(`{"password":%q}`, password), "Authorization", "Bearer "+x.Secret, "X-Forwarded-For", ip)
	}
	for range 5 {
		wantError(t, open("another password", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	wantError(t, open("a long password", "192.0.2.1"), 429, weir.ERATELIMITED)
	wantStatus(t, open("a long password", "192.0.2.2"), 200)
	f.watch.add(12 * time.Second)
	wantStatus(t, open("a long password", "192.0.2.1"), 200)
	if m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body; !strings.Contains(m, `weir_login_failed_total{reason="share_password"} 5`) {
		t.Error("wrong passwords are not counted")
	}
}

func TestReadersOfASharedLinkWhoAskTooMuchAreSlowedDown(t *testing.T) {
	f := start(t)
	x := f.share(meta.NewShare{})
	ask := func(ip string) answer {
		return f.do("GET", "/api/v1/share", "", "Authorization", "Bearer "+x.Secret, "X-Forwarded-For", ip)
	}
	for range 200 {
		wantStatus(t, ask("192.0.2.1"), 200)
	}
	wantError(t, ask("192.0.2.1"), 429, weir.ERATELIMITED)
	wantStatus(t, ask("192.0.2.2"), 200)
}

func TestALiveStreamOfASharedLinkHasNoEventsAndEndsWithIt(t *testing.T) {
	for name, end := range map[string]func(f *fixture, x *meta.Share) error{
		"ended": func(f *fixture, x *meta.Share) error {
			return f.meta.EndShare(context.Background(), f.shop.ID, x.ID)
		},
		"a password": func(f *fixture, x *meta.Share) error {
			_, err := f.meta.ChangeShare(context.Background(), f.shop.ID, x.ID, meta.ShareChange{Password: new("a long password")})
			return err
		},
		"the project is deleted": func(f *fixture, _ *meta.Share) error {
			_, err := f.meta.DeleteProject(context.Background(), f.shop.ID, "Shop")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			x := f.share(meta.NewShare{Shows: meta.ShowsLive})
			_, lines := f.watchWith(t.Context(), x.Secret)
			if got := nextEvent(t, lines); got != "retry: 3000" {
				t.Fatalf("the stream begins with %q", got)
			}
			f.hub.Publish(f.shop.ID, live.Event{Type: live.TypeReceived, Data: live.Received{Count: 2, Events: []insight.EventItem{{DeviceID: "d1", Path: "/secret"}}}})
			if got := nextEvent(t, lines); got != `event: received`+"\n"+`data: {"events":[],"count":2}` {
				t.Errorf("a reader gets %s", got)
			}
			if err := end(f, x); err != nil {
				t.Fatal(err)
			}
			for lines.Scan() { // until the stream ends
			}
		})
	}
}

func TestASharedLinkHasMoreStreamsThanAUser(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.LiveOfUser, c.LiveOfShare = 1, 2 })
	x := f.share(meta.NewShare{})
	for range 2 {
		res, _ := f.watchWith(t.Context(), x.Secret)
		if res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	if res, _ := f.watchWith(t.Context(), x.Secret); res.StatusCode != 503 {
		t.Error(res.Status)
	}
	if res, _ := f.watchLive(t.Context()); res.StatusCode != 200 {
		t.Error("readers keep a user out: " + res.Status)
	}
}

func TestThePageOfASharedLinkIsEmbeddedOnItsSitesOnly(t *testing.T) {
	f := start(t, withUI, func(c *httpd.Config) {
		c.PublicURL = &url.URL{Scheme: "https", Host: "example.com", Path: "/weir"}
	})
	x := f.share(meta.NewShare{Origins: []string{"blog.example", "*.shop.example:8443"}})
	plain := f.share(meta.NewShare{})
	for path, want := range map[string]struct {
		status  int
		framing string
	}{
		"/share/" + x.Secret:      {200, "frame-ancestors *.shop.example:8443 blog.example"},
		"/weir/share/" + x.Secret: {200, "frame-ancestors *.shop.example:8443 blog.example"},
		"/share/" + plain.Secret:  {200, "frame-ancestors 'none'"},
		"/share/wl_made_up":       {404, "frame-ancestors 'none'"},
		"/p/" + f.shop.ID:         {200, "frame-ancestors 'none'"},
		"/":                       {200, "frame-ancestors 'none'"},
		"/assets/app-1.js":        {200, "frame-ancestors 'none'"},
	} {
		a := f.do("GET", path, "", "Accept-Encoding", "identity")
		if csp := a.header.Get("Content-Security-Policy"); a.status != want.status || !strings.HasSuffix(csp, "; "+want.framing) || !strings.HasPrefix(csp, "default-src 'self'; script-src 'self'; ") {
			t.Errorf("%s: %d %s", path, a.status, csp)
		}
		if !strings.Contains(path, "/share/") {
			continue
		}
		for name, value := range map[string]string{"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "X-Frame-Options": ""} {
			if got := a.header.Get(name); got != value {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if !strings.Contains(a.body, "app-1.js") {
			t.Errorf("%s: %s", path, a.body)
		}
		if head := f.do("HEAD", path, ""); head.status != want.status || head.body != "" {
			t.Errorf("HEAD %s: %d %q", path, head.status, head.body)
		}
	}
	wantError(t, f.do("POST", "/share/"+x.Secret, ""), 405, "method_not_allowed")
	wantError(t, f.do("GET", "/share/"+x.Secret+"/more", ""), 404, weir.ENOTFOUND)
	if strings.Contains(f.log.String(), "wl_") {
		t.Error("the log has a link")
	}
	a := f.as(f.admin, "POST", f.path("/shares"), `{"what":"live"}`)
	if made := decode[httpd.ShareBody](t, a); !strings.HasPrefix(made.URL, "https://example.com/weir/share/wl_") {
		t.Errorf("below a path: %s", made.URL)
	}
}

func TestGuessesAtSharedLinksAreSlowedDown(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.UI = fstest.MapFS{"index.html": {Data: []byte("<html>")}} })
	x := f.share(meta.NewShare{})
	for i := range 30 {
		wantStatus(t, f.do("GET", fmt.Sprint("/share/wl_", i), "", "X-Forwarded-For", "192.0.2.1"), 404)
	}
	wantError(t, f.do("GET", "/share/wl_more", "", "X-Forwarded-For", "192.0.2.1"), http.StatusTooManyRequests, weir.ERATELIMITED)
	wantStatus(t, f.do("GET", "/share/"+x.Secret, "", "X-Forwarded-For", "192.0.2.1"), 200)
}

// A reader asks with the link alone: a session in the same browser gives them nothing more.
func TestAReadersSessionGivesTheLinkNothing(t *testing.T) {
	f := start(t)
	root := f.signedIn("root@example.org", weir.RoleNone, true)
	x := f.share(meta.NewShare{})
	wantError(t, f.doWith(root, "GET", f.path("/events"), "", "Authorization", "Bearer "+x.Secret), 403, weir.EFORBIDDEN)
	var body map[string]any
	if err := json.Unmarshal([]byte(f.doWith(root, "GET", "/api/v1/session", "", "Authorization", "Bearer "+x.Secret).body), &body); err != nil || body["user"] != nil {
		t.Errorf("%v %v", body, err)
	}
}
