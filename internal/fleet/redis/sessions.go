package redis

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// Sessions are fleet.Sessions. Who can write to Redis cannot sign anybody in: a
// value bears a signature that takes a key from elsewhere. It is over the value's
// own name and its end too, so that a value is good for one token and no longer
// than it was meant to be.
type Sessions struct {
	*conn
	secret func(context.Context) ([]byte, error)
	log    *slog.Logger

	mu     sync.Mutex
	key    []byte       // what secret has returned
	warned atomic.Int64 // when a value was refused, µs since 1970
}

// A session's value: a version byte, its end in µs since 1970 (8 bytes,
// big-endian), the signature, the data.
const (
	sealVersion = 1
	sealHead    = 1 + 8
	sealed      = sealHead + sha256.Size
)

// sealedBy says what the key of Options.SessionKey signs, and in which form.
const sealedBy = "weir login session 1"

// signature returns HMAC-SHA256 over sealedBy, the name, the end and the data, each but
// the last of a length that is fixed or said before it.
func signature(key []byte, name string, end, data []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(sealedBy))
	m.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name)))) //nolint:gosec // some hundred bytes
	m.Write([]byte(name))
	m.Write(end)
	m.Write(data)
	return m.Sum(nil)
}

func seal(key []byte, name string, data []byte, expiry time.Time) []byte {
	v := binary.BigEndian.AppendUint64([]byte{sealVersion}, uint64(expiry.UnixMicro())) //nolint:gosec // as it is
	v = append(v, signature(key, name, v[1:sealHead], data)...)
	return append(v, data...)
}

// unseal returns the data of a value that was sealed under this key and name; ok
// is false for any other value, and ended for one whose time is over.
func unseal(key []byte, name string, v []byte, now time.Time) (data []byte, ok, ended bool) {
	if len(v) < sealed || v[0] != sealVersion {
		return nil, false, false
	}
	end, data := v[1:sealHead], v[sealed:]
	if !hmac.Equal(v[sealHead:sealed], signature(key, name, end, data)) {
		return nil, false, false
	}
	expiry := time.UnixMicro(int64(binary.BigEndian.Uint64(end))) //nolint:gosec // as seal has it
	return data, true, !now.Before(expiry)
}

// sessionKey returns what values are signed with.
func (x *Sessions) sessionKey(ctx context.Context) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.key != nil {
		return x.key, nil
	}
	if x.secret == nil {
		return nil, errors.New("there is no key to sign sessions with")
	}
	key, err := x.secret(ctx)
	if err == nil && len(key) < sha256.Size {
		err = fmt.Errorf("a key of %d bytes is too short to sign sessions with", len(key))
	}
	if err != nil {
		return nil, err
	}
	x.key = key
	return key, nil
}

// FindCtx returns a session's data; found is false when there is none, it has
// expired, or it is not one that a holder of the key has stored for this token.
func (x *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	key, err := x.sessionKey(ctx)
	if err != nil {
		return nil, false, unavailable("find session", err)
	}
	name := x.name(token)
	value, err := x.send(ctx, x.client.B().Get().Key(name).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, unavailable("find session", err)
	}
	data, ok, ended := unseal(key, name, value, x.clock.Now())
	if !ok {
		x.refused(ctx)
	}
	if !ok || ended {
		return nil, false, nil
	}
	return data, true, nil
}

// refused logs a value without a good signature, once a minute at most.
func (x *Sessions) refused(ctx context.Context) {
	now := x.clock.Now().UnixMicro()
	if last := x.warned.Load(); now-last >= time.Minute.Microseconds() && x.warned.CompareAndSwap(last, now) {
		x.log.WarnContext(ctx, "a login session in Redis was not stored by this Weir, and lets nobody in: an earlier version's, another meta store's, or forged")
	}
}

// CommitCtx stores a session until expiry; one that has expired is deleted.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	// Not the moment itself: expiry is by this node's clock, and Redis may have
	// another.
	left := expiry.Sub(x.clock.Now())
	if left < time.Millisecond {
		return x.DeleteCtx(ctx, token)
	}
	key, err := x.sessionKey(ctx)
	if err != nil {
		return unavailable("commit session", err)
	}
	name := x.name(token)
	set := x.client.B().Set().Key(name).Value(rueidis.BinaryString(seal(key, name, data, expiry))).Px(left).Build()
	if err := x.send(ctx, set.ToRetryable()).Error(); err != nil {
		return unavailable("commit session", err)
	}
	return nil
}

// DeleteCtx ends a session; an unknown one is ended already.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	if err := x.send(ctx, x.client.B().Del().Key(x.name(token)).Build().ToRetryable()).Error(); err != nil {
		return unavailable("delete session", err)
	}
	return nil
}

// Find is FindCtx without a context, as scs.Store asks for.
func (x *Sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context, as scs.Store asks for.
func (x *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context, as scs.Store asks for.
func (x *Sessions) Delete(token string) error {
	return x.DeleteCtx(context.Background(), token)
}

func (x *Sessions) name(token string) string {
	sum := sha256.Sum256([]byte(token))
	return x.prefix + "session:" + hex.EncodeToString(sum[:])
}

// unavailable gives an error of Redis the code EUNAVAILABLE, if Redis is away.
func unavailable(what string, err error) error {
	if err = redisconn.Explain(err); redisconn.Away(err) {
		err = weir.Wrap(err, weir.EUNAVAILABLE, "login sessions are away")
	}
	return fmt.Errorf("fleet: %s: %w", what, err)
}
