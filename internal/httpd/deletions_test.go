package httpd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deletion"
)

// deletions are those of a fixture: every deletion has seven events.
type deletions struct {
	mu      sync.Mutex
	spec    deletion.Spec
	confirm int64
	by      string
}

func (d *deletions) Dry(_ context.Context, _ *weir.Project, s deletion.Spec) (deletion.Numbers, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spec = s
	return deletion.Numbers{Events: 7, Visits: 3, Days: 1}, nil
}

func (d *deletions) Begin(_ context.Context, p *weir.Project, s deletion.Spec, confirm int64, by string) (*deletion.Deletion, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spec, d.confirm, d.by = s, confirm, by
	return &deletion.Deletion{ID: "gone", ProjectID: p.ID, Spec: s, State: deletion.Running, By: by, Numbers: deletion.Numbers{Events: 7}}, nil
}

func (d *deletions) List(context.Context, *weir.Project) ([]*deletion.Deletion, error) {
	return []*deletion.Deletion{{ID: "gone", State: deletion.Done}}, nil
}

func (d *deletions) Get(_ context.Context, _ *weir.Project, id string) (*deletion.Deletion, error) {
	return &deletion.Deletion{ID: id, State: deletion.Done}, nil
}

func (d *deletions) Cancel(_ context.Context, _ *weir.Project, id string) (*deletion.Deletion, error) {
	if id != "gone" {
		return nil, weir.Errorf(weir.ECONFLICT, "it has begun")
	}
	return &deletion.Deletion{ID: id, State: deletion.Cancelled}, nil
}

func TestADeletionIsCancelledByAdmins(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "DELETE", f.path("/deletions/gone"), "")
	wantStatus(t, a, 200)
	if b := decode[struct{ State string }](t, a); b.State != "cancelled" {
		t.Errorf("%+v", b)
	}
	wantError(t, f.as(f.admin, "DELETE", f.path("/deletions/begun"), ""), 409, weir.ECONFLICT)
	if all := decode[auditPage](t, f.as(f.admin, "GET", f.path("/audit?act=deletion.cancel"), "")).Entries; len(all) == 0 || all[0].Target != "gone" && all[len(all)-1].Target != "gone" {
		t.Errorf("audit: %+v", all)
	}
}

func TestEventsAreDeletedOnceTheirNumberIsConfirmed(t *testing.T) {
	f := start(t)
	path := f.path("/deletions")
	a := f.as(f.admin, "POST", path, `{"filter":[{"column":"name","op":"=","value":"test"}],"from":"2026-03-01","to":"2026-03-02","import_id":"march","dry_run":true}`)
	wantStatus(t, a, 200)
	var dry struct {
		State  string
		Events int64
	}
	if err := json.Unmarshal([]byte(a.body), &dry); err != nil {
		t.Fatal(err)
	}
	if dry.State != "dry_run" || dry.Events != 7 {
		t.Errorf("%+v", dry)
	}
	zone := f.shop.Location()
	want := deletion.Spec{
		Filter: weir.Filter{{Column: "name", Op: "=", Values: []string{"test"}}}, ImportID: "march",
		From: time.Date(2026, 3, 1, 0, 0, 0, 0, zone), To: time.Date(2026, 3, 3, 0, 0, 0, 0, zone), // the last day counts to its end
	}
	if diff := cmp.Diff(want, f.deletions.spec); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantError(t, f.as(f.admin, "POST", path, `{"import_id":"march"}`), 400, weir.EINVALID)
	wantStatus(t, f.as(f.admin, "POST", path, `{"import_id":"march","confirm":7}`), 200)
	if f.deletions.confirm != 7 || f.deletions.by == "" {
		t.Errorf("confirmed %d by %q", f.deletions.confirm, f.deletions.by)
	}
	wantStatus(t, f.as(f.admin, "GET", path, ""), 200)
	wantStatus(t, f.as(f.admin, "GET", path+"/gone", ""), 200)
	var acts []string
	for _, e := range decode[auditPage](t, f.as(f.admin, "GET", f.path("/audit?act=events.delete"), "")).Entries {
		acts = append(acts, fmt.Sprintf("%q %v", e.Target, e.Detail))
	}
	slices.Sort(acts) // they are of one moment
	if d := cmp.Diff([]string{`"" map[dry_run:true]`, `"gone" map[events:7]`}, acts); d != "" {
		t.Errorf("audit (-want +got):\n%s", d)
	}
}
