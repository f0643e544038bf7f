package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
)

// Starts of a node on a ClickHouse that is not as it should be. They wait most of
// their time, so they run beside each other.

func TestANodeWaitsForAClickHouseThatIsAway(t *testing.T) {
	t.Parallel()
	c := clickhousetest.Start(t)
	c.Kill()
	s := spawn(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--cold", c.URL("weir"))
	until(t, "the log says that it waits", func() bool {
		return strings.Contains(s.log.String(), "waiting for ClickHouse") && strings.Contains(s.log.String(), c.Addr)
	})
	c.Restart()
	s.waitListening()
	s.waitReady()
	s.send(s.project("UTC"), `{"name":"a"}`)
	s.stop()
	if n := c.Do("SELECT count() FROM weir.events"); n != "1" {
		t.Errorf("%s events, want 1", n)
	}
}

func TestAWrongPasswordEndsANodeAtOnce(t *testing.T) {
	t.Parallel()
	c := clickhousetest.Start(t, clickhousetest.User("weir", "the right one", "ALL ON *.*"))
	url := strings.Replace(c.URLAs("weir", "weir"), "the%20right%20one", "s3cret%2Fword", 1)
	path, began := binary(t, ""), time.Now()
	s := spawn(t, path, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "debug", "--cold", url)
	s.waitEnd(20 * time.Second) // less than it waits for one that is away
	if want := "user or password is wrong"; !strings.Contains(s.log.String(), want) {
		t.Errorf("the log does not say %q", want)
	}
	s.holdsNot("s3cret/word", "s3cret%2Fword")
	t.Logf("after %v:\n%s", time.Since(began).Round(time.Millisecond), s.log)
}

func TestWhatANodeSaysNeverHoldsThePassword(t *testing.T) {
	t.Parallel()
	c := clickhousetest.Start(t, clickhousetest.User("weir", "s3cret/word", "ALL ON *.*"))
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "debug", "--cold", c.URLAs("weir", "weir"))
	p := s.project("UTC")
	s.send(p, `{"name":"a"}`)
	question := `{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`
	said := func() (all []string) {
		for _, path := range []string{"/readyz", "/metrics", "/api/admin/status"} {
			raw, _ := s.do("GET", path, adminToken, "", nil)
			all = append(all, string(raw))
		}
		raw, _ := s.do("POST", "/api/v1/projects/"+p.ID+"/query", adminToken, "application/json", strings.NewReader(question))
		return append(all, string(raw))
	}
	all := said()
	c.Kill()
	s.send(p, `{"name":"b"}`)
	until(t, "the drain fails", func() bool { return strings.Contains(s.log.String(), "writing a batch to the cold tier failed") })
	all = append(all, said()...)
	c.Restart()
	until(t, "the node is ready again", func() bool { return s.status("/readyz") == http.StatusOK })
	s.stop()
	s.holdsNot("s3cret/word", "s3cret%2Fword")
	for _, what := range all {
		if strings.Contains(what, "s3cret") {
			t.Errorf("an answer holds the password: %s", what)
		}
	}
	if n := c.Do("SELECT count() FROM weir.events"); n != "2" {
		t.Errorf("%s events, want 2", n)
	}
}

func TestASlipInTheAddressShowsNoPassword(t *testing.T) {
	for _, url := range []string{
		"clickhous://weir:s3cret@127.0.0.1/weir", "clickhouse:/weir:s3cret@127.0.0.1/weir", "weir:s3cret@127.0.0.1", "clickhouse://weir:s3cret@127.0.0.1:x/weir",
		"clickhouse://weir:s3cret@127.0.0.1/weir?s=1", "clickhouse://weir:s3cret%@127.0.0.1/weir", "clickhouse://weir:s3cret@127.0.0.1/we ir",
	} {
		s := spawn(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--cold", url)
		s.waitEnd(20 * time.Second)
		if !strings.Contains(s.log.String(), "--cold") {
			t.Errorf("%s: %s", url, s.log)
		}
		s.holdsNot("s3cret")
	}
}

// waitEnd waits until the process has ended by itself, with an error.
func (s *server) waitEnd(within time.Duration) {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(within):
		s.t.Fatalf("weir has not ended within %v\n%s", within, s.log)
	}
	if s.err == nil {
		s.t.Errorf("weir ended without an error\n%s", s.log)
	}
}

// holdsNot checks that nothing was said that holds a secret.
func (s *server) holdsNot(secrets ...string) {
	s.t.Helper()
	for _, secret := range secrets {
		if said := s.log.String() + s.out.String(); strings.Contains(said, secret) {
			s.t.Errorf("%q is in what was said:\n%s", secret, said)
		}
	}
}
