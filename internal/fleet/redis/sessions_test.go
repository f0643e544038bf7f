package redis_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func sessionName(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "w:session:" + hex.EncodeToString(sum[:])
}

func found(t *testing.T, x *redis.Sessions, token string) bool {
	t.Helper()
	_, found, err := x.FindCtx(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAForgedSessionIsNone(t *testing.T) {
	server := redistest.Start(t)
	now := time.Now()
	s := redis.New(client(t, server.Addr), redis.Options{SessionKey: sessionKey, Clock: func() time.Time { return now }}).Sessions
	expiry := now.Add(time.Hour)
	for token, data := range map[string]string{"theirs": "user=owner", "mine": "user=viewer"} {
		if err := s.CommitCtx(t.Context(), token, []byte(data), expiry); err != nil {
			t.Fatal(err)
		}
	}
	theirs, mine := server.Do("GET", sessionName("theirs")), server.Do("GET", sessionName("mine"))
	write := func(value string) { server.Do("SET", sessionName("mine"), value, "PX", "3600000") }

	for name, value := range map[string]string{
		"another token's value":        theirs,
		"data without a signature":     "user=owner",
		"nothing":                      "",
		"one of another version":       "\x02" + mine[1:],
		"its head with another's data": mine[:len(mine)-len("user=viewer")] + "user=owner",
		"another's head with its data": theirs[:len(theirs)-len("user=owner")] + "user=viewer",
		"more data":                    mine + "x",
		"less data":                    mine[:len(mine)-1],
		"a later end":                  mine[:1] + "\x7f" + mine[2:],
		"a signature of zeros":         mine[:9] + string(make([]byte, 32)) + mine[41:],
	} {
		if write(value); found(t, s, "mine") {
			t.Errorf("%s is a session", name)
		}
	}
	if write(mine); !found(t, s, "mine") {
		t.Fatal("the session itself is none")
	}
	for i := range len(mine) { // each bit counts
		changed := []byte(mine)
		changed[i] ^= 0x40
		if write(string(changed)); found(t, s, "mine") {
			t.Errorf("byte %d may be changed", i)
		}
	}
}

// Who can write to Redis can make a key live longer, not a session.
func TestASessionEndsThoughItsKeyDoesNot(t *testing.T) {
	server := redistest.Start(t)
	now := time.Now()
	s := redis.New(client(t, server.Addr), redis.Options{SessionKey: sessionKey, Clock: func() time.Time { return now }}).Sessions
	if err := s.CommitCtx(t.Context(), "t", []byte("data"), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	server.Do("PERSIST", sessionName("t"))
	now = now.Add(time.Hour - time.Microsecond)
	if !found(t, s, "t") {
		t.Fatal("the session ended early")
	}
	now = now.Add(time.Millisecond)
	if found(t, s, "t") {
		t.Error("a session outlives its end")
	}
}

func TestASessionIsOfOnePrefixAndOneKey(t *testing.T) {
	server := redistest.Start(t)
	c := client(t, server.Addr)
	s := redis.New(c, redis.Options{SessionKey: sessionKey}).Sessions
	if err := s.CommitCtx(t.Context(), "t", []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	other := redis.New(c, redis.Options{SessionKey: func(context.Context) ([]byte, error) { return bytes.Repeat([]byte("o"), 32), nil }}).Sessions
	if found(t, other, "t") {
		t.Error("another key's session is one")
	}
	server.Do("COPY", sessionName("t"), "v:"+sessionName("t")[2:])
	if found(t, redis.New(c, redis.Options{SessionKey: sessionKey, Prefix: "v:"}).Sessions, "t") {
		t.Error("another Weir's session is one")
	}
}

func TestWithoutAKeyThereAreNoSessions(t *testing.T) {
	server := redistest.Start(t)
	c := client(t, server.Addr)
	away := errors.New("the meta store is away")
	var asked int
	for name, key := range map[string]func(context.Context) ([]byte, error){
		"none":      nil,
		"short":     func(context.Context) ([]byte, error) { return []byte("k"), nil },
		"not there": func(context.Context) ([]byte, error) { return nil, away },
	} {
		s := redis.New(c, redis.Options{SessionKey: key}).Sessions
		if err := s.CommitCtx(t.Context(), "t", nil, time.Now().Add(time.Hour)); err == nil {
			t.Errorf("%s: a session was stored", name)
		}
		if _, found, err := s.FindCtx(t.Context(), "t"); found || err == nil {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}
	s := redis.New(c, redis.Options{SessionKey: func(ctx context.Context) ([]byte, error) {
		if asked++; asked == 1 {
			return nil, away
		}
		return sessionKey(ctx)
	}}).Sessions
	for i, want := range []bool{false, true, true} {
		if err := s.CommitCtx(t.Context(), "t", nil, time.Now().Add(time.Hour)); (err == nil) != want {
			t.Errorf("try %d: %v", i, err)
		}
	}
	if asked != 2 {
		t.Errorf("the key was asked for %d times", asked)
	}
}
