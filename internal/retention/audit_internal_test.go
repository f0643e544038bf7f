package retention

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/internal/meta"
)

// auditor notes up to when entries were deleted.
type auditor struct{ before []time.Time }

func (*auditor) Today(context.Context) (meta.Today, error) { return meta.Today{Time: time.Now()}, nil }

func (a *auditor) TrimAudit(_ context.Context, before time.Time) (int64, error) {
	a.before = append(a.before, before)
	return 1, nil
}

func TestTheAuditLogIsTrimmedEachHour(t *testing.T) {
	for _, days := range []int{0, 30} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			a := &auditor{}
			ctx, cancel := context.WithTimeout(t.Context(), auditEvery+time.Minute)
			defer cancel()
			begin := time.Now()
			if err := TrimAudit(ctx, a, days, always, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatal(err)
			}
			if len(a.before) != 2 {
				t.Fatalf("trimmed %d times", len(a.before))
			}
			want := begin.Add(auditEvery).AddDate(0, 0, -days)
			if days == 0 {
				want = time.Time{} // only what is too many
			}
			if !a.before[1].Equal(want) {
				t.Errorf("%d days: before %v, want %v", days, a.before[1], want)
			}
		})
	}
}
