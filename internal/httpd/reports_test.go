package httpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/report"
)

var _ httpd.Reports = (*report.Reporter)(nil)

// reports are the backend as Reports.
type reports struct{ *backend }

func (b reports) one(p *weir.Project, d weir.Date, revision int) (*weir.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.days = append(b.days, d)
	if err := b.asked(p); err != nil {
		return nil, err
	}
	return dayOf(d, revision), nil
}

func dayOf(d weir.Date, revision int) *weir.Report {
	api := "=a"
	return &weir.Report{
		Date: d, Revision: revision, Totals: weir.ReportTotals{Events: 7},
		Calls: weir.ReportCalls{ByAPI: []weir.ReportAPI{{API: &api}}}, Visits: weir.ReportVisits{Pages: []weir.ReportPage{}},
	}
}

func (b reports) Daily(_ context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
	return b.one(p, d, 1)
}

func (b reports) Compute(_ context.Context, p *weir.Project, d weir.Date) (*weir.Report, error) {
	return b.one(p, d, 2)
}

func (b reports) Days(_ context.Context, p *weir.Project, first, last weir.Date) (iter.Seq2[*weir.Report, error], error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.days = append(b.days, first, last)
	if err := b.asked(p); err != nil {
		return nil, err
	}
	return func(yield func(*weir.Report, error) bool) {
		for i := range b.reports {
			if !yield(dayOf(first.Add(i), 1), nil) {
				return
			}
		}
		if b.breaks != nil {
			yield(nil, b.breaks)
		}
	}, nil
}

func (b reports) Schedule(ctx context.Context, p *weir.Project) (*report.Schedule, error) {
	return b.SetSchedule(ctx, p, "")
}

func (b reports) SetSchedule(_ context.Context, p *weir.Project, at string) (*report.Schedule, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &report.Schedule{At: at, Used: "01:00"}, b.asked(p)
}

func TestReportsAreAskedForByDaysOfTheProject(t *testing.T) {
	f := start(t) // 13:34 in Berlin on 2026-03-10
	for query, want := range map[string][]weir.Date{
		"":                               {"2026-02-08", "2026-03-09"},
		"?from=2026-03-01&to=2026-03-07": {"2026-03-01", "2026-03-07"},
		"?from=2026-03-07":               {"2026-03-07", "2026-03-09"},
		"?from=-7d&to=-1d":               {"2026-03-03", "2026-03-09"},
		"?from=2026-03-01T23:30:00Z":     {"2026-03-02", "2026-03-09"},
		"?from=-2d&to=2026-03-10T00:00:00%2B01:00": {"2026-03-08", "2026-03-09"},
		"?from=-2d&to=now":                         {"2026-03-08", "2026-03-10"},
		"?from=-2d":                                {"2026-03-08", "2026-03-09"},
		"?from=-7d/d":                              {"2026-03-03", "2026-03-09"},
		"?from=yesterday":                          {"2026-03-09", "2026-03-09"},
		"?from=last_month":                         {"2026-02-01", "2026-02-28"},
		"?from=this_week":                          {"2026-03-09", "2026-03-09"},
		"?from=last_week&to=yesterday":             {"2026-03-02", "2026-03-09"},
	} {
		f.days = nil
		a := f.as(f.admin, "GET", f.path("/reports/daily"+query), "")
		wantStatus(t, a, 200)
		if d := cmp.Diff(want, f.days); d != "" {
			t.Errorf("%q: %s", query, d)
		}
		if a.body != "{\"reports\":[]}\n" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%q: %v", query, a)
		}
	}
	for _, query := range []string{"?from=someday", "?to=2026-13-01", "?format=xml", "?by_api=perhaps", "?from=1969-01-01"} {
		wantError(t, f.as(f.admin, "GET", f.path("/reports/daily"+query), ""), 400, weir.EINVALID)
	}
	f.err = weir.Errorf(weir.EINVALID, "too many days")
	wantError(t, f.as(f.admin, "GET", f.path("/reports/daily"), ""), 400, weir.EINVALID)
}

func TestReportsAreJSON(t *testing.T) {
	f := start(t)
	f.reports = 3
	a := f.as(f.admin, "GET", f.path("/reports/daily?from=2026-03-01"), "")
	wantStatus(t, a, 200)
	var got struct{ Reports []weir.Report }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]weir.Report{*dayOf("2026-03-01", 1), *dayOf("2026-03-02", 1), *dayOf("2026-03-03", 1)}, got.Reports); d != "" {
		t.Error(d)
	}
}

func TestReportsAreCSVForWhomAsksForIt(t *testing.T) {
	f := start(t)
	f.reports = 2
	for _, c := range []struct {
		query, accept string
		csv           bool
	}{
		{"", "", false},
		{"", "*/*", false},
		{"", "application/json, text/csv;q=0.5", false},
		{"", "text/html,*/*;q=0.8", false},
		{"", "application/json, text/csv", false},
		{"", "text/csv;q=0, */*", false},
		{"?format=json", "text/csv", false},
		{"?format=csv", "", true},
		{"", "text/csv", true},
		{"", "text/csv, */*;q=0.1", true},
		{"", "TEXT/CSV ; header=present", true},
		{"", "application/json;q=0.2, text/csv;q=0.3", true},
		{"", "*/*, text/csv", true},
		{"?format=csv", "application/json", true},
	} {
		a := f.do("GET", f.path("/reports/daily"+c.query), "", "Authorization", "Bearer "+f.admin, "Accept", c.accept)
		wantStatus(t, a, 200)
		if got := strings.HasPrefix(a.header.Get("Content-Type"), "text/csv"); got != c.csv || a.header.Get("Vary") != "Accept" {
			t.Errorf("%q, %q: %v", c.query, c.accept, a.header)
		}
	}
	a := f.as(f.admin, "GET", f.path("/reports/daily?format=csv&from=2026-03-01&to=2026-03-02"), "")
	if lines := strings.Split(a.body, "\r\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "date,") || !strings.HasPrefix(lines[2], "2026-03-02,") {
		t.Errorf("%q", lines)
	}
	if got := a.header.Get("Content-Disposition"); got != `attachment; filename="reports-2026-03-01-2026-03-02.csv"` {
		t.Error(got)
	}
	a = f.as(f.admin, "GET", f.path("/reports/daily?format=csv&by_api=true"), "")
	if lines := strings.Split(a.body, "\r\n"); len(lines) != 6 || !strings.Contains(lines[2], ",api,'=a,") {
		t.Errorf("%q", lines)
	}
}

func TestAnswerThatFailsHalfwayIsIncompleteForTheClient(t *testing.T) {
	f := start(t)
	f.breaks = errors.New("disk on fire")
	wantError(t, f.as(f.admin, "GET", f.path("/reports/daily"), ""), 500, weir.EINTERNAL)
	f.reports = 40
	for _, format := range []string{"json", "csv"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", f.server.URL+f.path("/reports/daily?format="+format), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.admin)
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			var b strings.Builder
			err = res.Write(&b)
			_ = res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the answer looks whole", format)
		}
	}
	if n := strings.Count(f.log.String(), "disk on fire"); n != 3 {
		t.Errorf("logged %d times: %s", n, f.log)
	}
}

func TestADaysReportIsReadAndComputed(t *testing.T) {
	f := start(t)
	for method, revision := range map[string]int{"GET": 1, "POST": 2} {
		f.days = nil
		a := f.as(f.admin, method, f.path("/reports/daily/2026-03-01"), "")
		wantStatus(t, a, 200)
		var got weir.Report
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(*dayOf("2026-03-01", revision), got); d != "" || len(f.days) != 1 {
			t.Error(method, d)
		}
		wantError(t, f.as(f.admin, method, f.path("/reports/daily/yesterday"), ""), 400, weir.EINVALID)
		f.err = weir.Errorf(weir.ENOTFOUND, "there is no report")
		wantError(t, f.as(f.admin, method, f.path("/reports/daily/2026-03-01"), ""), 404, weir.ENOTFOUND)
		f.err = nil
	}
}

func TestAScheduleIsReadAndSet(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "GET", f.path("/reports/schedule"), "")
	wantStatus(t, a, 200)
	if !strings.Contains(a.body, `"at":""`) || !strings.Contains(a.body, `"used":"01:00"`) {
		t.Error(a.body)
	}
	a = f.as(f.admin, "PUT", f.path("/reports/schedule"), `{"at":"02:30"}`)
	wantStatus(t, a, 200)
	if !strings.Contains(a.body, `"at":"02:30"`) {
		t.Error(a.body)
	}
	for _, body := range []string{``, `{}`, `{"at":7}`, `{"at":"a long time after midnight"}`} {
		wantError(t, f.as(f.admin, "PUT", f.path("/reports/schedule"), body), 400, weir.EINVALID)
	}
}
