package main

import (
	"bytes"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/password"
)

// posts sends a body as JSON and returns the status.
func posts(t *testing.T, url, body string) int {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// setupCode returns the code that the server printed, or "".
func (r *running) setupCode() string {
	_, code, _ := strings.Cut(r.out.String(), "/#setup=")
	code, _, _ = strings.Cut(code, " ")
	return code
}

func claim(code string) string {
	return `{"code":"` + code + `","email":"ada@example.org","name":"Ada","password":"correct horse"}`
}

func TestAServerIsOwnedByWhoReadsItsOutput(t *testing.T) {
	asAdmin(t, "")
	data := t.TempDir()
	r := serves(t, data)
	first := r.setupCode()
	if len(first) < 16 || !strings.Contains(r.out.String(), r.url+"/#setup=") {
		t.Fatalf("printed: %s", r.out)
	}
	if got := posts(t, r.url+"/api/v1/setup", claim("")); got != 401 {
		t.Errorf("a stranger got %d", got)
	}
	r.stops()
	r = serves(t, data, "--log-level", "debug")
	if got := posts(t, r.url+"/api/v1/setup", claim(first)); got != 401 {
		t.Errorf("the code of a former start got %d", got)
	}
	if got := posts(t, r.url+"/api/v1/setup", claim(r.setupCode())); got != 201 {
		t.Errorf("the code got %d", got)
	}
	r.stops()
	if strings.Contains(r.log.String(), r.setupCode()) {
		t.Error("the code is logged")
	}
}

func TestWhereAnAdminTokenIsGivenItAloneOpensTheSetUp(t *testing.T) {
	const token = "the administrator's own secret"
	asAdmin(t, token)
	r := serves(t, t.TempDir())
	if r.setupCode() != "" || !strings.Contains(r.out.String(), "asks for the admin token") {
		t.Errorf("printed: %s", r.out)
	}
	if got := posts(t, r.url+"/api/v1/setup", claim("")); got != 401 {
		t.Errorf("a stranger got %d", got)
	}
	if got := posts(t, r.url+"/api/v1/setup", claim(token)); got != 201 {
		t.Errorf("the administrator got %d", got)
	}
}

// demoPassword is the password that the demo had in earlier versions.
const demoPassword = "weir-demo"

func TestOneCanSignInToTheDemoAtEachStart(t *testing.T) {
	data := t.TempDir()
	before := ""
	for range 2 {
		r := serves(t, data, "--demo")
		_, password, ok := strings.Cut(r.out.String(), "Sign in with demo@example.com / ")
		password, _, _ = strings.Cut(password, "\n")
		if !ok || len(password) < 12 || password == before {
			t.Fatalf("printed: %s", r.out)
		}
		logIn := func(password string) int {
			return posts(t, r.url+"/api/v1/login", `{"email":"demo@example.com","password":"`+password+`"}`)
		}
		if got := logIn(password); got != 200 {
			t.Errorf("the password got %d", got)
		}
		for _, wrong := range []string{demoPassword, before} {
			if got := logIn(wrong); got != 401 {
				t.Errorf("%q got %d", wrong, got)
			}
		}
		before = password
		r.stops()
	}
}

func TestThePasswordOfAnEarlierDemoIsTakenAway(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meta.db")
	store, err := meta.Open(t.Context(), file, nil, meta.WithPasswordCost(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if _, err := store.Setup(t.Context(), "demo@example.com", "Demo", "a long password"); err != nil {
		t.Fatal(err)
	}
	// It is too short for a new account.
	hash, err := password.NewHasher(password.Cost{Memory: 8, Passes: 1, Threads: 1}).Hash(t.Context(), demoPassword)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `UPDATE users SET password = ?`, hash); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Authenticate(t.Context(), "demo@example.com", demoPassword); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := &server{cmd: &serveCmd{}, meta: store, log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 2 { // the second time there is nothing to do
		if err := s.prepareSignIn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Authenticate(t.Context(), "demo@example.com", demoPassword); err == nil {
		t.Error("the well-known password still opens the server")
	}
	if strings.Count(log.String(), "everybody knows") != 1 {
		t.Errorf("log: %s", log.String())
	}
}

func TestWhatIsOpenToTheNetworkIsWarnedOf(t *testing.T) {
	public := &url.URL{Scheme: "https", Host: "weir.example.com"}
	for _, c := range []struct {
		listen  string
		public  *url.URL
		unowned bool
		want    []string
		address string
	}{
		{"127.0.0.1:8080", nil, true, nil, "http://127.0.0.1:8080"},
		{"localhost:8080", public, true, nil, "https://weir.example.com"},
		{"0.0.0.0:8080", nil, false, []string{"any host name"}, "http://localhost:8080"},
		{":8080", nil, true, []string{"any host name", "NOBODY OWNS"}, "http://localhost:8080"},
		{"10.0.0.5:8080", public, true, []string{"NOBODY OWNS"}, "https://weir.example.com"},
		{"10.0.0.5:8080", public, false, nil, "https://weir.example.com"},
	} {
		var log bytes.Buffer
		s := &server{cmd: &serveCmd{Listen: c.listen, PublicURL: c.public}, unowned: c.unowned, log: slog.New(slog.NewTextHandler(&log, nil))}
		s.warnOfExposure()
		if strings.Count(log.String(), "\n") != len(c.want) {
			t.Errorf("%s: %s", c.listen, log.String())
		}
		for _, want := range c.want {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: the log does not say %q: %s", c.listen, want, log.String())
			}
		}
		addr, err := net.ResolveTCPAddr("tcp", strings.Replace(c.listen, "localhost", "127.0.0.1", 1))
		if err != nil {
			t.Fatal(err)
		}
		if addr.IP == nil {
			addr.IP = net.IPv6zero
		}
		if got := s.address(addr); got != c.address {
			t.Errorf("%s: people are sent to %s, want %s", c.listen, got, c.address)
		}
	}
}
