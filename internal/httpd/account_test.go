package httpd_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

const (
	setupCode = "the-code-that-was-printed"
	setup     = `{"code":"` + setupCode + `","email":"Ada@example.org","name":"Ada","password":"correct horse"}`
)

func session(t *testing.T, a answer) httpd.SessionBody {
	t.Helper()
	var s httpd.SessionBody
	if err := json.Unmarshal([]byte(a.body), &s); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return s
}

func TestAFreshServerAsksForSetupAndTheFirstAccountIsSignedIn(t *testing.T) {
	f := start(t)
	c := browser(t)
	a := f.doWith(c, "GET", "/api/v1/session", "")
	if strings.TrimSpace(a.body) != `{"user":null,"setup_required":true}` {
		t.Fatalf("session = %s", a.body)
	}
	a = f.doWith(c, "POST", "/api/v1/setup", setup)
	wantStatus(t, a, 201)
	if s := session(t, a); s.User == nil || s.User.Email != "ada@example.org" || s.User.Name != "Ada" || !s.User.Admin || s.SetupRequired {
		t.Fatalf("setup = %s", a.body)
	}
	a = f.doWith(c, "GET", "/api/v1/session", "")
	if s := session(t, a); s.User == nil || s.User.Email != "ada@example.org" || s.SetupRequired {
		t.Fatalf("session = %s", a.body)
	}
	wantStatus(t, f.doWith(c, "GET", f.path(""), ""), 200)
	wantError(t, f.do("POST", "/api/v1/setup", `{"email":"eve@example.org","name":"Eve","password":"12345678"}`), 409, weir.ECONFLICT)
}

func TestTheSessionsCookieIsOutOfReachForScripts(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		proto  string
		secure bool
	}{{"", false}, {"http", false}, {"https", true}} {
		f.watch.add(time.Minute)
		a := f.do("POST", "/api/v1/setup", setup, "X-Forwarded-Proto", c.proto)
		if a.status != 201 {
			a = f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"correct horse"}`, "X-Forwarded-Proto", c.proto)
		}
		got, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatalf("%v: %d %s", err, a.status, a.body)
		}
		if !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/" || got.Secure != c.secure || got.MaxAge <= 0 {
			t.Errorf("over %q: cookie = %+v", c.proto, got)
		}
		if strings.Contains(f.log.String(), got.Value) {
			t.Error("the session's token is logged")
		}
	}
}

func TestLoginTakesTheRightPasswordOnlyAndLogoutEndsIt(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	wantStatus(t, f.doWith(c, "GET", "/api/v1/projects", ""), 200)
	stolen := append([]*http.Cookie(nil), c.Jar.Cookies(mustURL(t, f.server.URL))...)
	a := f.doWith(c, "POST", "/api/v1/logout", "")
	wantStatus(t, a, 204)
	wantError(t, f.doWith(c, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
	wantError(t, f.do("GET", "/api/v1/projects", "", "Cookie", stolen[0].String()), 401, weir.EUNAUTHORIZED)

	wantError(t, f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"wrong"}`), 401, weir.EUNAUTHORIZED)
	wantError(t, f.do("POST", "/api/v1/login", `{"email":"eve@example.org","password":"wrong"}`), 401, weir.EUNAUTHORIZED)
	if strings.Contains(f.log.String(), password) {
		t.Error("a password is logged")
	}
}

func TestLoginGivesANewTokenEachTime(t *testing.T) {
	f := start(t)
	c := f.signedIn("ada@example.org", weir.RoleViewer, false)
	before := c.Jar.Cookies(mustURL(t, f.server.URL))[0].String()
	wantStatus(t, f.doWith(c, "POST", "/api/v1/login", `{"email":"ada@example.org","password":"correct horse"}`), 200)
	if after := c.Jar.Cookies(mustURL(t, f.server.URL))[0].String(); after == before {
		t.Fatal("the session's token was kept")
	}
	wantError(t, f.do("GET", "/api/v1/projects", "", "Cookie", before), 401, weir.EUNAUTHORIZED)
}

func TestGuessingPasswordsIsSlowedDownByAccountAndAddress(t *testing.T) {
	f := start(t)
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	guess := func(email, password, ip string) answer {
		return f.do("POST", "/api/v1/login", `{"email":"`+email+`","password":"`+password+`"}`, "X-Forwarded-For", ip)
	}
	for range 5 {
		wantError(t, guess("ada@example.org", "wrong", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	a := guess("ADA@example.org", password, "192.0.2.1")
	wantError(t, a, 429, weir.ERATELIMITED)
	if a.header.Get("Retry-After") != "12" {
		t.Errorf("Retry-After = %q, want 12", a.header.Get("Retry-After"))
	}
	wantStatus(t, guess("ada@example.org", password, "192.0.2.2"), 200) // she herself, elsewhere
	f.watch.add(12 * time.Second)
	wantStatus(t, guess("ada@example.org", password, "192.0.2.1"), 200)
	for range 5 { // a right password clears the slate
		wantError(t, guess("ada@example.org", "wrong", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
}

func TestOneAddressCannotTryManyAccounts(t *testing.T) {
	f := start(t)
	limited := 0
	for i := range 40 {
		// All of one IPv6 network.
		ip := "2001:db8::" + string(rune('a'+i%6))
		a := f.do("POST", "/api/v1/login", `{"email":"u`+string(rune('a'+i%26))+string(rune('a'+i/26))+`@example.org","password":"wrong"}`, "X-Forwarded-For", ip)
		if a.status == 429 {
			limited++
		}
	}
	if limited != 10 {
		t.Fatalf("%d of 40 tries were refused, want 10", limited)
	}
}

func TestSetupRefusesBadInput(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		`{"email":"ada","name":"Ada","password":"correct horse"}`,
		`{"email":"ada@example.org","name":"","password":"correct horse"}`,
		`{"email":"ada@example.org","name":"Ada","password":"short"}`,
		`{"email":"ada@example.org","name":"Ada"}`,
		`{"email":1,"name":"Ada","password":"correct horse"}`,
		`[]`, `null`, `{`, ``, "{\"email\":\"\x00\"}",
	} {
		f.watch.add(time.Minute)
		a := f.as(f.admin, "POST", "/api/v1/setup", body)
		wantError(t, a, 400, weir.EINVALID)
		if strings.Contains(a.body, "correct horse") {
			t.Errorf("the answer to %s holds the password: %s", body, a.body)
		}
	}
	if s := session(t, f.do("GET", "/api/v1/session", "")); !s.SetupRequired {
		t.Fatal("a refused setup was done")
	}
}
