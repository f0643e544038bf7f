package httpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
)

// rated is a server that holds addresses to a rate.
func rated(t *testing.T, rate weir.Rate) *fixture {
	return start(t, func(c *httpd.Config) {
		c.RateLimiter = ingest.NewLimiter(ingest.LimiterConfig{Clock: c.Clock})
		c.LimitIP = rate
	})
}

// from sends an event from an address.
func (f *fixture) from(ip, key string) answer {
	f.t.Helper()
	return f.do("POST", "/v1/events", `{"name":"x"}`, "X-Weir-Key", key, "X-Forwarded-For", ip)
}

func TestAnAddressIsHeldToItsRate(t *testing.T) {
	f := rated(t, weir.Rate{N: 3, Per: time.Minute})
	for i := range 3 {
		a := f.from("192.0.2.1", f.key)
		wantStatus(t, a, 200)
		for name, want := range map[string]string{
			"RateLimit-Limit": "3", "RateLimit-Remaining": fmt.Sprint(2 - i), "RateLimit-Reset": fmt.Sprint(20 * (i + 1)),
			"RateLimit": fmt.Sprintf(`"ip";r=%d;t=%d`, 2-i, 20*(i+1)), "RateLimit-Policy": `"ip";q=3;w=60`,
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("request %d: %s = %q, want %q", i, name, got, want)
			}
		}
	}
	a := f.from("192.0.2.1", f.key)
	wantError(t, a, 429, weir.ERATELIMITED)
	for name, want := range map[string]string{"Retry-After": "20", "RateLimit-Remaining": "0", "RateLimit-Limit": "3"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	wantStatus(t, f.from("192.0.2.2", f.key), 200)
	wantError(t, f.as(f.admin, "GET", "/api/v1/nothing", ""), 404, weir.ENOTFOUND) // it is of senders alone
	f.watch.add(20 * time.Second)
	wantStatus(t, f.from("192.0.2.1", f.key), 200)
	if n := len(f.bodies); n != 5 {
		t.Errorf("%d bodies were read, want 5: who is refused is not read", n)
	}
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	if !strings.Contains(m, `weir_ingest_senders_refused_total{reason="rate_limited"} 1`) {
		t.Error("the refusal is not counted")
	}
	if strings.Contains(f.log.String(), "192.0.2.1") {
		t.Error("an address is logged")
	}
}

func TestAddressesOfOneCustomerAreOne(t *testing.T) {
	f := rated(t, weir.Rate{N: 2, Per: time.Minute})
	wantStatus(t, f.from("2001:db8:1:2::1", f.key), 200)
	wantStatus(t, f.from("2001:db8:1:2:ffff::1", f.key), 200)
	wantError(t, f.from("2001:db8:1:2:1:2:3:4", f.key), 429, weir.ERATELIMITED)
	wantStatus(t, f.from("2001:db8:1:3::1", f.key), 200)
}

func TestWhoTriesKeysIsHeldToTheRateToo(t *testing.T) {
	f := rated(t, weir.Rate{N: 2, Per: time.Minute})
	for _, key := range []string{"wk_made_up_0", ""} {
		wantError(t, f.from("192.0.2.1", key), 401, weir.EUNAUTHORIZED)
	}
	wantError(t, f.from("192.0.2.1", "wk_made_up_2"), 429, weir.ERATELIMITED)
	wantError(t, f.from("192.0.2.1", f.key), 429, weir.ERATELIMITED)
}

func TestAProjectHasARateOfItsOwn(t *testing.T) {
	f := rated(t, weir.Rate{N: 1, Per: time.Minute})
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"limit_ip":"3/m"}`), 200)
	other, key := f.newProject("Other", "UTC")
	for range 3 {
		wantStatus(t, f.from("192.0.2.1", f.key), 200)
	}
	wantError(t, f.from("192.0.2.1", f.key), 429, weir.ERATELIMITED)
	wantStatus(t, f.from("192.0.2.1", key), 200) // the address has the server's rate elsewhere
	wantError(t, f.from("192.0.2.1", key), 429, weir.ERATELIMITED)
	wantStatus(t, f.as(f.admin, "PATCH", "/api/v1/projects/"+other.ID, `{"limit_ip":"off"}`), 200)
	for range 5 {
		a := f.from("192.0.2.1", key)
		wantStatus(t, a, 200)
		if h := a.header.Get("RateLimit-Limit"); h != "" {
			t.Fatalf("RateLimit-Limit = %q of no rate", h)
		}
	}
}

func TestWithoutLimitsNothingIsSaidOfThem(t *testing.T) {
	f := start(t)
	a := f.from("192.0.2.1", f.key)
	wantStatus(t, a, 200)
	for name := range a.header {
		if strings.HasPrefix(name, "Ratelimit") {
			t.Errorf("%s: %v", name, a.header[name])
		}
	}
	if f.remotes[0].Key != "" {
		t.Errorf("key = %q", f.remotes[0].Key)
	}
}

func TestTheRateNearestItsEndIsNamedFirst(t *testing.T) {
	f := rated(t, weir.Rate{N: 10, Per: time.Minute})
	f.ingest = ingest.Reply{Accepted: 1, Standing: &ingest.Standing{
		Policy: ingest.PolicyKey, Rate: weir.Rate{N: 1000, Per: time.Second}, Remaining: 100, Reset: 900 * time.Millisecond,
	}}
	a := f.do("POST", "/v1/events", `{}`, "X-Weir-Key", f.key, "Origin", "https://blog.example")
	wantStatus(t, a, 200)
	for name, want := range map[string]string{
		"RateLimit-Limit": "1000", "RateLimit-Remaining": "100", "RateLimit-Reset": "1",
		"RateLimit": `"ip";r=9;t=6, "key";r=100;t=1`, "RateLimit-Policy": `"ip";q=10;w=60, "key";q=1000;w=1`,
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
		if !strings.Contains(a.header.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("pages may not read %s", name)
		}
	}
	if strings.Contains(a.body, "1000") {
		t.Errorf("body = %s", a.body)
	}
	if name := f.remotes[0].Key; name == "" || strings.Contains(name, f.key) {
		t.Errorf("the key is called %q", name)
	}
}

func TestARefusalSaysWhenToComeAgain(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		refusal    *ingest.Refusal
		code       string
		retryAfter string
	}{
		{&ingest.Refusal{Err: weir.Errorf(weir.EQUOTA, "used up"), After: 36*time.Hour + time.Millisecond}, weir.EQUOTA, "129601"},
		{ingest.Limited(ingest.Standing{Policy: ingest.PolicyKey, Rate: weir.Rate{N: 5, Per: time.Second}}, 200*time.Millisecond), weir.ERATELIMITED, "1"},
	} {
		f.err = c.refusal
		a := f.as(f.key, "POST", "/v1/events", `{}`)
		wantError(t, a, 429, c.code)
		if got := a.header.Get("Retry-After"); got != c.retryAfter {
			t.Errorf("Retry-After = %q, want %q", got, c.retryAfter)
		}
		if got := a.header.Get("RateLimit-Limit"); (got == "5") != (c.code == weir.ERATELIMITED) {
			t.Errorf("%s: RateLimit-Limit = %q", c.code, got)
		}
	}
}

func TestLimitsAreChangedInPart(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		body string
		want httpd.Limits
		days int
	}{
		{`{"quota":1000000}`, httpd.Limits{Quota: 1000000, Over: "refuse", Sample: 10}, 0},
		{`{"over":"sample","sample":25,"retention_days":30}`, httpd.Limits{Quota: 1000000, Over: "sample", Sample: 25}, 30},
		{`{"limit_key":"1000/s","limit_ip":"off"}`, httpd.Limits{LimitKey: "1000/s", LimitIP: "off", Quota: 1000000, Over: "sample", Sample: 25}, 30},
		{`{"limit_key":"","quota":0,"over":"flag"}`, httpd.Limits{LimitIP: "off", Over: "flag", Sample: 25}, 30},
	} {
		a := f.as(f.admin, "PATCH", f.path(""), c.body)
		wantStatus(t, a, 200)
		for _, a := range []answer{a, f.as(f.admin, "GET", f.path(""), "")} {
			p := decode[httpd.ProjectBody](t, a)
			if d := cmp.Diff(c.want, p.Limits); d != "" || p.RetentionDays != c.days {
				t.Errorf("%s: %d days, %s", c.body, p.RetentionDays, d)
			}
		}
	}
	for _, body := range []string{
		`{"quota":-1}`, `{"quota":1000000000001}`, `{"quota":"7"}`, `{"over":"drop"}`, `{"over":""}`, `{"sample":0}`, `{"sample":100}`,
		`{"limit_key":"fast"}`, `{"limit_ip":"0/s"}`, `{"limit_ip":5}`, `{"limit_key":"1/s","limit_ip":"x"}`,
	} {
		wantError(t, f.as(f.admin, "PATCH", f.path(""), body), 400, weir.EINVALID)
	}
	if p := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), "")); p.LimitKey != "" {
		t.Errorf("a refused change was made in part: %+v", p)
	}
}

func TestUsageIsShownToTheProjectsOwn(t *testing.T) {
	f := start(t)
	a := f.doWith(f.signedIn("ada@example.org", weir.RoleViewer, false), "GET", f.path("/usage"), "")
	wantStatus(t, a, 200)
	u := decode[ingest.Usage](t, a)
	if u.Month != "2026-03" || f.project.ID != f.shop.ID || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("usage = %s", a.body)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/usage?month=2026-03"), ""), 200)
	for _, month := range []string{"2026-02", "9999-13", "x"} {
		wantError(t, f.as(f.admin, "GET", f.path("/usage?month="+month), ""), 400, weir.EINVALID)
	}
	f.err = weir.Errorf(weir.EUNAVAILABLE, "away")
	wantError(t, f.as(f.admin, "GET", f.path("/usage"), ""), 503, weir.EUNAVAILABLE)
}
