package httpd_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// delivery is what came to Deliver.
type delivery struct {
	project  string
	events   []weir.Incoming
	rejected []weir.Rejection
	remote   ingest.Remote
}

func (b *backend) Deliver(ctx context.Context, p *weir.Project, in []weir.Incoming, rejected []weir.Rejection, r ingest.Remote) (ingest.Reply, error) {
	if err := b.work(ctx); err != nil {
		return ingest.Reply{}, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remotes = append(b.remotes, r)
	if err := b.asked(p); err != nil {
		return ingest.Reply{}, err
	}
	b.deliveries = append(b.deliveries, delivery{p.ID, slices.Clone(in), rejected, r}) // the request uses them again
	if told := b.ingest; told.Accepted+told.Duplicates+len(told.Rejected) > 0 || told.Standing != nil {
		return told, nil
	}
	return ingest.Reply{Accepted: len(in), Rejected: rejected}, nil
}

func (b *backend) Device(_ context.Context, p *weir.Project, r ingest.Remote) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return "device of " + p.ID + " at " + r.IP, b.asked(p)
}

func (b *backend) Refused(error) {}

// taken are the deliveries since the last call.
func (b *backend) taken() []delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.deliveries
	b.deliveries = nil
	return d
}

// vendorCall is a request as a vendor's SDK makes it. NAME stands for what names the
// project, BASIC for the same as the user of basic authentication.
type vendorCall struct {
	path    string // with its query; the route's own when ""
	body    string
	headers []string
	refused int // the status for a NAME that is nobody's; 401 when 0
}

// vendorCalls has a call with one event for each route of protocols.All that takes
// events.
var vendorCalls = map[string]vendorCall{
	"POST /event":             {body: `{"name":"signup"}`, headers: []string{"Openpanel-Client-Id", "NAME"}},
	"POST /profile":           {body: `{"profileId":"ada","clientId":"NAME"}`},
	"POST /profile/increment": {body: `{"profileId":"ada","property":"visits","value":1}`, headers: []string{"Openpanel-Client-Id", "NAME"}},
	"GET /matomo.php":         {path: "?idsite=NAME&rec=1&url=https://shop.example/"},
	"POST /matomo.php":        {body: "idsite=NAME&rec=1&url=https%3A%2F%2Fshop.example%2F"},
	"GET /piwik.php":          {path: "?idsite=NAME&rec=1&url=https://shop.example/"},
	"POST /piwik.php":         {body: `{"requests":["?idsite=NAME&rec=1&url=https://shop.example/"]}`},
	"POST /profile/decrement": {body: `{"profileId":"ada","property":"visits","value":1}`, headers: []string{"Openpanel-Client-Id", "NAME"}},

	"POST /e":             {body: `{"api_key":"NAME","batch":[{"event":"a","distinct_id":"ada"}]}`},
	"POST /i/v0/e":        {body: `[{"event":"a","distinct_id":"ada","token":"NAME"}]`},
	"POST /batch":         {body: `{"api_key":"NAME","batch":[{"event":"a","distinct_id":"ada"}]}`},
	"POST /i/v0/ai/batch": {body: `{"api_key":"NAME","batch":[{"event":"$ai_generation","distinct_id":"ada"}]}`},
	"POST /capture":       {body: `{"api_key":"NAME","event":"a","distinct_id":"ada"}`},
	"POST /engage":        {body: `{"$token":"NAME","$distinct_id":"ada","$set":{"plan":"pro"}}`},
	"POST /track":         {body: `{"event":"a","properties":{"token":"NAME","distinct_id":"ada"}}`},
	"GET /e":              {path: posthogQuery},
	"GET /i/v0/e":         {path: posthogQuery},
	"GET /batch":          {path: posthogQuery},
	"GET /capture":        {path: posthogQuery},
	"GET /engage":         {path: posthogQuery},
	"GET /track":          {path: posthogQuery},
	"POST " + posthogV1:   {body: posthogBodyV1, headers: []string{"Authorization", "Bearer NAME"}},
	"POST /import":        {path: "?strict=1", body: `[{"event":"a","properties":{"time":1767323045,"distinct_id":"ada"}}]`, headers: []string{"Authorization", "Basic BASIC"}},
	"GET /import":         {path: `?data=%7B%22event%22%3A%22a%22%2C%22properties%22%3A%7B%22time%22%3A1767323045%2C%22token%22%3A%22NAME%22%7D%7D`},
	"POST /groups":        {path: "?verbose=1", body: `[{"$token":"NAME","$group_key":"company","$group_id":"acme","$set":{"seats":20}}]`},
	"GET /groups":         {path: `?data=%7B%22%24token%22%3A%22NAME%22%2C%22%24group_key%22%3A%22company%22%2C%22%24group_id%22%3A1%7D`},
	"POST /2/httpapi":     {body: `{"api_key":"NAME","events":[{"event_type":"a","user_id":"ada"}]}`, refused: 400},
	"POST /identify":      {body: `api_key=NAME&identification={"user_id":"ada","user_properties":{"plan":"pro"}}`, refused: 400},
	"POST /groupidentify": {body: `api_key=NAME&identification={"group_type":"company","group_value":"acme"}`, refused: 400},
	"POST /api/event":     {body: `{"name":"pageview","url":"https://shop.example/","domain":"NAME"}`, refused: 202},
	"POST /api/send":      {body: `{"type":"event","payload":{"website":"NAME","hostname":"shop.example","url":"/"}}`, refused: 400},
	"POST /api/batch":     {body: `[{"type":"event","payload":{"website":"NAME","hostname":"shop.example","url":"/"}}]`, refused: 200},
}

const (
	posthogQuery  = `?data=%7B%22event%22%3A%22a%22%2C%22distinct_id%22%3A%22ada%22%2C%22api_key%22%3A%22NAME%22%7D`
	posthogV1     = "/i/v1/analytics/events"
	posthogBodyV1 = `{"created_at":"2026-01-02T03:04:05Z","batch":[{"event":"a","uuid":"0190b2f0-0000-7000-8000-000000000001",` +
		`"distinct_id":"ada","timestamp":"2026-01-02T03:04:05Z","options":{},"properties":{}}]}`
)

// quietRoutes take no events and need no project.
var quietRoutes = map[string]bool{
	"GET /track/device-id": true, // needs a project: openpanel_test.go
	"POST /s":              true, "POST /i/v0/ai": true, "POST /i/v0/ai/otel": true,
	"POST /i/v1/logs": true, "POST /i/v1/metrics": true, "POST /i/v1/traces": true,
	"GET /flags": true, "POST /flags": true, "GET /decide": true, "POST /decide": true, "GET /flags/definitions": true,
	"GET /array/{token}/config": true, "GET /array/{token}/config.js": true,
	"GET /api/surveys": true, "GET /api/early_access_features": true, "GET /api/web_experiments": true,
	"GET /static/{file}": true, "GET /static/{version}/{file}": true, "GET /api/product_tours": true, "GET /api/feature_flag/local_evaluation": true,
	"POST /api/record":   true,
	"GET /api/heartbeat": true,
	"POST /record":       true,
}

func (f *fixture) send(pattern string, name string, more ...string) answer {
	f.t.Helper()
	call := vendorCalls[strings.TrimSuffix(pattern, "/{$}")]
	method, path, _ := strings.Cut(pattern, " ")
	fill := strings.NewReplacer("NAME", name, "BASIC", base64.StdEncoding.EncodeToString([]byte(name+":")), "{$}", "", "{token}", name).Replace
	if _, query, ok := strings.Cut(call.path, "?"); ok {
		path += "?" + query
	}
	headers := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"}
	for _, h := range call.headers {
		headers = append(headers, fill(h))
	}
	return f.do(method, fill(path), fill(call.body), append(headers, more...)...)
}

func TestEveryVendorsRouteTakesAProjectsOwnNameOnly(t *testing.T) {
	f := start(t)
	other, foreignKey := f.newProject("Other", "UTC")
	if err := f.meta.SetSites(t.Context(), f.shop.ID, []string{"Shop.Example"}); err != nil {
		t.Fatal(err)
	}
	viewer := newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.AllScopes, ProjectID: f.shop.ID})
	for _, rule := range httpd.Rules() {
		pattern := rule.Method + " " + rule.Path
		plain := strings.TrimSuffix(pattern, "/{$}")
		if rule.Need != httpd.Sender || quietRoutes[plain] {
			continue
		}
		call, ok := vendorCalls[plain]
		if !ok {
			t.Errorf("%s: the test has no call for it", plain)
			continue
		}
		for _, c := range []struct {
			who, name, project string
			headers            []string
		}{
			{"the key", f.key, f.shop.ID, nil},
			{"another project's key", foreignKey, other.ID, nil},
			{"a site", "shop.example", f.shop.ID, nil},
			{"a site in another spelling", "SHOP.example", f.shop.ID, nil},
			{"an unknown key", "wk_made_up", "", nil},
			{"an unknown site", "shop.example.evil", "", nil},
			{"a project's id", f.shop.ID, "", nil},
			{"an API token", viewer, "", nil},
			{"the admin's token", f.admin, "", nil},
			{"nobody", "", "", nil},
			{"nobody with a cookie", "", "", []string{"Cookie", "weir_session=made-up"}},
		} {
			a := f.send(pattern, c.name, c.headers...)
			got := f.taken()
			switch {
			case c.project == "":
				if len(got) != 0 || a.status != cmp.Or(call.refused, 401) && (c.name != "" || a.status != 400) {
					t.Errorf("%s as %s: %d %s, delivered %d times", pattern, c.who, a.status, a.body, len(got))
				}
			case len(got) != 1 || got[0].project != c.project || len(got[0].events) != 1 || a.status > 299:
				t.Errorf("%s as %s: %d %s, delivered %+v", pattern, c.who, a.status, a.body, got)
			}
		}
	}
}

func TestPagesOfAnySiteMayCallAVendorsRoute(t *testing.T) {
	f := start(t)
	page := []string{"Origin", "https://shop.example"}
	for _, rule := range httpd.Rules() {
		if rule.Need != httpd.Sender {
			continue
		}
		path := strings.NewReplacer("{$}", "", "{token}", "x", "{file}", "x").Replace(rule.Path)
		a := f.do("OPTIONS", path, "", append(page, "Access-Control-Request-Method", rule.Method, "Access-Control-Request-Headers", "x-unusual-header")...)
		if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://shop.example" ||
			a.header.Get("Access-Control-Allow-Headers") != "x-unusual-header" || a.header.Get("Access-Control-Allow-Credentials") != "true" ||
			!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), rule.Method) {
			t.Errorf("OPTIONS %s: %d %v", path, a.status, a.header)
		}
		if quietRoutes[strings.TrimSuffix(rule.Method+" "+rule.Path, "/{$}")] {
			continue
		}
		for what, a := range map[string]answer{
			"an unknown key": f.send(rule.Method+" "+rule.Path, "wk_made_up", page...),
			"a wrong method": f.do("PUT", path, "", page...),
		} {
			if a.status < 300 && what == "a wrong method" || a.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
				t.Errorf("%s with %s: %d %v", path, what, a.status, a.header)
			}
		}
	}
}

func TestAVendorsSDKIsToldToComeBack(t *testing.T) {
	f := start(t)
	for pattern := range vendorCalls {
		for _, c := range []struct {
			err    error
			status int
		}{
			{weir.Errorf(weir.EUNAVAILABLE, "full"), 503},
			{ingest.Limited(ingest.Standing{Policy: "key", Rate: weir.Rate{N: 1, Per: time.Second}}, 3*time.Second), 429},
			{errors.New("secret inside"), 500},
		} {
			f.backend.mu.Lock()
			f.backend.err = c.err
			f.backend.mu.Unlock()
			a := f.send(pattern, f.key)
			if a.status != c.status || c.status != 500 && a.header.Get("Retry-After") == "" || strings.Contains(a.body, "secret") {
				t.Errorf("%s, %v: %d %s %v", pattern, c.err, a.status, a.body, a.header)
			}
		}
		f.backend.mu.Lock()
		f.backend.err = nil
		f.backend.mu.Unlock()
	}
}

func TestABodyThatIsTooLargeIsRefusedAsTheVendorDoes(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.MaxIngestBody = 10 })
	for pattern, call := range vendorCalls {
		if len(call.body) <= 10 || f.key == "" {
			continue
		}
		if a := f.send(pattern, f.key); a.status != http.StatusRequestEntityTooLarge && a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", pattern, a.status, a.body)
		}
		if got := f.taken(); len(got) != 0 {
			t.Errorf("%s: delivered %+v", pattern, got)
		}
	}
}

func TestEveryProtocolHasItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range protocols.All(nil) {
		if p.Vendor() == "" || seen[p.Vendor()] {
			t.Errorf("vendor %q", p.Vendor())
		}
		seen[p.Vendor()] = true
	}
}

func TestAVendorsSenderIsHeldToItsAddressesRateBeforeItsBodyIsRead(t *testing.T) {
	f := rated(t, weir.Rate{N: 2, Per: time.Minute})
	at := func(ip, pattern, name string) answer { return f.send(pattern, name, "X-Forwarded-For", ip) }
	a := at("192.0.2.1", "POST /api/event", f.key)
	if a.status != 202 || a.header.Get("RateLimit-Limit") != "2" || a.header.Get("RateLimit-Remaining") != "1" {
		t.Errorf("within the rate: %d %v", a.status, a.header)
	}
	if a := f.do("POST", "/batch", "{", "X-Forwarded-For", "192.0.2.1"); a.status != 400 { // what is wrong counts too
		t.Errorf("a wrong body: %d %s", a.status, a.body)
	}
	a = at("192.0.2.1", "POST /batch", f.key)
	if a.status != 429 || a.header.Get("Retry-After") == "" || f.do("POST", "/batch", "{", "X-Forwarded-For", "192.0.2.1").status != 429 {
		t.Errorf("over the rate: %d %v", a.status, a.header)
	}
	for range 5 { // what takes no events is not held to it
		if a := f.do("POST", "/flags/?v=2", "{}", "X-Forwarded-For", "192.0.2.1"); a.status != 200 {
			t.Errorf("flags: %d", a.status)
		}
	}
	// A request is one, however many projects it names.
	if a := at("192.0.2.2", "POST /api/event", f.key+",nobody.example,noone.example"); a.status != 202 || a.header.Get("RateLimit-Remaining") != "1" {
		t.Errorf("three sites: %d %v", a.status, a.header)
	}
	// A project's own rate goes before the server's, which is given back.
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"limit_ip":"off"}`), 200)
	for range 5 {
		if a := at("192.0.2.3", "POST /batch", f.key); a.status != 200 || a.header.Get("RateLimit-Limit") != "" {
			t.Errorf("a project without a rate: %d %v", a.status, a.header)
		}
	}
	f.taken()
}

func TestASitesNameHasOneRateHoweverItIsSpelt(t *testing.T) {
	f := rated(t, weir.Rate{N: 100, Per: time.Minute})
	if err := f.meta.SetSites(t.Context(), f.shop.ID, []string{"shop.example", "other.example"}); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for _, name := range []string{"shop.example", "SHOP.example", "www.shop.example", " shop.example", "other.example"} {
		f.send("POST /api/send", name)
		for _, d := range f.taken() {
			keys[d.remote.Key] = true
		}
	}
	f.send("POST /api/send", f.key)
	if got := f.taken(); len(keys) != 1 || len(got) != 1 || keys[got[0].remote.Key] || got[0].remote.Key == "" {
		t.Errorf("sites: %v, the key: %+v", keys, got)
	}
}

func TestAProjectHasAnEventOnceHoweverManyOfItsNamesItIsFor(t *testing.T) {
	f := start(t)
	other, foreignKey := f.newProject("Other", "UTC")
	if err := f.meta.SetSites(t.Context(), f.shop.ID, []string{"shop.example", "all.example"}); err != nil {
		t.Fatal(err)
	}
	a := f.send("POST /api/event", "shop.example,www.shop.example,"+foreignKey+",all.example,"+f.key)
	got := f.taken()
	if a.status != 202 || a.header.Get("X-Plausible-Dropped") != "" || len(got) != 2 || got[0].project != f.shop.ID || got[1].project != other.ID {
		t.Errorf("%d %v, delivered %+v", a.status, a.header, got)
	}
	if a := f.send("POST /api/batch", "shop.example"); a.status != 200 || len(f.taken()) != 1 {
		t.Errorf("a batch: %d", a.status)
	}
	f.backend.mu.Lock()
	f.backend.err = weir.Errorf(weir.EUNAVAILABLE, "full")
	f.backend.mu.Unlock()
	if a := f.send("POST /api/event", "shop.example,all.example"); a.status != 503 {
		t.Errorf("not taken under its first name: %d", a.status)
	}
}
