package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// What strangers try at the doors of a server.

const ownerPassword = "a long enough password"

// asks sends JSON as a page of the server itself would, and returns the cookies too.
func (s *server) asks(method, path string, header map[string]string, body any) (status int, answer []byte, cookies []*http.Cookie) {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, strings.NewReader(string(raw)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range header {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := shooters.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, answer, resp.Cookies()
}

// setUp tries to make the owner's account.
func (s *server) setUp(code, email string) (status int, cookies []*http.Cookie) {
	s.t.Helper()
	status, _, cookies = s.asks("POST", "/api/v1/setup", nil, map[string]string{"code": code, "email": email, "name": "A", "password": ownerPassword})
	return status, cookies
}

func cookieHeader(cookies []*http.Cookie) string {
	var parts []string
	for _, c := range cookies {
		parts = append(parts, c.Name+"="+c.Value)
	}
	return strings.Join(parts, "; ")
}

func TestAStrangerCannotOwnTheServer(t *testing.T) {
	for name, env := range map[string][]string{"with an admin token": {"WEIR_ADMIN_TOKEN=" + adminToken}, "with a code": {"WEIR_ADMIN_TOKEN="}} {
		t.Run(name, func(t *testing.T) {
			s := spawnWith(t, env, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
			s.waitListening()
			s.waitReady()
			var code string
			until(t, "it tells how to become the owner", func() bool { return strings.Contains(s.out.String(), "owner's account") })
			if _, rest, ok := strings.Cut(s.out.String(), "#setup="); ok {
				code = strings.Fields(rest)[0]
			}
			if given := env[0] != "WEIR_ADMIN_TOKEN="; given != (code == "") {
				t.Fatalf("with a token that was given no code is printed: %s", s.out)
			} else if given {
				code = adminToken
			}
			for i, guess := range []string{"", "x", strings.ToLower(code) + "x", code[:len(code)-1]} {
				if status, _ := s.setUp(guess, fmt.Sprintf("stranger%d@example.com", i)); status/100 == 2 {
					t.Fatalf("the code %q made an owner", guess)
				}
			}
			// Whoever has the code: one of all who try at once.
			var mu sync.Mutex
			owners := 0
			var trying sync.WaitGroup
			for i := range 5 {
				trying.Go(func() {
					status, _ := s.setUp(code, fmt.Sprintf("owner%d@example.com", i))
					mu.Lock()
					defer mu.Unlock()
					if status == http.StatusCreated {
						owners++
					}
				})
			}
			trying.Wait()
			if owners != 1 {
				t.Errorf("%d owners", owners)
			}
			if status, _ := s.setUp(code, "late@example.com"); status/100 == 2 {
				t.Error("the code made a second owner")
			}
		})
	}
}

// A page on another name that leads here must not speak for who looks at it.
func TestForeignHostsReachNothingButIngestion(t *testing.T) {
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error", "--public-url", "https://weir.example")
	p := s.project("UTC")
	port := s.url[strings.LastIndex(s.url, ":"):]
	login := map[string]string{"email": "owner@example.com", "password": ownerPassword}
	for host, own := range map[string]bool{
		"evil.example": false, "weir.example.evil.example": false, "127.0.0.1.evil.example": false, "evil.example" + port: false, "192.0.2.7": false,
		"weir.example": true, "localhost" + port: true, "127.0.0.1" + port: true,
	} {
		h := map[string]string{"Host": host, "Authorization": "Bearer " + adminToken}
		for _, path := range []string{"/", "/api/v1/session", "/api/v1/projects"} {
			if status, answer, _ := s.asks("GET", path, h, nil); (status == http.StatusOK) != own {
				t.Errorf("GET %s of %s: %d: %.100s", path, host, status, answer)
			}
		}
		if status, answer, _ := s.asks("GET", "/metrics", h, nil); status != http.StatusOK {
			t.Errorf("GET /metrics of %s with a token: %d: %.100s", host, status, answer)
		}
		delete(h, "Authorization")
		if !own {
			for path, body := range map[string]map[string]string{
				"/api/v1/setup": {"code": adminToken, "email": "owner@example.com", "name": "A", "password": ownerPassword}, "/api/v1/login": login,
			} {
				if status, answer, _ := s.asks("POST", path, h, body); status != http.StatusMisdirectedRequest && status != http.StatusForbidden {
					t.Errorf("POST %s of %s: %d: %.100s", path, host, status, answer)
				}
			}
		}
		for _, path := range []string{"/healthz", "/readyz", "/weir.js"} {
			if status, answer, _ := s.asks("GET", path, h, nil); status != http.StatusOK {
				t.Errorf("GET %s of %s: %d: %.100s", path, host, status, answer)
			}
		}
		h["Authorization"] = "Bearer " + p.Key
		if status, answer, _ := s.asks("POST", "/v1/events", h, map[string]string{"name": "x"}); status != http.StatusOK {
			t.Errorf("an event by %s: %d: %s", host, status, answer)
		}
	}
}

// One viewer cannot take all live streams.
func TestOneViewerLeavesLiveStreamsForOthers(t *testing.T) {
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
	p := s.project("UTC")
	_, cookies := s.setUp(adminToken, "owner@example.com")
	streams := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: -1}}
	open := func(header, value string) int {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/api/v1/projects/"+p.ID+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header, value)
		resp, err := streams.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp.StatusCode
	}
	got := map[int]int{}
	for range 1100 {
		if status := open("Authorization", "Bearer "+adminToken); status != http.StatusOK {
			got[status]++
			if got[status] > 20 {
				break
			}
		} else {
			got[status]++
		}
	}
	if got[http.StatusOK] > 900 {
		t.Errorf("one viewer opened %d live streams", got[http.StatusOK])
	}
	if status := open("Cookie", cookieHeader(cookies)); status != http.StatusOK {
		t.Errorf("another viewer: %d, after %v", status, got)
	}
}

// Wrong tokens are as slow as wrong passwords, and keep out nobody but who sent them.
func TestWrongTokensAreThrottled(t *testing.T) {
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
	statuses := map[int]int{}
	var shots []shot
	for i := range 300 {
		shots = append(shots, shot{method: "GET", path: "/api/v1/projects", header: map[string]string{
			"Authorization": fmt.Sprintf("Bearer wt_guess-%d-0123456789012345", i), "X-Forwarded-For": "198.51.100.9",
		}})
	}
	s.volley(4, shots, func(_ shot, status int, _ []byte) { statuses[status]++ })
	if statuses[http.StatusTooManyRequests] < 100 {
		t.Errorf("answers to 300 wrong tokens: %v", statuses)
	}
	if status, answer := s.shoot(shot{method: "GET", path: "/api/v1/projects", header: map[string]string{
		"Authorization": "Bearer " + adminToken, "X-Forwarded-For": "203.0.113.5",
	}}); status != http.StatusOK {
		t.Errorf("the right token from elsewhere: %d: %s", status, answer)
	}
}

// Wrong passwords from everywhere do not keep the owner out.
func TestTheOwnersBrowserSignsInWhileOthersGuess(t *testing.T) {
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
	const email = "owner@example.com"
	status, cookies := s.setUp(adminToken, email)
	if status != http.StatusCreated {
		t.Fatalf("set-up: %d", status)
	}
	login := func(password, from, cookies string) int {
		status, _, _ := s.asks("POST", "/api/v1/login", map[string]string{"X-Forwarded-For": from, "Cookie": cookies}, map[string]string{"email": email, "password": password})
		return status
	}
	refused := 0
	for i := range 660 { // of as many /64, 42 /60 and three /56
		if login("wrong", fmt.Sprintf("2001:db8:%x:%x::1", i/256, i%256), "") == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 300 {
		t.Errorf("%d of 660 guesses were held back", refused)
	}
	var known []*http.Cookie
	for _, c := range cookies {
		if c.Name != "weir_session" { // it has signed out
			known = append(known, c)
		}
	}
	if status := login(ownerPassword, "203.0.113.5", cookieHeader(known)); status != http.StatusOK {
		t.Errorf("the owner's own browser: %d", status)
	}
}

// What Weir writes nobody else reads, even in a folder that was open to all.
func TestNoFileIsReadableByOthers(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	old := syscall.Umask(0o022)
	defer syscall.Umask(old)
	if err := os.Mkdir(data, 0o755); err != nil { //nolint:gosec // as an administrator may have made it
		t.Fatal(err)
	}
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	p := s.project("UTC")
	s.send(p, `[{"name":"a"},{"name":"b"}]`)
	s.holdsAll(p, 2)
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == data {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has %v", strings.TrimPrefix(path, data), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(s.log.String(), "others") {
		t.Errorf("a folder that others may read is not warned of: %s", s.log)
	}
	s.stop()
}
