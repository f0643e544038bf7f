package httpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestGuessesAtTokensAreSlowedDownAndCounted(t *testing.T) {
	f := start(t)
	used := newToken(t, f, meta.NewToken{Name: "used", Scopes: weir.ScopeRead, Admin: true})
	ask := func(token, ip string) answer {
		return f.do("GET", "/api/v1/projects", "", "Authorization", "Bearer "+token, "X-Forwarded-For", ip)
	}
	wantStatus(t, ask(used, "192.0.2.1"), 200)
	for range 100 { // right ones cost nothing
		wantStatus(t, ask(f.admin, "192.0.2.2"), 200)
	}
	for i := range 30 {
		wantError(t, ask(fmt.Sprintf("wt_%d", i), "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	wantError(t, ask("wt_more", "192.0.2.1"), 429, weir.ERATELIMITED)
	a := ask("wt_more", "192.0.2.1")
	wantError(t, a, 429, weir.ERATELIMITED)
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After = %q", a.header.Get("Retry-After"))
	}
	// Right ones are taken, also those that were never used from there: the neighbour
	// who guesses is to keep nobody out.
	wantStatus(t, ask(used, "192.0.2.1"), 200)
	wantStatus(t, ask(f.admin, "192.0.2.1"), 200)
	wantStatus(t, ask(f.admin, "192.0.2.2"), 200)
	wantStatus(t, f.do("POST", "/v1/events", `{"name":"x"}`, "Authorization", "Bearer "+f.key, "X-Forwarded-For", "192.0.2.1"), 200)
	// Signing in with a password has attempts of its own.
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	wantStatus(t, f.logIn(password, "192.0.2.1"), 200)

	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{`weir_login_failed_total{reason="token"} 32`, `weir_login_throttled_total{by="token"} 2`} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	f.watch.add(2 * time.Second)
	wantError(t, ask("wt_more", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
}

func TestATokenThatWasRevokedIsRefusedWhereItWasRightBefore(t *testing.T) {
	f := start(t)
	tok, secret, err := f.meta.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	wantStatus(t, f.as(secret, "GET", "/api/v1/projects", ""), 200)
	if err := f.meta.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, f.as(secret, "GET", "/api/v1/projects", ""), 401, weir.EUNAUTHORIZED)
}
