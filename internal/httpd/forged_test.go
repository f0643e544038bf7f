package httpd_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	fleetredis "github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/redistest"
)

// Somebody who can write to Redis, and has an account or none, does not become an
// administrator by what they write there.
func TestAForgedSessionInRedisSignsNobodyIn(t *testing.T) {
	server := redistest.Start(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	f := start(t, func(c *httpd.Config) {
		c.Sessions = fleetredis.New(client, fleetredis.Options{SessionKey: func(context.Context) ([]byte, error) { return bytes.Repeat([]byte("k"), 32), nil }}).Sessions
	})
	name := func(token string) string {
		sum := sha256.Sum256([]byte(token))
		return "w:session:" + hex.EncodeToString(sum[:])
	}
	token := func(c *http.Client) string { return c.Jar.Cookies(mustURL(t, f.server.URL))[0].Value }
	owner := token(f.signedIn("ada@example.org", weir.RoleOwner, true))
	viewer := token(f.signedIn("eve@example.org", weir.RoleNone, false))
	for _, has := range []string{owner, viewer} {
		wantStatus(t, f.do("GET", "/api/v1/projects", "", "Cookie", "weir_session="+has), 200)
	}
	for what, forge := range map[string]func(){
		"a copy of the owner's under a token of one's own": func() { server.Do("COPY", name(owner), name("mine"), "REPLACE") },
		"one as an earlier version stored it": func() {
			const sealed = 1 + 8 + sha256.Size
			server.Do("SET", name("mine"), server.Do("GET", name(owner))[sealed:])
		},
		"nonsense": func() { server.Do("SET", name("mine"), "nonsense") },
	} {
		forge()
		a := f.do("GET", "/api/v1/projects", "", "Cookie", "weir_session=mine")
		if a.status != 401 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	server.Do("COPY", name(owner), name(viewer), "REPLACE")
	wantError(t, f.do("GET", "/api/v1/projects", "", "Cookie", "weir_session="+viewer), 401, weir.EUNAUTHORIZED)
	wantStatus(t, f.do("GET", "/api/v1/projects", "", "Cookie", "weir_session="+owner), 200)
}
