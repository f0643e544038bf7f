package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

// state is what the tests read of a status.
type state struct {
	Version string
	Uptime  float64
	Roles   []string
	Checks  []struct {
		Name string
		OK   bool
	}
	Hot struct {
		Kind, URL, Error string
		Up               bool
		Nodes            []struct{ Addr, Role string }
		Shards           []struct{ Shard int }
	}
	Drain struct {
		BehindEvents *uint64  `json:"behind_events"`
		LagSeconds   *float64 `json:"lag_seconds"`
	}
}

func statusOf(t *testing.T, url, token string) (s state, text string) {
	t.Helper()
	text = get(t, url+"/api/admin/status", token)
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s, text
}

const adminToken = "the administrator's own secret"

func TestTheStatusOfAServerOnPebble(t *testing.T) {
	asAdmin(t, adminToken)
	r := serves(t, t.TempDir())
	s, text := statusOf(t, r.url, adminToken)
	if s.Version != version || s.Hot.Kind != "pebble" || len(s.Roles) != 4 || len(s.Checks) != 4 || s.Drain.BehindEvents == nil || *s.Drain.BehindEvents != 0 {
		t.Errorf("%s", text)
	}
	if strings.Contains(get(t, r.url+"/metrics", ""), "weir_redis_") {
		t.Error("metrics of a Redis that is not there")
	}
}

func TestTheStatusAndMetricsOfAServerOnRedis(t *testing.T) {
	asAdmin(t, adminToken)
	server := redistest.Start(t, "--requirepass", "s3cr3t")
	r := serves(t, t.TempDir(), "--hot", server.URL(), "--shards", "3")
	made := weirs(t, "project", "create", "Shop", "--url", r.url)
	if made.status != 0 {
		t.Fatalf("%+v", made)
	}
	resp, err := http.Post(r.url+"/v1/events?key="+field(t, made.out, "write key"), "application/json", strings.NewReader(`[{"name":"a"},{"name":"b"}]`))
	if err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("events: %s %s", resp.Status, answer)
	}

	s, text := statusOf(t, r.url, adminToken)
	if s.Hot.Kind != "redis" || s.Hot.URL != "redis://"+server.Addr || !s.Hot.Up || len(s.Hot.Nodes) != 1 || s.Hot.Nodes[0].Addr != server.Addr ||
		s.Hot.Nodes[0].Role != "master" || len(s.Hot.Shards) != 3 || s.Drain.BehindEvents == nil {
		t.Errorf("%s", text)
	}
	metrics := get(t, r.url+"/metrics", "")
	for _, line := range []string{
		"weir_redis_up 1\n", fmt.Sprintf("weir_redis_node_up{node=%q} 1\n", server.Addr), "weir_redis_shard_waiting_events{shard=\"2\"} ",
		"weir_drain_failures_total{shard=\"1\"} 0\n",
	} {
		if !strings.Contains(metrics, "\n"+line) {
			t.Errorf("/metrics does not show %q", line)
		}
	}

	server.Kill()
	r.waits(t, func() bool {
		s, text = statusOf(t, r.url, adminToken)
		return !s.Hot.Up && s.Hot.Error != ""
	})
	if s.Drain.BehindEvents != nil || len(s.Hot.Shards) != 3 {
		t.Errorf("of a Redis that is away: %s", text)
	}
	for _, c := range s.Checks {
		if c.OK == (c.Name == "hot") {
			t.Errorf("of a Redis that is away: %s", text)
		}
	}
	gone := get(t, r.url+"/metrics", "")
	if !strings.Contains(gone, "\nweir_redis_up 0\n") || strings.Contains(gone, "weir_redis_memory") {
		t.Error("/metrics does not show that Redis is away")
	}
	for where, shown := range map[string]string{"status": text, "metrics": metrics + gone, "log": r.log.String()} {
		if strings.Contains(shown, "s3cr3t") {
			t.Errorf("the password stands in the %s", where)
		}
	}
	server.Restart() // so that the server has not to wait at its end
	r.waits(t, func() bool { s, _ := statusOf(t, r.url, adminToken); return s.Hot.Up })
}

// waits looks until it likes what it sees.
func (r *running) waits(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within a minute: %s", r.log)
		}
	}
}
