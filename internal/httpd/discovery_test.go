package httpd_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func discoveredIn(p *weir.Project) insight.DiscoveredIn {
	return insight.DiscoveredIn{From: asOf(p), To: asOf(p), Meta: insight.Meta{AsOf: asOf(p)}}
}

func (b insights) CheckAction(_ *weir.Project, spec weir.ActionSpec) error {
	for _, e := range spec.Any {
		for _, c := range e.Filter {
			if err := insight.CheckColumn(c.Column); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b insights) Names(_ context.Context, p *weir.Project, q insight.Discovery, freshness time.Duration) (*insight.Names, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discover, b.freshness = q, freshness
	a := &insight.Names{Names: []insight.NamedEvent{}, DiscoveredIn: discoveredIn(p)}
	for _, name := range []string{"a/b", "noise"} {
		if !q.Hidden[name] {
			a.Names = append(a.Names, insight.NamedEvent{Name: name, Count: 3, LastSeen: asOf(p)})
		}
	}
	return a, b.asked(p)
}

func (b insights) Columns(_ context.Context, p *weir.Project, q insight.Discovery, freshness time.Duration) (*insight.Columns, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discover, b.freshness = q, freshness
	return &insight.Columns{Columns: []insight.KnownColumn{{Name: "properties.plan", Type: "text", Uses: []string{"filter", "breakdown"}, Count: 3}}, DiscoveredIn: discoveredIn(p)}, b.asked(p)
}

func (b insights) ColumnValues(_ context.Context, p *weir.Project, column string, q insight.Discovery, freshness time.Duration) (*insight.ColumnValues, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.column, b.discover, b.freshness = column, q, freshness
	return &insight.ColumnValues{Column: column, Values: []insight.CountedText{{Value: "pro", Count: 3}}, DiscoveredIn: discoveredIn(p)}, b.asked(p)
}

func TestDiscoveryIsAskedForARange(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "GET", f.path("/names"), ""), 200)
	month := insight.Discovery{From: berlin(t, "2026-02-09 00:00:00"), To: berlin(t, "2026-03-11 00:00:00"), Limit: 100}
	same := cmp.Options{cmp.Comparer(time.Time.Equal), cmpopts.EquateEmpty()}
	if d := cmp.Diff(month, f.discover, same); d != "" {
		t.Errorf("without parameters (-want +got):\n%s", d)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/columns?from=2026-03-01&to=2026-03-02&q=pl&event=signup&limit=7&freshness=1m"), ""), 200)
	want := insight.Discovery{From: berlin(t, "2026-03-01 00:00:00"), To: berlin(t, "2026-03-03 00:00:00"), Contains: "pl", Event: "signup", Limit: 7, People: true}
	if d := cmp.Diff(want, f.discover, same); d != "" || f.freshness != time.Minute {
		t.Errorf("freshness %v, (-want +got):\n%s", f.freshness, d)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/columns/properties.a%2Fb/values?from=yesterday"), ""), 200)
	if f.column != "properties.a/b" || !f.discover.To.Equal(berlin(t, "2026-03-10 00:00:00")) {
		t.Errorf("asked for %s of %+v", f.column, f.discover)
	}
	for _, bad := range []string{"/names?limit=0", "/names?limit=1001", "/columns?freshness=soon", "/columns/path/values?from=never", "/names?from=2026-03-02&to=2026-03-01"} {
		if a := f.as(f.admin, "GET", f.path(bad), ""); a.status/100 != 4 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}

func TestWhatIsHiddenIsLeftOutOfListsUnlessAskedFor(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "PATCH", f.path("/names/a%2Fb"), `{"description":"both of them"}`)
	wantStatus(t, a, 200)
	if want := `{"name":"a/b","description":"both of them","hidden":false}`; strings.TrimSpace(a.body) != want {
		t.Errorf("%s, want %s", a.body, want)
	}
	wantStatus(t, f.as(f.admin, "PATCH", f.path("/names/noise"), `{"hidden":true}`), 200)
	wantStatus(t, f.as(f.admin, "PATCH", f.path("/columns/properties.plan"), `{"description":"what they pay for","hidden":true}`), 200)

	a = f.as(f.admin, "GET", f.path("/names"), "")
	if !strings.Contains(a.body, `"description":"both of them"`) || strings.Contains(a.body, "noise") {
		t.Errorf("names: %s", a.body)
	}
	a = f.as(f.admin, "GET", f.path("/names?hidden=true"), "")
	if !strings.Contains(a.body, `"name":"noise"`) || !strings.Contains(a.body, `"hidden":true`) {
		t.Errorf("all names: %s", a.body)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/columns"), ""), 200)
	if !f.discover.Hidden["properties.plan"] || len(f.discover.Hidden) != 1 {
		t.Errorf("hidden columns: %v", f.discover.Hidden)
	}
	a = f.as(f.admin, "GET", f.path("/columns?hidden=true"), "")
	if !strings.Contains(a.body, `"description":"what they pay for","hidden":true`) {
		t.Errorf("all columns: %s", a.body)
	}
	for path, body := range map[string]string{
		"/names/x": `{}`, "/columns/nothing": `{"hidden":true}`, "/columns/properties.": `{"hidden":true}`, "/names/y": `{"description":"` + strings.Repeat("x", 1001) + `"}`,
	} {
		if a := f.as(f.admin, "PATCH", f.path(path), body); a.status/100 != 4 {
			t.Errorf("%s %s: %d", path, body, a.status)
		}
	}
	viewer := f.signedIn("v@example.org", weir.RoleViewer, false)
	wantError(t, f.doWith(viewer, http.MethodPatch, f.path("/names/x"), `{"hidden":true}`), 403, weir.EFORBIDDEN)
}
