package fleettest

import (
	"bytes"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// RunSessions runs the suite of login sessions. open makes new, empty ones and
// returns them as two nodes see them, which may be one and the same.
func RunSessions(t *testing.T, open func(t *testing.T, clock weir.Clock) (a, b fleet.Sessions)) {
	t.Run("a session is there for all nodes until it is deleted", func(t *testing.T) {
		a, b := open(t, nil)
		wantSession(t, a, "token", nil)
		for _, data := range [][]byte{[]byte("one"), {0, 0xff, '\n'}, {}} {
			commit(t, a, "token", data, time.Now().Add(long))
			wantSession(t, a, "token", data)
			wantSession(t, b, "token", data)
		}
		wantSession(t, a, "Token", nil)
		wantSession(t, a, "", nil)
		for range 2 {
			if err := b.DeleteCtx(t.Context(), "token"); err != nil {
				t.Fatal(err)
			}
			wantSession(t, a, "token", nil)
		}
	})
	t.Run("a session goes when its time is over", func(t *testing.T) {
		a, b := open(t, nil)
		commit(t, a, "short", []byte("data"), time.Now().Add(short))
		commit(t, a, "long", []byte("data"), time.Now().Add(long))
		eventually(t, "the session is gone", func() bool {
			_, found, err := b.FindCtx(t.Context(), "short")
			if err != nil {
				t.Fatal(err)
			}
			return !found
		})
		wantSession(t, b, "long", []byte("data"))
	})
	t.Run("a session that is over when it is stored is none", func(t *testing.T) {
		c := newClock()
		a, _ := open(t, c.Now)
		commit(t, a, "token", []byte("data"), c.Now().Add(long)) // by the clock that was handed in
		wantSession(t, a, "token", []byte("data"))
		commit(t, a, "token", []byte("data"), c.Now().Add(-long))
		wantSession(t, a, "token", nil)
		commit(t, a, "token", []byte("data"), c.Now())
		wantSession(t, a, "token", nil)
	})
	t.Run("it is what a session manager asks for", func(t *testing.T) {
		a, b := open(t, nil)
		m := scs.New()
		m.Store = a
		ctx, err := m.Load(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		m.Put(ctx, "user", "ada")
		token, _, err := m.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		m.Store = b
		if ctx, err = m.Load(t.Context(), token); err != nil || m.GetString(ctx, "user") != "ada" {
			t.Fatalf("user %q, %v", m.GetString(ctx, "user"), err)
		}
	})
	t.Run("it needs no context", func(t *testing.T) {
		a, b := open(t, nil)
		if err := a.Commit("token", []byte("data"), time.Now().Add(long)); err != nil {
			t.Fatal(err)
		}
		if data, found, err := b.Find("token"); string(data) != "data" || !found || err != nil {
			t.Fatalf("%q, %v, %v", data, found, err)
		}
		if err := b.Delete("token"); err != nil {
			t.Fatal(err)
		}
		wantSession(t, a, "token", nil)
	})
}

func commit(t *testing.T, s fleet.Sessions, token string, data []byte, expiry time.Time) {
	t.Helper()
	if err := s.CommitCtx(t.Context(), token, data, expiry); err != nil {
		t.Fatal(err)
	}
}

// wantSession says what is stored under a token; nil is nothing.
func wantSession(t *testing.T, s fleet.Sessions, token string, want []byte) {
	t.Helper()
	data, found, err := s.FindCtx(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if found != (want != nil) || !bytes.Equal(data, want) {
		t.Fatalf("session %q = %q, %v; want %q", token, data, found, want)
	}
}
