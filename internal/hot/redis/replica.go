package redis

import (
	"errors"
	"time"

	"github.com/redis/rueidis"
)

// wait makes a write wait for a replica. Nil does not wait.
type wait struct{ timeout time.Duration }

// errReplica is a write that no replica confirmed: it is lost if the master is.
var errReplica = errors.New("no replica has confirmed the write in time")

func (w *wait) command(b rueidis.Builder) rueidis.Completed {
	return b.Wait().Numreplicas(1).Timeout(w.timeout.Milliseconds()).Build()
}

func (w *wait) confirmed(r rueidis.RedisResult) error {
	n, err := r.AsInt64()
	if err == nil && n < 1 {
		err = errReplica
	}
	return err
}
