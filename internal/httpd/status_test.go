package httpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestTheStatusTellsHowTheServerIs(t *testing.T) {
	behind, lag := uint64(7), 1.5
	f := start(t, func(c *httpd.Config) {
		c.Checks = []httpd.Check{
			{Name: "hot", Probe: func(context.Context) error { return errors.New("connection refused") }},
			{Name: "cold", Probe: func(context.Context) error { return nil }},
		}
		c.Status = func(context.Context) (httpd.Status, error) {
			return httpd.Status{
				Roles: []string{"ingest", "drain"}, Hot: map[string]any{"kind": "pebble"},
				Drain: httpd.DrainStatus{BehindEvents: &behind, LagSeconds: &lag},
			}, nil
		}
	})
	f.watch.add(90 * time.Second)
	a := f.as(f.admin, "GET", "/api/admin/status", "")
	wantStatus(t, a, 200)
	want := `{"version":"test","uptime":90,"roles":["ingest","drain"],` +
		`"checks":[{"name":"hot","ok":false,"error":"connection refused"},{"name":"cold","ok":true}],` +
		`"hot":{"kind":"pebble"},"drain":{"behind_events":7,"lag_seconds":1.5}}`
	if strings.TrimSpace(a.body) != want {
		t.Errorf("answer = %s\nwant     %s", a.body, want)
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control = %q", a.header.Get("Cache-Control"))
	}
}

func TestStatusHasAllFieldsWithoutAnySource(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "GET", "/api/admin/status", "")
	wantStatus(t, a, 200)
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"uptime": "0", "roles": "[]", "checks": "[]", "hot": "null", "drain": `{"behind_events":null,"lag_seconds":null}`,
	} {
		if string(got[field]) != want {
			t.Errorf("%s = %s, want %s", field, got[field], want)
		}
	}
}

func TestAStatusThatFailsIsAnInternalError(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.Status = func(context.Context) (httpd.Status, error) { return httpd.Status{}, errors.New("disk on fire") }
	})
	a := f.as(f.admin, "GET", "/api/admin/status", "")
	wantError(t, a, 500, weir.EINTERNAL)
	if strings.Contains(a.body, "fire") {
		t.Errorf("the answer tells of the inside: %s", a.body)
	}
}

func TestOnlyTheServersAdministratorSeesItsStatus(t *testing.T) {
	f := start(t)
	owner := f.signedIn("owner@example.org", weir.RoleAdmin, false) // of a project
	wantError(t, f.doWith(owner, "GET", "/api/admin/status", ""), 403, weir.EFORBIDDEN)
	wantError(t, f.do("GET", "/api/admin/status", ""), 401, weir.EUNAUTHORIZED)
	root := f.signedIn("root@example.org", weir.RoleNone, true)
	wantStatus(t, f.doWith(root, "GET", "/api/admin/status", ""), 200)
}
