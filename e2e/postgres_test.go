package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/postgrestest"
	"github.com/weir-analytics/weir/internal/redistest"
	"github.com/weir-analytics/weir/internal/servertest"
)

// ready returns the status of /readyz.
func (s *server) ready() int {
	s.t.Helper()
	_, status := s.do("GET", "/readyz", "", "", nil)
	return status
}

// signedIn is who the cookies are taken for, "" for nobody.
func (s *server) signedIn(cookies string) string {
	s.t.Helper()
	_, answer, _ := s.asks("GET", "/api/v1/session", map[string]string{"Cookie": cookies}, nil)
	var b struct{ User *struct{ Email string } }
	if json.Unmarshal(answer, &b) != nil || b.User == nil {
		return ""
	}
	return b.User.Email
}

func TestNodesWithoutACommonFileShareUsersKeysAndSessions(t *testing.T) {
	t.Parallel()
	database, redis := postgrestest.Start(t), redistest.Start(t)
	where := database.URL("postgres")
	f := startFleet(t, binary(t, ""), redis.URL(), "--meta", where)
	takes := f.addIngest("--meta", where)

	status, cookies := f.drain.setUp(adminToken, "owner@example.com")
	if status != http.StatusCreated {
		t.Fatalf("set-up: %d", status)
	}
	p := f.newProject()
	for _, n := range f.nodes() {
		if got := n.signedIn(cookieHeader(cookies)); got != "owner@example.com" {
			t.Errorf("a node takes the session for %q", got)
		}
	}
	if status, _ := takes.setUp(adminToken, "another@example.com"); status != http.StatusConflict {
		t.Errorf("a second owner at the other node: %d", status)
	}
	takes.send(p, `{"name":"before"}`)

	// A node of another store is refused, and one of the same waits for it.
	stranger := spawn(t, f.path, "--listen", "127.0.0.1:0", "--hot", f.hot, "--roles", "ingest", "--data", t.TempDir())
	<-stranger.done
	if stranger.err == nil || !strings.Contains(stranger.log.String(), "postgres://") {
		t.Errorf("a node with a store of its own: %v\n%s", stranger.err, stranger.log)
	}

	signIn := func(n *node) int {
		status, answer, _ := n.asks("POST", "/api/v1/login", nil, map[string]string{"email": "owner@example.com", "password": ownerPassword})
		var e struct{ Error struct{ Code string } }
		if status == http.StatusServiceUnavailable && (json.Unmarshal(answer, &e) != nil || e.Error.Code != "unavailable") {
			t.Errorf("sign-in: %s", answer)
		}
		return status
	}
	database.Kill()
	takes.send(p, `[{"name":"during"},{"name":"during"}]`)
	if got := signIn(takes); got != http.StatusServiceUnavailable {
		t.Errorf("sign-in without PostgreSQL: %d, want 503", got)
	}
	if got := takes.ready(); got != http.StatusOK {
		t.Errorf("a node that takes events is not ready: %d", got)
	}
	if got := f.drain.ready(); got != http.StatusServiceUnavailable {
		t.Errorf("a node that takes none is ready: %d", got)
	}
	late := spawn(t, f.path, "--listen", "127.0.0.1:0", "--hot", f.hot, "--roles", "ingest", "--data", t.TempDir(), "--meta", where, "--key-ring", filepath.Join(f.data, "keys"))
	servertest.Wait(t, "a node waits for PostgreSQL", func() error {
		if !strings.Contains(late.log.String(), "waiting for PostgreSQL") {
			return errors.New(late.log.String())
		}
		return nil
	})

	database.Restart(t)
	if got := signIn(takes); got != http.StatusOK {
		t.Errorf("sign-in when PostgreSQL is there again: %d", got)
	}
	until(t, "the node that takes no events is ready", func() bool { return f.drain.ready() == http.StatusOK })
	late.waitListening()
	late.send(p, `{"name":"after"}`)
	late.stop()
	if n := f.total(p); n != 4 {
		t.Errorf("%d events, want 4", n)
	}
	for _, n := range f.nodes() {
		if strings.Contains(n.log.String(), postgrestest.Password) {
			t.Error("the log has the password")
		}
	}
	if strings.Contains(late.log.String()+stranger.log.String(), postgrestest.Password) {
		t.Error("the log has the password")
	}
	f.stop()
}
