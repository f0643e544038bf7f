package main

import (
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/report"
)

// reportStatement is how long a statement of a report may take: a day's report is
// asked for by nobody who waits.
const reportStatement = 2 * time.Minute

// buildReports makes what computes and reads daily reports. A node without the cold
// tier only reads them.
func (s *server) buildReports(r cold.Reader) {
	at, _ := report.ParseAt(s.cmd.ReportAt) // was checked
	c := report.Config{Store: s.meta, Counters: s.hot, At: at, Clock: s.clock, Today: s.today, Logger: s.log, Registry: s.reg}
	if s.cold != nil {
		c.Source = report.NewInsightSource(insight.New(r, s.drain, s.clock, insight.Options{MaxTime: reportStatement}), r, s.drain)
	}
	s.reports = report.New(c)
	if s.cmd.has(roleJobs) && s.cold != nil {
		s.nightly = report.NewScheduler(s.reports, s.meta, s.once("reports"))
	}
}
