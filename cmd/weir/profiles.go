package main

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/insight"
)

// profiles are those of the cold tier.
type profiles struct {
	*insight.Engine
	cold  cold.Eraser
	locks fleet.Locks // of all nodes
}

// eraseTTL is how long a node that is gone in the middle of an erasure holds up the
// project's next one.
const eraseTTL = 30 * time.Second

// Erase erases in the cold tier, one profile of a project at a time: two erasures of the
// same events at once could each add what is left of them. Error: EUNAVAILABLE too, when
// another goes on.
func (p profiles) Erase(ctx context.Context, of *weir.Project, profileID, by string) (*insight.Erased, error) {
	release, mine, err := hold(ctx, p.locks, "erase:"+of.ID, eraseTTL)
	if err != nil {
		return nil, weir.Wrap(err, weir.EUNAVAILABLE, "it cannot be told whether another erasure goes on: try again")
	}
	if !mine {
		return nil, weir.Errorf(weir.EUNAVAILABLE, "another erasure of the project goes on: erase again when it has ended")
	}
	defer release()
	return p.Engine.Erase(ctx, of, p.cold, profileID, by)
}

// hold takes a lock, and again and again until release, which must be called if it is
// mine.
func hold(ctx context.Context, locks fleet.Locks, name string, ttl time.Duration) (release func(), mine bool, err error) {
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

func (e elsewhere) Profiles(context.Context, *weir.Project, insight.ProfilesQuery, time.Duration) (*insight.ProfilePage, error) {
	return nil, e.err("answer questions")
}

func (e elsewhere) Profile(context.Context, *weir.Project, string, time.Duration) (*insight.Profile, error) {
	return nil, e.err("answer questions")
}

func (e elsewhere) Export(context.Context, *weir.Project, string, io.Writer) error {
	return e.err("answer questions")
}

func (e elsewhere) Erase(context.Context, *weir.Project, string, string) (*insight.Erased, error) {
	return nil, e.err("erase profiles")
}
