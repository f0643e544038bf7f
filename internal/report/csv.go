package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// CSV writes reports as RFC 4180 says, one row a day, and on request one for each
// API after it. Text that a spreadsheet would take for a formula gets an apostrophe
// before it. It is for one goroutine.
type CSV struct {
	w    *csv.Writer
	apis bool
	cell []string
}

// NewCSV writes to w. With apis each day's row is followed by those of its APIs,
// and two columns say which is which.
func NewCSV(w io.Writer, apis bool) *CSV {
	c := &CSV{w: csv.NewWriter(w), apis: apis}
	c.w.UseCRLF = true
	return c
}

// figureColumns are of a day's calls, or of those of one API.
var figureColumns = []string{
	"calls", "calls_per_second", "calls_without_status", "success_rate", "error_rate_4xx", "error_rate_5xx", "apdex",
	"latency_mean_ms", "latency_p50_ms", "latency_p90_ms", "latency_p95_ms", "latency_p99_ms",
}

// dayColumns are of a day alone.
var dayColumns = []string{
	"events", "visitors", "consumers", "new_consumers", "returning_consumers",
	"new_persons", "active_persons", "returning_persons", "resurrecting_persons", "dormant_persons", "cumulative_persons", "net_growth",
	"weekly_active", "monthly_active", "signups",
	"visits", "visit_visitors", "views", "bounce_rate", "visit_duration_ms",
	"counted_events", "counted_calls", "difference_events", "difference_calls", "difference_reasons",
	"day_before_events_change", "day_before_calls_change", "day_before_visitors_change",
	"week_before_events_change", "week_before_calls_change", "week_before_visitors_change",
}

// Header writes the names of the columns.
func (c *CSV) Header() error {
	c.cell = append(c.cell[:0], "date", "timezone", "from", "to", "revision", "computed_at", "as_of")
	if c.apis {
		c.cell = append(c.cell, "row", "api")
	}
	c.cell = append(append(c.cell, figureColumns...), dayColumns...)
	return c.write()
}

// Report writes a day.
func (c *CSV) Report(a *weir.Report) error {
	c.begin(a, "day", "")
	c.figures(&a.Calls.CallFigures)
	c.whole(a.Totals.Events, a.Totals.Visitors, a.Calls.Consumers.Active, a.Calls.Consumers.New, a.Calls.Consumers.Returning)
	g := &a.Growth
	c.whole(g.New, g.Active, g.Returning, g.Resurrecting, g.Dormant, g.Cumulative, g.Net, g.WeeklyActive, g.MonthlyActive, g.Signups)
	c.whole(a.Visits.Count, a.Visits.Visitors, a.Visits.Views)
	c.parts(a.Visits.BounceRate, a.Visits.MeanDuration)
	c.difference(a)
	var compare weir.ReportCompare
	if a.Compare != nil {
		compare = *a.Compare
	}
	for _, b := range []*weir.ReportComparison{compare.DayBefore, compare.WeekBefore} {
		if b == nil {
			b = &weir.ReportComparison{}
		}
		c.parts(b.Change.Events, b.Change.Calls, b.Change.Visitors)
	}
	if err := c.write(); err != nil || !c.apis {
		return err
	}
	for i := range a.Calls.ByAPI {
		api := &a.Calls.ByAPI[i]
		row, name := "api", ""
		switch {
		case api.Other:
			row = "other"
		case api.API == nil:
			row = "none"
		default:
			name = *api.API
		}
		c.begin(a, row, name)
		c.figures(&api.CallFigures)
		for range dayColumns {
			c.cell = append(c.cell, "")
		}
		if err := c.write(); err != nil {
			return err
		}
	}
	return nil
}

// Flush writes what is held back.
func (c *CSV) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

func (c *CSV) begin(a *weir.Report, row, api string) {
	c.cell = append(c.cell[:0], string(a.Date), Text(a.Timezone), a.From.Format(time.RFC3339), a.To.Format(time.RFC3339),
		strconv.Itoa(a.Revision), a.ComputedAt.Format(time.RFC3339), a.AsOf.Format(time.RFC3339))
	if c.apis {
		c.cell = append(c.cell, row, Text(api))
	}
}

func (c *CSV) figures(f *weir.CallFigures) {
	c.whole(f.Calls)
	c.parts(&f.Rate)
	c.whole(f.Unknown)
	c.parts(f.SuccessRate, f.ErrorRate4xx, f.ErrorRate5xx, f.Apdex,
		f.Latency.Mean, f.Latency.P50, f.Latency.P90, f.Latency.P95, f.Latency.P99)
}

func (c *CSV) difference(a *weir.Report) {
	if a.Counters == nil {
		c.cell = append(c.cell, "", "")
	} else {
		c.whole(a.Counters.Events, a.Counters.Calls)
	}
	if a.Difference == nil {
		c.cell = append(c.cell, "0", "0", "")
		return
	}
	c.whole(a.Difference.Events, a.Difference.Calls)
	reasons := make([]string, len(a.Difference.Reasons))
	for i, why := range a.Difference.Reasons {
		reasons[i] = fmt.Sprintf("%s %d", why.Reason, why.Events)
	}
	c.cell = append(c.cell, Text(strings.Join(reasons, "; ")))
}

func (c *CSV) whole(ns ...int64) {
	for _, n := range ns {
		c.cell = append(c.cell, strconv.FormatInt(n, 10))
	}
}

func (c *CSV) parts(fs ...*float64) {
	for _, f := range fs {
		if f == nil {
			c.cell = append(c.cell, "")
		} else {
			c.cell = append(c.cell, strconv.FormatFloat(*f, 'g', 10, 64))
		}
	}
}

func (c *CSV) write() error { return c.w.Write(c.cell) }

// Text is a cell that a spreadsheet shows as it is. A text that begins as a formula does, in any
// of the forms of https://owasp.org/www-community/attacks/CSV_Injection, gets an apostrophe before
// it. So does one that begins with an apostrophe: the first is always the one to take off again.
// The same goes for what follows a semicolon, since a spreadsheet of many countries divides cells
// there, inside of quotes too. What is no UTF-8, or ends a line, is replaced by a space.
func Text(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	parts := strings.Split(s, ";")
	for i, part := range parts {
		first, _ := utf8.DecodeRuneInString(strings.TrimLeft(part, " \u00a0\u3000"))
		switch first {
		case '=', '+', '-', '@', '|', '%', '\'', '＝', '＋', '－', '＠', '"':
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, ";")
}
