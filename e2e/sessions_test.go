package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/redistest"
)

// Who can write to Redis is not an administrator for that.
func TestSessionsThatWereCopiedInRedisAreNobodys(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t)
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--hot", r.URL(), "--log-level", "error")
	status, cookies := s.setUp(adminToken, "owner@example.com")
	if status != http.StatusCreated {
		t.Fatalf("set-up: %d", status)
	}
	if got := s.signedIn(cookieHeader(cookies)); got != "owner@example.com" {
		t.Fatalf("the owner is signed in as %q", got)
	}
	keys := strings.Fields(r.Do("KEYS", "*session:*"))
	if len(keys) != 1 {
		t.Fatalf("sessions in Redis: %q", keys)
	}
	prefix, _, _ := strings.Cut(keys[0], "session:")
	const forged = "a-token-that-the-stranger-chose-0123456789abc"
	sum := sha256.Sum256([]byte(forged))
	r.Do("COPY", keys[0], prefix+"session:"+hex.EncodeToString(sum[:]))
	if got := s.signedIn("weir_session=" + forged); got != "" {
		t.Errorf("a copied session is signed in as %q", got)
	}
	s.stop()
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
