package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// person is somebody with a browser: a cookie, or none yet.
type person struct {
	s      *server
	cookie string
}

// does calls the API as a page does, and wants the status. The answer goes into out unless it is nil.
func (p *person) does(want int, method, path string, body, out any) {
	p.s.t.Helper()
	status, answer, cookies := p.s.asks(method, path, map[string]string{"Cookie": p.cookie}, body)
	if status != want {
		p.s.t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, answer)
	}
	if len(cookies) > 0 {
		p.cookie = cookieHeader(cookies)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			p.s.t.Fatalf("%s %s: %v: %s", method, path, err, answer)
		}
	}
}

// withToken returns the status of a request with a token.
func (s *server) withToken(token, method, path string, body any) int {
	s.t.Helper()
	status, _, _ := s.asks(method, path, map[string]string{"Authorization": "Bearer " + token}, body)
	return status
}

// The life of accounts on one server, as a team lives it.
func TestATeamFromTheFirstStartToTheEndOfAnAccount(t *testing.T) {
	s := spawnWith(t, []string{"WEIR_ADMIN_TOKEN="}, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "info")
	s.waitListening()
	s.waitReady()
	until(t, "it prints the code", func() bool { return strings.Contains(s.out.String(), "#setup=") })
	_, rest, _ := strings.Cut(s.out.String(), "#setup=")
	code := strings.Fields(rest)[0]

	// The first start: whoever has the code becomes the owner, once.
	owner, guest := &person{s: s}, &person{s: s}
	setup := map[string]string{"code": code, "email": "owner@example.com", "name": "Olga", "password": "a long way to the sea"}
	owner.does(201, "POST", "/api/v1/setup", setup, nil)
	guest.does(409, "POST", "/api/v1/setup", setup, nil)
	type made struct {
		ID       string `json:"id"`
		WriteKey string `json:"write_key"`
	}
	var shop, other made
	owner.does(201, "POST", "/api/v1/projects", map[string]string{"name": "Shop", "timezone": "Europe/Berlin"}, &shop)
	owner.does(201, "POST", "/api/v1/projects", map[string]string{"name": "Other", "timezone": "UTC"}, &other)
	path := "/api/v1/projects/" + shop.ID

	// An invitation to one project, as viewer.
	var invited struct{ URL string }
	owner.does(201, "POST", path+"/invitations", map[string]string{"email": "vera@example.com", "role": "viewer"}, &invited)
	_, secret, ok := strings.Cut(invited.URL, "=")
	if !ok {
		t.Fatalf("the link of the invitation: %s", invited.URL)
	}
	viewer := &person{s: s}
	accept := map[string]string{"token": secret, "name": "Vera", "password": "password12"}
	viewer.does(400, "POST", "/api/v1/invitation/accept", accept, nil) // a common one
	accept["password"] = "rivers run to the sea"
	viewer.does(200, "POST", "/api/v1/invitation/accept", accept, nil)
	guest.does(401, "POST", "/api/v1/invitation/accept", accept, nil)

	// She reads, may not write, and sees no other project.
	viewer.does(200, "GET", path+"/stats/overview", nil, nil)
	viewer.does(403, "GET", path+"/profiles", nil, nil)
	viewer.does(403, "POST", path+"/actions", map[string]any{"name": "Bought", "event": "purchase"}, nil)
	viewer.does(403, "POST", path+"/keys", map[string]any{}, nil)
	viewer.does(404, "GET", "/api/v1/projects/"+other.ID, nil, nil)
	var seen struct{ Projects []struct{ ID string } }
	viewer.does(200, "GET", "/api/v1/projects", nil, &seen)
	if len(seen.Projects) != 1 || seen.Projects[0].ID != shop.ID {
		t.Errorf("she sees %+v", seen.Projects)
	}

	// A second factor.
	var factor struct{ Secret string }
	viewer.does(200, "POST", "/api/v1/account/totp", map[string]string{"password": accept["password"]}, &factor)
	pass, err := totp.GenerateCode(factor.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var recovery struct {
		Codes []string `json:"recovery_codes"`
	}
	viewer.does(200, "POST", "/api/v1/account/totp/confirm", map[string]string{"code": pass}, &recovery)
	if len(recovery.Codes) != 10 {
		t.Fatalf("recovery codes: %q", recovery.Codes)
	}
	again := &person{s: s}
	login := map[string]string{"email": "vera@example.com", "password": accept["password"]}
	again.does(401, "POST", "/api/v1/login", login, nil)
	login["code"] = pass // was used
	again.does(401, "POST", "/api/v1/login", login, nil)
	login["code"] = recovery.Codes[0]
	again.does(200, "POST", "/api/v1/login", login, nil)

	// A token with a scope, and one of the owner that expired.
	var token struct{ Token string }
	viewer.does(201, "POST", "/api/v1/tokens", map[string]any{"name": "report", "scopes": []string{"read", "write"}}, &token)
	for want, ask := range map[int][2]string{200: {"GET", path + "/stats/overview"}, 403: {"POST", path + "/actions"}, 404: {"GET", "/api/v1/projects/" + other.ID}} {
		if got := s.withToken(token.Token, ask[0], ask[1], map[string]any{"name": "Bought", "event": "purchase"}); got != want {
			t.Errorf("%s %s with her token: %d, want %d", ask[0], ask[1], got, want)
		}
	}

	// A key is rotated: both are good for a while, then the new one alone.
	sends := func(key string) int {
		return s.withToken(key, "POST", "/v1/events", map[string]string{"name": "x"})
	}
	var keys struct{ Keys []struct{ ID string } }
	owner.does(200, "GET", path+"/keys", nil, &keys)
	var rotated struct {
		Key string `json:"write_key"`
	}
	owner.does(201, "POST", path+"/keys/"+keys.Keys[0].ID+"/rotate", map[string]int{"overlap_seconds": 3600}, &rotated)
	if a, b := sends(shop.WriteKey), sends(rotated.Key); a != 200 || b != 200 {
		t.Errorf("within the overlap: %d, %d", a, b)
	}
	owner.does(204, "DELETE", path+"/keys/"+keys.Keys[0].ID, nil, nil)
	if a, b := sends(shop.WriteKey), sends(rotated.Key); a != 401 || b != 200 {
		t.Errorf("after the end of the old one: %d, %d", a, b)
	}

	// Deactivated: her sessions, her token and her stream end at once.
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	stream, err := http.DefaultClient.Do(req)
	if err != nil || stream.StatusCode != 200 {
		t.Fatalf("her stream: %v %v", stream, err)
	}
	defer stream.Body.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		}
	}()
	var users struct{ Users []struct{ ID, Email string } }
	owner.does(200, "GET", "/api/admin/users", nil, &users)
	for _, u := range users.Users {
		if u.Email == "vera@example.com" {
			owner.does(200, "PATCH", "/api/admin/users/"+u.ID, map[string]bool{"active": false}, nil)
		}
	}
	viewer.does(401, "GET", path, nil, nil)
	again.does(401, "GET", path, nil, nil)
	if got := s.withToken(token.Token, "GET", path, nil); got != 401 {
		t.Errorf("her token: %d", got)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("her stream goes on")
	}
	login["code"] = recovery.Codes[1]
	(&person{s: s}).does(401, "POST", "/api/v1/login", login, nil)

	// The audit log shows all of it, and no secret.
	var acts []string
	for cursor := ""; ; {
		var page struct {
			Entries []struct{ Act string }
			Next    string `json:"next_cursor"`
		}
		owner.does(200, "GET", "/api/v1/audit?limit=4&cursor="+cursor, nil, &page)
		for _, e := range page.Entries {
			acts = append(acts, e.Act)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	all := strings.Join(acts, " ") + " "
	for _, act := range []string{
		"server.setup", "project.create", "invitation.create", "invitation.accept", "second-factor.start", "second-factor.on", "sign-in",
		"token.create", "key.rotate", "key.revoke", "user.change",
	} {
		if !strings.Contains(all, act+" ") {
			t.Errorf("the audit log lacks %s: %s", act, all)
		}
	}
	for name, hidden := range map[string]string{"token": token.Token, "invitation": secret, "second factor": factor.Secret, "key": rotated.Key, "password": accept["password"]} {
		if strings.Contains(s.log.String(), hidden) {
			t.Errorf("the log has the %s", name)
		}
	}
	if n := strings.Count(fmt.Sprint(acts), "project.create"); n != 2 {
		t.Errorf("%d projects were made, says the audit log", n)
	}
}
