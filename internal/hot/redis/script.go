package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	"encoding/hex"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// script is a Lua script. Redis runs it by its hash, once it has received the text.
type script struct{ text, sha string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return &script{text, hex.EncodeToString(sum[:])}
}

// on runs the script on a connection. With replica it then waits until the
// replicas have all that the connection wrote; WAIT counts only what its own
// connection did, which is why it has to be one.
func (sc *script) on(ctx context.Context, c rueidis.DedicatedClient, replica *wait, keys, args []string) (rueidis.RedisResult, error) {
	send := func(cmd rueidis.Completed) (rueidis.RedisResult, error) {
		if replica != nil {
			return replica.after(ctx, c, cmd)
		}
		r := c.Do(ctx, cmd)
		return r, r.Error()
	}
	n := int64(len(keys))
	got, err := send(c.B().Evalsha().Sha1(sc.sha).Numkeys(n).Key(keys...).Arg(args...).Build())
	if re, ok := rueidis.IsRedisErr(err); ok && re.IsNoScript() {
		got, err = send(c.B().Eval().Script(sc.text).Numkeys(n).Key(keys...).Arg(args...).Build())
	}
	return got, err
}

// moveWait is the pause before a call is sent again to where its keys are then.
const moveWait = 20 * time.Millisecond

// run runs a script on a connection of the pool. While a cluster moves the keys
// it refuses the script, untouched; then it is sent again, until ctx is done.
func (s *Store) run(ctx context.Context, sc *script, replica *wait, keys, args []string) (r rueidis.RedisResult, err error) {
	for {
		err = s.client.Dedicated(func(c rueidis.DedicatedClient) error {
			r, err = sc.on(ctx, c, replica, keys, args)
			return err
		})
		if !redisconn.Moving(err) || !pause(ctx, moveWait) {
			return r, err
		}
	}
}

// pause waits, and says whether there is time left.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
