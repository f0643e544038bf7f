package fleet

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

// Hold acquires a lock and renews it until release is called. If another owner has the lock,
// mine is false and release is nil.
func Hold(ctx context.Context, locks Locks, name string, ttl time.Duration) (release func(), mine bool, err error) {
	owner := rand.Text()
	if mine, err = locks.Acquire(ctx, name, owner, ttl); err != nil || !mine {
		return nil, false, err
	}
	held, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		again := time.NewTicker(ttl / 3)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				_, _ = locks.Acquire(held, name, owner, ttl) // it may be there the next time
			case <-held.Done():
				return
			}
		}
	})
	return func() {
		stop()
		wg.Wait() // or it could be taken again after it is given up
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = locks.Release(ctx, name, owner) // it goes by itself
	}, true, nil
}
