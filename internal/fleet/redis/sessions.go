package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// Sessions are fleet.Sessions.
type Sessions struct{ *conn }

// FindCtx returns a session's data; found is false when there is none or it has
// expired.
func (x *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	data, err = x.send(ctx, x.client.B().Get().Key(x.key(token)).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("fleet: find session: %w", err)
	}
	return data, true, nil
}

// CommitCtx stores a session until expiry; one that has expired is deleted.
func (x *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	// Not the moment itself: expiry is by this node's clock, and Redis may have
	// another.
	left := expiry.Sub(x.clock.Now())
	if left < time.Millisecond {
		return x.DeleteCtx(ctx, token)
	}
	set := x.client.B().Set().Key(x.key(token)).Value(rueidis.BinaryString(data)).Px(left).Build()
	if err := x.send(ctx, set.ToRetryable()).Error(); err != nil {
		return fmt.Errorf("fleet: commit session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session; an unknown one is ended already.
func (x *Sessions) DeleteCtx(ctx context.Context, token string) error {
	if err := x.send(ctx, x.client.B().Del().Key(x.key(token)).Build().ToRetryable()).Error(); err != nil {
		return fmt.Errorf("fleet: delete session: %w", err)
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

func (x *Sessions) key(token string) string {
	sum := sha256.Sum256([]byte(token))
	return x.prefix + "session:" + hex.EncodeToString(sum[:])
}
