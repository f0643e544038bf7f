package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestANodeDoesOnlyItsRoles(t *testing.T) {
	t.Parallel()
	f := startFleet(t, binary(t, ""), redistest.Start(t).URL())
	takes := f.addIngest()
	p := f.newProject()

	refused := func(n *node, path, token, body, want string) {
		t.Helper()
		raw, status := n.do("POST", path, token, "application/json", strings.NewReader(body))
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("%s: %v: %s", path, err, raw)
		}
		if status != http.StatusServiceUnavailable || e.Error.Code != "unavailable" || e.Error.Message != want {
			t.Errorf("%s: %d: %s, want 503 and %q", path, status, raw, want)
		}
	}
	refused(f.drain, "/v1/events", p.Key, `{"name":"x"}`, "this node does not take events: its roles are drain, query, jobs")
	refused(takes, "/api/v1/projects/"+p.ID+"/query", adminToken,
		`{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`, "this node does not answer questions: its roles are ingest")

	takes.send(p, `[{"name":"a"},{"name":"b"}]`)
	for _, n := range f.nodes() {
		var points struct{ Data []struct{ Count int } }
		n.call("GET", "/api/v1/projects/"+p.ID+"/stats/trend?range=hour", nil, &points, http.StatusOK)
		sum := 0
		for _, pt := range points.Data {
			sum += pt.Count
		}
		if sum != 2 {
			t.Errorf("%d events in the stats of a node, want 2", sum)
		}
	}
	if n := f.total(p); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	f.stop()
}

func TestALoginAtOneNodeIsALoginAtAll(t *testing.T) {
	t.Parallel()
	f := startFleet(t, binary(t, ""), redistest.Start(t).URL())
	other := f.addIngest()
	session := func(n *node, method, path, body, cookie string) (email, set string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, n.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Cookie", "weir_session="+cookie)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %s", method, path, resp.Status)
		}
		var b struct{ User *struct{ Email string } }
		_ = json.NewDecoder(resp.Body).Decode(&b) // a logout says nothing
		if b.User != nil {
			email = b.User.Email
		}
		for _, c := range resp.Cookies() {
			if c.Name == "weir_session" {
				set = c.Value
			}
		}
		return email, set
	}
	_, cookie := session(f.drain, "POST", "/api/v1/setup", `{"code":"`+adminToken+`","email":"a@example.com","name":"A","password":"a long enough password"}`, "")
	if cookie == "" {
		t.Fatal("no cookie")
	}
	for _, n := range f.nodes() {
		if email, _ := session(n, "GET", "/api/v1/session", "", cookie); email != "a@example.com" {
			t.Errorf("a node takes the session for %q", email)
		}
	}
	session(other, "POST", "/api/v1/logout", "", cookie)
	for _, n := range f.nodes() {
		if email, _ := session(n, "GET", "/api/v1/session", "", cookie); email != "" {
			t.Errorf("%q is still signed in", email)
		}
	}
	f.stop()
}

func TestLiveFeedReachesOtherNodes(t *testing.T) {
	t.Parallel()
	f := startFleet(t, binary(t, ""), redistest.Start(t).URL())
	takes := f.addIngest()
	p := f.newProject()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	// What one node receives is shown by the other, and what the other has saved
	// is shown by the first.
	received, saved := f.drain.watch(ctx, p, "received"), takes.watch(ctx, p, "saved")
	for n := 0; received != nil || saved != nil; n++ {
		takes.send(p, fmt.Sprintf(`{"id":"live-%d","name":"x"}`, n)) // a node learns who watches what within seconds
		select {
		case data := <-received:
			if !strings.Contains(data, `"live-`) {
				t.Errorf("received %s", data)
			}
			received = nil
		case data := <-saved:
			if !strings.Contains(data, `"events":`) {
				t.Errorf("saved %s", data)
			}
			saved = nil
		case <-ctx.Done():
			t.Fatalf("after %d events: not seen: received %v, saved %v", n, received != nil, saved != nil)
		case <-time.After(200 * time.Millisecond):
		}
	}
	cancel()
	f.stop()
}

// watch opens a live stream and returns the data of its first event of the kind.
func (s *server) watch(ctx context.Context, p project, kind string) <-chan string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/api/v1/projects/"+p.ID+"/live", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("live: %s", resp.Status)
	}
	seen := make(chan string, 1)
	go func() {
		defer resp.Body.Close()
		event := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				event = name
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event == kind {
				seen <- data
				return
			}
		}
	}()
	return seen
}

// A node that is gone for good holds its shards until its lease runs out.
func TestAnotherNodeTakesOverFromOneThatIsGone(t *testing.T) {
	t.Parallel()
	f := startFleet(t, binary(t, ""), redistest.Start(t).URL())
	takes := f.addIngest()
	p := f.newProject()
	takes.send(p, `[{"name":"a"},{"name":"b"}]`)
	if n := f.total(p); n != 2 {
		t.Fatalf("%d events, want 2", n)
	}
	f.drain.kill()
	takes.send(p, `{"name":"c"}`)
	f.drain = startNode(t, f.path, "--hot", f.hot, "--roles", "drain,query,jobs", "--data", t.TempDir(),
		"--cold", "duckdb:"+f.data+"/cold.duckdb", "--meta", "sqlite:"+f.data+"/meta.db", "--key-ring", f.data+"/keys")
	until(t, "the new node has drained what the old one left", func() bool { return f.total(p) == 3 })
	f.stop()
}

// total is how many events of the last days the question finds.
func (f *fleet) total(p project) int {
	f.t.Helper()
	var tr trend
	f.drain.query(p, map[string]any{"kind": "trend", "from": "-1d", "interval": "day", "series": []any{map[string]any{"math": "total"}}}, &tr)
	return int(tr.Series[0].Total)
}
