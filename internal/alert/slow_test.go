package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

// stuck is a store that finds no project in time.
type stuck struct{ alerts int }

func (s stuck) Project(ctx context.Context, _ string) (*weir.Project, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s stuck) ActiveAlerts(context.Context) ([]*weir.Alert, error) {
	all := make([]*weir.Alert, s.alerts)
	for i := range all {
		all[i] = &weir.Alert{ID: fmt.Sprint(i), ProjectID: "p"}
	}
	return all, nil
}

func (s stuck) Alert(context.Context, string, string) (*weir.Alert, error) {
	return nil, weir.Errorf(weir.ENOTFOUND, "no such alert")
}

func (s stuck) StepAlert(context.Context, *weir.AlertStep) (bool, error) { return true, nil }

func (s stuck) TrimAlertHistory(context.Context, time.Time) error { return nil }

func TestAPassThatTakesTooLongSaysOnceHowManyAlertsAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		reg := prometheus.NewRegistry()
		began := time.Now()
		e := alert.NewEvaluator(alert.Config{
			Store: stuck{10_000}, Log: slog.New(slog.NewTextHandler(&j, nil)), Metrics: alert.NewMetrics(reg), Texts: alert.English(),
			Once: func(context.Context, string, time.Duration) (bool, error) { return true, nil },
		})
		e.Pass(t.Context())
		if took := time.Since(began); took >= time.Minute {
			t.Errorf("the pass took %v", took)
		}
		lines := strings.Count(j.String(), "\n")
		if lines > 10 || !strings.Contains(j.String(), "left=99") {
			t.Errorf("%d lines, the last: %.300s", lines, j.String()[max(0, j.b.Len()-300):])
		}
	})
}
