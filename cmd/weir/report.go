package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

// reportCmd is "weir report".
type reportCmd struct {
	Show     reportShowCmd     `cmd:"" help:"Print daily reports."`
	Compute  reportComputeCmd  `cmd:"" help:"Compute a day's report now and print it."`
	Schedule reportScheduleCmd `cmd:"" help:"Show or change when a project's reports are computed."`
}

// Help is shown below the usage.
func (*reportCmd) Help() string {
	return `Examples:

    weir report show PROJECT
    weir report show PROJECT --date 2026-03-10
    weir report show PROJECT --from 2026-03-01 --to 2026-03-31 --format csv > march.csv
    weir report compute PROJECT --date 2026-03-10
    weir report schedule PROJECT --at 02:30`
}

type reportShowCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Date    string `placeholder:"DATE" help:"The day, such as 2026-03-10; the latest report when no day is named."`
	From    string `placeholder:"DATE" help:"The first of several days: a date, -7d, or a word such as last_month, which without --to is the whole month."`
	To      string `placeholder:"DATE" help:"The last of them; yesterday when missing."`
	Format  string `default:"text" enum:"text,json,csv" help:"text, json (one report a line) or csv."`
	ByAPI   bool   `name:"by-api" help:"With csv: rows of APIs after each day's own."`
}

// Help is shown below the usage.
func (*reportShowCmd) Help() string {
	return `Example:

    weir report show PROJECT --from 2026-03-01 --to 2026-03-31 --format csv --by-api`
}

// Run prints them.
func (c *reportShowCmd) Run(ctx context.Context, stdout io.Writer) error {
	if c.Date != "" && c.From+c.To != "" {
		return misuse(errors.New("--date is one day: give it, or --from and --to"))
	}
	if c.ByAPI && c.Format != "csv" {
		return misuse(errors.New("--by-api goes with --format csv"))
	}
	if c.Date != "" {
		a, err := c.day(ctx, http.MethodGet, c.Project, c.Date)
		if err != nil {
			return err
		}
		return printReports(stdout, c.Format, c.ByAPI, []*weir.Report{a})
	}
	all, err := c.days(ctx, c.Project, c.From, c.To)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("there is no report of these days; a report is computed in the night after its day")
	}
	if c.From+c.To == "" {
		all = all[len(all)-1:]
	}
	return printReports(stdout, c.Format, c.ByAPI, all)
}

type reportComputeCmd struct {
	remote  `embed:""`
	Project string `arg:"" help:"Id of the project."`
	Date    string `required:"" placeholder:"DATE" help:"The day, such as 2026-03-10."`
	Format  string `default:"text" enum:"text,json,csv" help:"text, json or csv."`
}

// Help is shown below the usage.
func (*reportComputeCmd) Help() string {
	return `Example:

    weir report compute PROJECT --date 2026-03-10`
}

// Run computes it.
func (c *reportComputeCmd) Run(ctx context.Context, stdout io.Writer) error {
	c.patience = 2 * time.Minute // longer than the server's
	a, err := c.day(ctx, http.MethodPost, c.Project, c.Date)
	if err != nil {
		return err
	}
	return printReports(stdout, c.Format, false, []*weir.Report{a})
}

type reportScheduleCmd struct {
	remote  `embed:""`
	Project string  `arg:"" help:"Id of the project."`
	At      *string `placeholder:"HH:MM" help:"Time of day in the project's timezone, off for none, or default for the server's. Without it the schedule is shown."`
}

// Help is shown below the usage.
func (*reportScheduleCmd) Help() string {
	return `Example:

    weir report schedule PROJECT --at 02:30`
}

// Run shows or changes it.
func (c *reportScheduleCmd) Run(ctx context.Context, stdout io.Writer) error {
	method, in := http.MethodGet, any(nil)
	if c.At != nil {
		at := *c.At
		if at == "default" {
			at = ""
		}
		method, in = http.MethodPut, map[string]string{"at": at}
	}
	var s report.Schedule
	if err := c.call(ctx, method, reportsPath(c.Project)+"/schedule", in, &s); err != nil {
		return err
	}
	whose := "the server's"
	if s.At != "" {
		whose = "the project's own"
	}
	next := "never"
	if s.Next != nil {
		next = s.Next.Format(time.RFC3339)
	}
	_, err := fmt.Fprintf(stdout, "at        %s, %s time\ntimezone  %s\nnext      %s\n", s.Used, whose, s.Timezone, next)
	return err
}

func reportsPath(project string) string {
	return "/api/v1/projects/" + url.PathEscape(project) + "/reports"
}

// day asks for one day's report.
func (r remote) day(ctx context.Context, method, project, date string) (*weir.Report, error) {
	var a weir.Report
	return &a, r.call(ctx, method, reportsPath(project)+"/daily/"+url.PathEscape(date), nil, &a)
}

// days asks for the reports of the days from first to last, either of which may be
// "": then for those of the last month. Many days are asked for by and by.
func (r remote) days(ctx context.Context, project, first, last string) (all []*weir.Report, err error) {
	const atOnce = 31
	ask := func(q url.Values) error {
		var page struct{ Reports []*weir.Report }
		err := r.call(ctx, http.MethodGet, reportsPath(project)+"/daily?"+q.Encode(), nil, &page)
		all = append(all, page.Reports...)
		return err
	}
	from, errFrom := weir.ParseDate(first)
	to, errTo := weir.ParseDate(last)
	if errFrom != nil || errTo != nil { // one is missing, or in a form that only the server reads
		q := url.Values{}
		if first != "" {
			q.Set("from", first)
		}
		if last != "" {
			q.Set("to", last)
		}
		return all, ask(q)
	}
	for ; from <= to; from = from.Add(atOnce) {
		end := min(from.Add(atOnce-1), to)
		if err := ask(url.Values{"from": {string(from)}, "to": {string(end)}}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func printReports(w io.Writer, format string, byAPI bool, all []*weir.Report) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		for _, a := range all {
			if err := e.Encode(a); err != nil {
				return err
			}
		}
		return nil
	case "csv":
		c := report.NewCSV(w, byAPI)
		if err := c.Header(); err != nil {
			return err
		}
		for _, a := range all {
			if err := c.Report(a); err != nil {
				return err
			}
		}
		return c.Flush()
	}
	if len(all) == 1 {
		return printReport(w, all[0])
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "DATE\tREVISION\tEVENTS\tCALLS\tSUCCESS\tP95 MS\tVISITORS\tNEW\tVISITS\t")
	for _, a := range all {
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", a.Date, a.Revision, thousands(a.Totals.Events), thousands(a.Totals.Calls),
			percent(a.Calls.SuccessRate), millis(a.Calls.Latency.P95), thousands(a.Totals.Visitors), thousands(a.Growth.New), thousands(a.Visits.Count))
	}
	return t.Flush()
}

// apisShown is how many APIs a printed report lists.
const apisShown = 20

func printReport(w io.Writer, a *weir.Report) error {
	fmt.Fprintf(w, "%s, %s, %s; revision %d, computed %s\n\n", a.Date, a.Timezone, strings.TrimSuffix(a.To.Sub(a.From).String(), "0m0s"), a.Revision, a.ComputedAt.Format(time.RFC3339))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var day, week weir.ReportChange
	if a.Compare != nil && a.Compare.DayBefore != nil {
		day = a.Compare.DayBefore.Change
	}
	if a.Compare != nil && a.Compare.WeekBefore != nil {
		week = a.Compare.WeekBefore.Change
	}
	fmt.Fprintf(t, "\t\tday before\tweek before\n")
	for _, l := range []struct {
		name      string
		n         int64
		day, week *float64
	}{
		{"events", a.Totals.Events, day.Events, week.Events},
		{"calls", a.Totals.Calls, day.Calls, week.Calls},
		{"visitors", a.Totals.Visitors, day.Visitors, week.Visitors},
		{"visits", a.Visits.Count, day.Visits, week.Visits},
	} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.name, thousands(l.n), changed(l.day), changed(l.week))
	}
	c, g, v := &a.Calls, &a.Growth, &a.Visits
	fmt.Fprintf(t, "success rate\t%s\n4xx, 5xx\t%s, %s\n", percent(c.SuccessRate), percent(c.ErrorRate4xx), percent(c.ErrorRate5xx))
	fmt.Fprintf(t, "latency ms\tmean %s, p50 %s, p90 %s, p95 %s, p99 %s\n", millis(c.Latency.Mean), millis(c.Latency.P50), millis(c.Latency.P90), millis(c.Latency.P95), millis(c.Latency.P99))
	fmt.Fprintf(t, "consumers\t%s, %s of them new\n", thousands(c.Consumers.Active), thousands(c.Consumers.New))
	fmt.Fprintf(t, "persons\t%s active: %s new, %s returning, %s resurrecting; %s dormant; %s so far; %s signups\n", thousands(g.Active), thousands(g.New),
		thousands(g.Returning), thousands(g.Resurrecting), thousands(-g.Dormant), thousands(g.Cumulative), thousands(g.Signups))
	fmt.Fprintf(t, "visits\tbounce rate %s, mean %s ms, %s views\n", percent(v.BounceRate), millis(v.MeanDuration), thousands(v.Views))
	fmt.Fprintf(t, "counters\t%s\n", counted(a))
	if err := t.Flush(); err != nil || len(c.ByAPI) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "API\tCALLS\tSUCCESS\tP95 MS")
	for i := range c.ByAPI[:min(len(c.ByAPI), apisShown)] {
		api := &c.ByAPI[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", apiName(api), thousands(api.Calls), percent(api.SuccessRate), millis(api.Latency.P95))
	}
	if more := len(c.ByAPI) - apisShown; more > 0 {
		fmt.Fprintf(t, "… and %d more\n", more)
	}
	return t.Flush()
}

func apiName(a *weir.ReportAPI) string {
	switch {
	case a.Other:
		return "(other)"
	case a.API == nil:
		return "(none)"
	}
	// It is whatever somebody sent: nothing that a terminal would obey.
	if q := strconv.Quote(*a.API); q[1:len(q)-1] != *a.API {
		return q
	}
	return *a.API
}

func counted(a *weir.Report) string {
	if a.Difference == nil {
		return "agree"
	}
	parts := make([]string, len(a.Difference.Reasons))
	for i, r := range a.Difference.Reasons {
		parts[i] = fmt.Sprintf("%s (%+d events, %+d calls)", r.Reason, r.Events, r.Calls)
	}
	return "differ: " + strings.Join(parts, ", ")
}

func percent(f *float64) string {
	if f == nil {
		return "–"
	}
	return strconv.FormatFloat(100**f, 'f', 2, 64) + " %"
}

func changed(f *float64) string {
	if f == nil {
		return "–"
	}
	return fmt.Sprintf("%+.1f %%", 100**f)
}

func millis(f *float64) string {
	if f == nil {
		return "–"
	}
	return strconv.FormatFloat(*f, 'f', 1, 64)
}
