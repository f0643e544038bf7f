package e2e_test

import (
	"cmp"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The attacks: what strangers can send to a server that is on the Internet. Each runs
// in a short form here and, with WEIR_ATTACK=8, in one that is eight times as large.

// attackBudget is the --memory of an attacked server. What its process takes must
// stay under it.
const attackBudget = 512 // MiB

// attackScale is WEIR_ATTACK, 1 if that is not set.
func attackScale(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("WEIR_ATTACK"), "1"))
	if err != nil || n < 1 {
		t.Fatalf("WEIR_ATTACK=%q", os.Getenv("WEIR_ATTACK"))
	}
	return n
}

// startAttacked starts a server on a folder of its own, within the budget.
func startAttacked(t *testing.T, args ...string) (s *server, data string) {
	t.Helper()
	data = t.TempDir()
	return start(t, binary(t, ""), append([]string{
		"--listen", "127.0.0.1:0", "--data", data, "--log-level", "warn", "--memory", strconv.Itoa(attackBudget) + "MB",
	}, args...)...), data
}

// isWell checks that the server still does its work for an honest sender.
func (s *server) isWell(p project) {
	s.t.Helper()
	if r := s.send(p, `{"name":"honest"}`); r.Accepted != 1 {
		s.t.Errorf("an honest event: %+v", r)
	}
	if raw, status := s.do("GET", "/readyz", "", "", strings.NewReader("")); status != http.StatusOK {
		s.t.Errorf("/readyz: %d: %s", status, raw)
	}
}

// peak is the most memory that the process has had, in bytes.
func (s *server) peak() int64 { s.t.Helper(); return s.memory("VmHWM") }

// staysUnder fails the test if the process has had more memory than the bound, in
// MiB, since it started.
func (s *server) staysUnder(mib int64, what string) {
	s.t.Helper()
	if got := s.peak() >> 20; got > mib {
		s.t.Fatalf("%s: the process took %d MiB, at most %d are allowed\n%s", what, got, mib, s.logTail())
	}
}
