package httpd_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestManyNetworksOfOneCustomerDoNotKeepTheOwnerOut(t *testing.T) {
	f := start(t)
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	refused := 0
	for i := range 640 {
		if a := f.logIn("wrong", fmt.Sprintf("2001:db8:1:%x::1", i)); a.status == 429 {
			refused++
		}
	}
	if refused != 640-120 {
		t.Errorf("%d of 640 guesses of a /48 were refused, want %d", refused, 640-120)
	}
	wantStatus(t, f.logIn(password, "192.0.2.1"), 200)
	wantStatus(t, f.logIn(password, "2001:db8:2::1"), 200)
	wantError(t, f.logIn(password, "2001:db8:1:ffff::1"), 429, weir.ERATELIMITED)

	// One /64 that does not stop does not use up its neighbours' attempts.
	f = start(t)
	f.signedIn("ada@example.org", weir.RoleViewer, false)
	for range 640 {
		f.logIn("wrong", "2001:db8:1:1::1")
	}
	wantStatus(t, f.logIn(password, "2001:db8:1:2::1"), 200)
}

// lockedOut makes an account that guesses from everywhere have used up.
func lockedOut(t *testing.T, change ...func(*httpd.Config)) (*fixture, *http.Client) {
	t.Helper()
	f := start(t, change...)
	ada := f.signedIn("ada@example.org", weir.RoleViewer, false)
	for i := range 640 {
		f.logIn("wrong", fmt.Sprintf("2001:db8:%x::1", i))
	}
	wantError(t, f.logIn(password, "192.0.2.1"), 429, weir.ERATELIMITED)
	return f, ada
}

func TestABrowserThatSignedInBeforeIsNotKeptOutByOthersGuesses(t *testing.T) {
	f, ada := lockedOut(t)
	logIn := func(password string) answer {
		return f.doWith(ada, "POST", "/api/v1/login", `{"email":"ADA@example.org ","password":"`+password+`"}`, "X-Forwarded-For", "192.0.2.1")
	}
	wantStatus(t, f.doWith(ada, "POST", "/api/v1/logout", ""), 204) // which leaves it known
	for range 5 {
		wantError(t, logIn("wrong"), 401, weir.EUNAUTHORIZED)
	}
	wantError(t, logIn(password), 429, weir.ERATELIMITED) // it cannot guess without end
	f.watch.add(12 * time.Second)
	wantStatus(t, logIn(password), 200)
	for range 5 {
		wantError(t, logIn("wrong"), 401, weir.EUNAUTHORIZED)
	}
	if m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body; !strings.Contains(m, `weir_login_throttled_total{by="device"} 1`) {
		t.Error("/metrics does not count what a known browser tries too often")
	}
}

func TestOnlyTheServersOwnCookieOfTheAccountMakesABrowserKnown(t *testing.T) {
	key := []byte("a key that both servers have")
	f, ada := lockedOut(t, func(c *httpd.Config) { c.DeviceKey = key })
	u := mustURL(t, f.server.URL+"/api/v1/login")
	var own *http.Cookie
	for _, c := range ada.Jar.Cookies(u) {
		if c.Name == "weir_device" {
			own = c
		}
	}
	if own == nil {
		t.Fatal("no cookie")
	}
	bob := f.signedIn("bob@example.org", weir.RoleViewer, false)
	bobs := ""
	for _, c := range bob.Jar.Cookies(u) {
		if c.Name == "weir_device" {
			bobs = c.Value
		}
	}
	with := func(f *fixture, value string) answer {
		return f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"`+password+`"}`, "Cookie", "weir_device="+value, "X-Forwarded-For", "192.0.2.1")
	}
	parts := strings.Split(own.Value, ".")
	for name, value := range map[string]string{
		"nothing": "", "no signature": parts[0] + "." + parts[1], "another id": "x" + own.Value, "a later end": parts[0] + ".9" + parts[1] + "." + parts[2],
		"another account's": bobs, "dots": "..", "made up": "a.b.c",
	} {
		if a := with(f, value); a.status != 429 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	wantStatus(t, with(f, own.Value), 200)
	other, _ := lockedOut(t, func(c *httpd.Config) { c.DeviceKey = key }) // a node, or the server after a restart
	wantStatus(t, with(other, own.Value), 200)
	stranger, _ := lockedOut(t, func(c *httpd.Config) { c.DeviceKey = []byte("another key") })
	wantError(t, with(stranger, own.Value), 429, weir.ERATELIMITED)
	other.watch.add(366 * 24 * time.Hour)
	for i := range 640 {
		other.logIn("wrong", fmt.Sprintf("2001:db8:%x::1", i))
	}
	wantError(t, with(other, own.Value), 429, weir.ERATELIMITED) // it ends
}

func TestTheCookieOfAKnownBrowserIsSentToTheLoginAlone(t *testing.T) {
	f := start(t)
	a := f.do("POST", "/api/v1/setup", setup, "X-Forwarded-Proto", "https")
	for _, line := range a.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		if c.Name != "weir_device" {
			continue
		}
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/api/v1/login" || c.MaxAge != 365*24*3600 {
			t.Errorf("cookie = %+v", c)
		}
		if strings.Contains(f.log.String(), c.Value) {
			t.Error("the cookie is logged")
		}
		return
	}
	t.Fatal("no cookie")
}

// counting counts the buckets that a limiter was asked about.
type counting struct {
	fleet.Limiter
	keys map[string]bool
}

func (c counting) Take(ctx context.Context, key string, l fleet.Limit, n int) (time.Duration, int, error) {
	c.keys[key] = true
	return c.Limiter.Take(ctx, key, l, n)
}

func TestAFloodOfGuessesMakesFewBucketsInTheSharedStore(t *testing.T) {
	shared := counting{keys: map[string]bool{}}
	f := start(t, func(c *httpd.Config) {
		shared.Limiter = local.New(local.Options{Clock: c.Clock}).Limiter
		c.Limiter = shared
	})
	for i := range 2000 { // all of one /48, each of a /64 of its own
		f.do("POST", "/api/v1/login", `{"email":"ada@example.org","password":"wrong"}`, "X-Forwarded-For", fmt.Sprintf("2001:db8:1:%x::1", i))
	}
	// 120 got through the /48, each with buckets of its address, its /56, and with the account.
	if n := len(shared.keys); n > 3*120+2 {
		t.Errorf("%d buckets", n)
	}
}
