package e2e_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestTheDashboardShowsTheDemo signs in with a real browser, wide and narrow, and reads shared links on other sites.
func TestTheDashboardShowsTheDemo(t *testing.T) {
	t.Parallel()
	browser := browserFor(t)
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--demo")
	for end := time.Now().Add(30 * time.Second); ; {
		var list struct{ Projects []project }
		s.call("GET", "/api/v1/projects", nil, &list, 200)
		filled := 0
		for _, p := range list.Projects {
			var tr trend
			s.query(p, map[string]any{"kind": "trend", "from": "-30d", "series": []any{map[string]any{"math": "total"}}}, &tr)
			if tr.Series[0].Total >= 9000 {
				filled++
			}
		}
		if filled == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the demo is not filled\n%s", s.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
	_, password, ok := strings.Cut(s.out.String(), "Sign in with demo@example.com / ")
	if !ok {
		t.Fatalf("no login is printed: %s", s.out)
	}
	password, _, _ = strings.Cut(password, "\n")
	for _, script := range []string{"e2e/smoke.mjs", "e2e/share.mjs"} {
		cmd := exec.Command("node", script)
		cmd.Dir = "../web"
		cmd.Env = append(os.Environ(), "BASE_URL="+s.url, "EMAIL=demo@example.com", "PASSWORD="+password, "TOKEN="+adminToken, "CHROMIUM="+browser)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		t.Logf("%s", out)
	}
	if strings.Contains(s.log.String(), "wl_") {
		t.Error("a shared link is logged")
	}
	s.stop()
}

// TestTheOwnerSetsUpByTheLink opens the link that a start prints, with the admin token
// for the code, which these servers have.
func TestTheOwnerSetsUpByTheLink(t *testing.T) {
	t.Parallel()
	browser := browserFor(t)
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	cmd := exec.Command("node", "e2e/setup.mjs")
	cmd.Dir = "../web"
	cmd.Env = append(os.Environ(), "SETUP_URL="+s.url+"/#setup="+adminToken, "CHROMIUM="+browser)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var me struct {
		SetupRequired bool `json:"setup_required"`
	}
	s.call("GET", "/api/v1/session", nil, &me, 200)
	if me.SetupRequired {
		t.Error("nobody owns the server")
	}
	if strings.Contains(s.log.String(), adminToken) {
		t.Error("the code is logged")
	}
	s.stop()
}

// TestPeopleChangeTheirAccountAndProjectInTheDashboard works with the settings in a real browser.
func TestPeopleChangeTheirAccountAndProjectInTheDashboard(t *testing.T) {
	t.Parallel()
	browser := browserFor(t)
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	const email, password = "owner@example.org", "correct horse"
	s.call("POST", "/api/v1/setup", map[string]string{"code": adminToken, "email": email, "name": "Owner", "password": password}, nil, 201)
	var p struct{ ID string }
	s.call("POST", "/api/v1/projects", map[string]string{"name": "Shop"}, &p, 201)
	cmd := exec.Command("node", "e2e/life.mjs")
	cmd.Dir = "../web"
	cmd.Env = append(os.Environ(), "BASE_URL="+s.url, "EMAIL="+email, "PASSWORD="+password, "PROJECT="+p.ID, "CHROMIUM="+browser)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.stop()
}
