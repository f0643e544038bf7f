package report_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

func TestAClockThatWasAheadHoldsUpNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-29")
		w.happens("1999-12-29", 5)
		ahead := 240 * time.Hour
		w.clock = func() time.Time { return time.Now().Add(ahead) }
		s := report.NewScheduler(w.reporter(), w, always)
		w.fails["save"] = errors.New("no room")
		lasting(t, s, 30*time.Minute)
		ahead = 0
		delete(w.fails, "save")
		lasting(t, s, 2*time.Hour)
		if w.reports["1999-12-29"] == nil {
			t.Fatal("there is no report, of a project whose reports failed while the clock was ahead")
		}
		w.happens("1999-12-29", 1)
		lasting(t, s, 2*time.Hour)
		if a := w.reports["1999-12-29"]; a.Totals.Events != 6 {
			t.Errorf("late events are not looked for: %+v", a.Totals)
		}
	})
}

func TestDaysToComeHaveNoReportAfterAClockThatWasAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-30")
		ahead := 72 * time.Hour
		w.clock = func() time.Time { return time.Now().Add(ahead) }
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, time.Second)
		ahead = 0
		for d := weir.Date("2000-01-01"); d < "2000-01-04"; d = d.Add(1) {
			if a, err := w.r.Daily(t.Context(), w.p, d); weir.ErrorCode(err) != weir.ENOTFOUND {
				t.Errorf("%s: %+v", d, a)
			}
		}
		lasting(t, s, 25*time.Hour+2*time.Minute)
		a, err := w.r.Daily(t.Context(), w.p, "2000-01-01")
		if err != nil || a.ComputedAt.Format("01-02 15:04") != "01-02 01:00" && a.ComputedAt.Format("01-02 15:04") != "01-02 01:01" {
			t.Errorf("%v, %v", a, err)
		}
	})
}

func TestAClockFarAheadDeletesNoReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-30")
		believed := time.Now()
		ahead := time.Duration(0)
		w.clock = func() time.Time { return time.Now().Add(ahead) }
		w.today = func(context.Context) (time.Time, error) { return believed, nil }
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, time.Minute)
		ahead = 400 * 24 * time.Hour
		lasting(t, s, 2*time.Hour)
		if w.reports["1999-12-30"] == nil {
			t.Error("it is deleted")
		}
	})
}
