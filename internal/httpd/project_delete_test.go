package httpd_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestAProjectIsDeletedByItsName(t *testing.T) {
	f := start(t)
	admin := f.signedIn("ada@example.org", weir.RoleAdmin, false)
	wantError(t, f.doWith(admin, "DELETE", f.path(""), `{"name":"shop"}`), 400, weir.EINVALID)
	wantError(t, f.doWith(admin, "DELETE", f.path(""), ``), 400, weir.EINVALID)
	wantStatus(t, f.as(f.key, "POST", "/v1/events", `{"name":"x"}`), 200)
	lines := f.streamOf(admin, f.shop.ID)
	a := f.doWith(admin, "DELETE", f.path(""), `{"name":"Shop"}`)
	wantStatus(t, a, 202)
	if d := decode[httpd.ProjectDeletionBody](t, a); d.Project != f.shop.ID || d.Step != "waiting" {
		t.Errorf("deletion = %+v", d)
	}
	ends(t, lines)
	wantError(t, f.as(f.key, "POST", "/v1/events", `{"name":"x"}`), 401, weir.EUNAUTHORIZED)
	wantError(t, f.as(f.admin, "GET", f.path(""), ""), 404, weir.ENOTFOUND)
	list := decode[struct{ Deletions []httpd.ProjectDeletionBody }](t, f.as(f.admin, "GET", "/api/v1/project-deletions", "")).Deletions
	if len(list) != 1 || list[0].Name != "Shop" {
		t.Errorf("deletions = %+v", list)
	}
	if e := decode[auditPage](t, f.as(f.admin, "GET", "/api/v1/audit?act=project.delete", "")).Entries; len(e) != 2 && len(e) != 1 || e[0].Project != f.shop.ID || e[0].Detail["name"] != "Shop" {
		t.Errorf("audit = %+v", e)
	}
}
