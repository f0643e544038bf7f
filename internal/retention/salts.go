package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/meta"
)

// Salter destroys the salts that device ids were derived under. *meta.Store is one.
type Salter interface {
	DestroySalts(ctx context.Context) (meta.Today, error)
}

// saltsEvery bounds how long a salt outlives its time.
const saltsEvery = time.Hour

// DestroySalts destroys old salts until ctx is done, on a server that gets no events
// too. Of several nodes, only the one for which mayRun returns true does so.
func DestroySalts(ctx context.Context, s Salter, mayRun func(context.Context, time.Duration) (bool, error), log *slog.Logger) error {
	t := time.NewTicker(saltsEvery)
	defer t.Stop()
	for {
		mine, err := mayRun(ctx, 2*saltsEvery)
		if mine {
			var today meta.Today
			today, err = s.DestroySalts(ctx)
			logClockDoubt(log, today, "salts are destroyed by the last trusted time")
		}
		if err != nil && ctx.Err() == nil {
			log.Error("salts: destroying old salts failed, retrying in 1h", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
