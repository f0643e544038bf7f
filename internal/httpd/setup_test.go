package httpd_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

// claim is a set-up by email with a code.
func claim(email, code string) string {
	return fmt.Sprintf(`{"code":%q,"email":%q,"name":"X","password":"correct horse"}`, code, email)
}

func TestOnlyWhoHasTheCodeOrTheAdminTokenOwnsAServer(t *testing.T) {
	f := start(t)
	refused := map[string][2]string{ // code and bearer
		"nothing":                {"", ""},
		"a made-up code":         {"made-up", ""},
		"the start of the code":  {setupCode[:len(setupCode)-1], ""},
		"a write key":            {"", f.key},
		"a write key as code":    {f.key, ""},
		"an unknown token":       {"", "wt_made_up"},
		"an admin's reading one": {"", newToken(t, f, meta.NewToken{Name: "x", Scopes: weir.ScopeRead, Admin: true})},
	}
	for r := weir.RoleViewer; r <= weir.RoleAdmin; r++ {
		token := newToken(t, f, meta.NewToken{Name: "x", Scopes: r.Scopes(), ProjectID: f.shop.ID})
		refused["a token of "+r.String()], refused["a token as code of "+r.String()] = [2]string{"", token}, [2]string{token, ""}
	}
	for name, c := range refused {
		more := []string{}
		if c[1] != "" {
			more = []string{"Authorization", "Bearer " + c[1]}
		}
		if a := f.do("POST", "/api/v1/setup", claim("eve@example.org", c[0]), more...); a.status != 401 || a.code() != weir.EUNAUTHORIZED {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if s := session(t, f.do("GET", "/api/v1/session", "")); !s.SetupRequired {
		t.Fatal("somebody of them owns the server")
	}
	for name, c := range map[string][2]string{"the code": {setupCode, ""}, "the admin token": {"", f.admin}, "the admin token as code": {f.admin, ""}} {
		f := start(t)
		more := []string{}
		if c[1] != "" {
			more = []string{"Authorization", "Bearer " + f.admin}
		}
		code := c[0]
		if code != "" && code != setupCode {
			code = f.admin
		}
		if a := f.do("POST", "/api/v1/setup", claim("ada@example.org", code), more...); a.status != 201 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		wantError(t, f.do("POST", "/api/v1/setup", claim("eve@example.org", code), more...), 409, weir.ECONFLICT) // once
		if strings.Contains(f.log.String(), setupCode) || strings.Contains(f.log.String(), f.admin) {
			t.Error("the code or the token is logged")
		}
	}
}

func TestWithoutACodeTheAdminTokenAloneOpensTheSetUp(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.SetupCode = "" })
	for _, code := range []string{"", " ", setupCode} {
		wantError(t, f.do("POST", "/api/v1/setup", claim("eve@example.org", code)), 401, weir.EUNAUTHORIZED)
	}
	wantStatus(t, f.do("POST", "/api/v1/setup", claim("ada@example.org", f.admin)), 201)
}

func TestOfManySetUpsAtOnceOneOwnsTheServer(t *testing.T) {
	f := start(t)
	var wg sync.WaitGroup
	got := make([]int, 12)
	for i := range got {
		wg.Go(func() {
			got[i] = f.do("POST", "/api/v1/setup", claim(fmt.Sprintf("u%d@example.org", i), setupCode)).status
		})
	}
	wg.Wait()
	owners := 0
	for _, status := range got {
		switch status {
		case 201:
			owners++
		case 409:
		default:
			t.Errorf("a set-up got %d", status)
		}
	}
	if owners != 1 {
		t.Fatalf("%d own the server", owners)
	}
}

func TestGuessesAtTheSetUpCodeAreSlowedDownAndCounted(t *testing.T) {
	f := start(t)
	guess := func(code, ip string) answer {
		return f.do("POST", "/api/v1/setup", claim("eve@example.org", code), "X-Forwarded-For", ip)
	}
	for i := range 30 {
		wantError(t, guess(fmt.Sprint(i), "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	a := guess("one more", "192.0.2.1")
	wantError(t, a, 429, weir.ERATELIMITED)
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After = %q", a.header.Get("Retry-After"))
	}
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{`weir_login_failed_total{reason="setup_code"} 31`, `weir_login_throttled_total{by="setup_code"} 1`} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	wantStatus(t, guess(setupCode, "192.0.2.1"), 201) // the owner, behind the same address
}
