package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/meta"
)

// Auditor keeps the log of administrative acts. *meta.Store is one.
type Auditor interface {
	Today(ctx context.Context) (meta.Today, error)
	TrimAudit(ctx context.Context, before time.Time) (deleted int64, err error)
}

// auditEvery is how often old entries of the audit log are deleted.
const auditEvery = time.Hour

// TrimAudit deletes entries of the audit log that are older than days, or too many, until ctx
// is done. With 0 days only those that are too many. Of several nodes, only the one for which
// mayRun returns true does so.
func TrimAudit(ctx context.Context, a Auditor, days int, mayRun func(context.Context, time.Duration) (bool, error), log *slog.Logger) error {
	t := time.NewTicker(auditEvery)
	defer t.Stop()
	for {
		mine, err := mayRun(ctx, 2*auditEvery)
		if mine && err == nil {
			err = trimAudit(ctx, a, days, log)
		}
		if err != nil && ctx.Err() == nil {
			log.Error("audit log: deleting old entries failed, retrying in 1h", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func trimAudit(ctx context.Context, a Auditor, days int, log *slog.Logger) error {
	var before time.Time
	if days > 0 {
		today, err := a.Today(ctx)
		if err != nil {
			return err
		}
		logClockDoubt(log, today, "the audit log is trimmed by the last trusted time")
		before = today.Time.AddDate(0, 0, -days)
	}
	deleted, err := a.TrimAudit(ctx, before)
	if deleted > 0 {
		log.Info("audit log: deleted old entries", "entries", deleted)
	}
	return err
}
