package main

import (
	"context"
	"log/slog"
	"time"

	weir "github.com/weir-analytics/weir"
)

// salter keeps the salts that device ids are derived under. To ask for a day's
// destroys those that are too old. *meta.Store is one.
type salter interface {
	Salts(ctx context.Context, day time.Time) (today, yesterday []byte, err error)
	ForgetSalts(ctx context.Context) error
}

// saltsEvery bounds how long a salt outlives its time.
const saltsEvery = time.Hour

// keepSalts asks for the day's salts until ctx is done, so that old ones are
// destroyed on a server that gets no events too. Of several nodes the one does
// it that once lets.
func keepSalts(ctx context.Context, s salter, once func(context.Context, time.Duration) (bool, error), clock weir.Clock, log *slog.Logger) error {
	t := time.NewTicker(saltsEvery)
	defer t.Stop()
	for {
		mine, err := once(ctx, 2*saltsEvery)
		if mine {
			if _, _, err = s.Salts(ctx, clock.Now()); err == nil {
				err = s.ForgetSalts(ctx)
			}
		}
		if err != nil && ctx.Err() == nil {
			log.Error("old salts may not be destroyed; trying again in an hour", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
