package httpd_test

import (
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/httpd"
)

func TestATimezoneIsChangedAndTheStateOfTheCountersShown(t *testing.T) {
	f := start(t)
	before := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))
	if before.Counters != (httpd.CountersBody{State: "complete", Percent: 100}) {
		t.Errorf("before: %+v", before.Counters)
	}
	a := f.as(f.admin, "PATCH", f.path(""), `{"timezone":"Asia/Kathmandu","retention_days":9}`)
	wantStatus(t, a, 200)
	for _, got := range []httpd.ProjectBody{decode[httpd.ProjectBody](t, a), decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))} {
		if got.Timezone != "Asia/Kathmandu" || got.RetentionDays != 9 || got.Counters != (httpd.CountersBody{State: "rebuilding"}) {
			t.Errorf("%+v", got)
		}
	}
	for _, body := range []string{`{"timezone":"Mars/Olympus","retention_days":3}`, `{"timezone":""}`, `{"timezone":"Local"}`, `{"timezone":null}`, `{"timezone":"` + strings.Repeat("a", 101) + `"}`} {
		if a := f.as(f.admin, "PATCH", f.path(""), body); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if got := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), "")); got.Timezone != "Asia/Kathmandu" || got.RetentionDays != 9 {
		t.Errorf("a refused change changed %+v", got)
	}
}
