package httpd_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/httpd"
)

// badLimiter fails, and remembers what it was asked about.
type badLimiter struct{ keys []string }

func (b *badLimiter) Take(_ context.Context, key string, _ fleet.Limit, _ int) (time.Duration, int, error) {
	b.keys = append(b.keys, key)
	return 0, 0, errors.New("the store is away")
}

func (b *badLimiter) Return(context.Context, string, fleet.Limit, int) error {
	return errors.New("the store is away")
}

func (b *badLimiter) Forget(context.Context, string) error { return errors.New("the store is away") }

// logIn tries a password for ada from an address.
func (f *fixture) logIn(password, ip string) answer {
	f.t.Helper()
	return f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"`+password+`"}`, "X-Forwarded-For", ip)
}

func TestGuessesAtOneNodeCountAtTheOthers(t *testing.T) {
	limiter := local.New(local.Options{Clock: func() time.Time { return time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC) }}).Limiter
	shared := func(c *httpd.Config) { c.Limiter = limiter }
	nodes := []*fixture{start(t, shared), start(t, shared)}
	for _, f := range nodes {
		if _, err := f.meta.CreateUser(t.Context(), "ada@example.org", "Ada", password, false); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		wantError(t, nodes[i%2].logIn("wrong", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	for _, f := range nodes {
		wantError(t, f.logIn(password, "192.0.2.1"), 429, weir.ERATELIMITED)
		wantStatus(t, f.logIn(password, "192.0.2.2"), 200)
	}
}

func TestALimiterThatFailsNeitherLocksOutNorLetsGuess(t *testing.T) {
	limiter := &badLimiter{}
	f := start(t, func(c *httpd.Config) { c.Limiter = limiter })
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	wantStatus(t, f.logIn(password, "192.0.2.1"), 200)
	for range 5 {
		wantError(t, f.logIn("wrong", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	wantError(t, f.logIn(password, "192.0.2.1"), 429, weir.ERATELIMITED)
	f.watch.add(12 * time.Second)
	wantStatus(t, f.logIn(password, "192.0.2.1"), 200)
	for range 5 { // a right password clears this node's slate, too
		wantError(t, f.logIn("wrong", "192.0.2.1"), 401, weir.EUNAUTHORIZED)
	}
	if !strings.Contains(f.log.String(), "the store is away") {
		t.Error("the failure is not in the log")
	}
	for _, key := range limiter.keys {
		if strings.Contains(key, "192.0.2") || strings.Contains(key, "ada") {
			t.Errorf("key %q names who tries", key)
		}
	}
}

func TestGuessesAtOneAccountFromManyAddressesAreSlowedDown(t *testing.T) {
	f := start(t)
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	f.signedIn("bob@example.org", weir.RoleViewer, false)
	refused := 0
	for i := range 620 {
		a := f.logIn("wrong", fmt.Sprintf("198.51.%d.%d", i/5/250, i/5%250))
		if a.status == 429 {
			refused++
			if a.header.Get("Retry-After") != "1" {
				t.Fatalf("Retry-After = %q", a.header.Get("Retry-After"))
			}
		}
	}
	if refused != 21 { // the right one came first
		t.Errorf("%d of 620 guesses were refused, want 21", refused)
	}
	wantStatus(t, f.do("POST", "/api/v1/login", `{"email":"bob@example.org","password":"`+password+`"}`), 200)
	f.watch.add(time.Second)
	wantStatus(t, f.logIn(password, "192.0.2.1"), 200) // one a second goes on
	for range 6 {
		f.watch.add(time.Second)
		f.logIn("wrong", "2001:db8:1:2::1")
	}
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{
		`weir_login_throttled_total{by="account"} 21`, `weir_login_throttled_total{by="account_and_address"} 1`, `weir_login_throttled_total{by="address"} 0`,
		`weir_login_failed_total{reason="password"} 604`,
	} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}
