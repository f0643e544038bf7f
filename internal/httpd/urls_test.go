package httpd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestURLRulesAreSetReplacedAndTakenAway(t *testing.T) {
	f := start(t)
	is := func(want weir.URLRules) {
		t.Helper()
		if want.Rules == nil {
			want.Rules = []weir.URLRule{}
		}
		if d := cmp.Diff(want, decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), "")).URLRules); d != "" {
			t.Error(d)
		}
	}
	is(weir.URLRules{})
	a := f.as(f.admin, "PATCH", f.path(""), `{"url_rules":{"strip_slash":true,"rules":[{"from":"/caf%c3%a9/*","to":"/café/:id"},{"from":"/docs/**","to":"/docs"}]}}`)
	wantStatus(t, a, 200)
	want := weir.URLRules{StripSlash: true, Rules: []weir.URLRule{{From: "/café/*", To: "/café/:id"}, {From: "/docs/**", To: "/docs"}}}
	if d := cmp.Diff(want, decode[httpd.ProjectBody](t, a).URLRules); d != "" {
		t.Error(d)
	}
	is(want)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"retention_days":7}`), 200) // what is missing stays
	is(want)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"url_rules":{"lower_case":true}}`), 200)
	is(weir.URLRules{LowerCase: true})
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"url_rules":{}}`), 200)
	is(weir.URLRules{})
}

func TestURLRulesAreRefusedWholeWithTheRuleThatIsWrong(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"url_rules":{"rules":[{"from":"/a","to":"/b"}]}}`), 200)
	before := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))
	rule := func(from string) string { return fmt.Sprintf(`{"from":%q,"to":"/x"}`, from) }
	many := make([]string, 101)
	for i := range many {
		many[i] = rule(fmt.Sprint("/", i))
	}
	for body, says := range map[string]string{
		rule("/a") + "," + rule("/b/***"):                "URL rule 2",
		rule("/a") + "," + rule("/b") + "," + rule("/a"): "URL rule 3",
		rule("/a?id=*"): "query",
		rule(" /a"):     "space",
		rule("/a%00b") + `,{"from":"/c","to":"\u0007"}`: "URL rule 2",
		rule(""):                       "",
		rule(strings.Repeat("a", 513)): "",
		`{"from":"/a","to":"` + strings.Repeat("a", 256) + `"}`: "",
		`{"from":"/a"}`:         "",
		strings.Join(many, ","): "",
	} {
		for _, more := range []string{"", `,"sites":["a.example"],"retention_days":9`} {
			a := f.as(f.admin, "PATCH", f.path(""), `{"url_rules":{"rules":[`+body+`]}`+more+`}`)
			wantError(t, a, 400, weir.EINVALID)
			if !strings.Contains(a.body, says) {
				t.Errorf("%.60s: the error %s does not say %q", body, a.body, says)
			}
		}
	}
	if d := cmp.Diff(before, decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))); d != "" {
		t.Error(d)
	}
}

func TestURLRulesAreSeenByViewersAndChangedByAdmins(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		role   weir.Role
		status int
	}{{weir.RoleViewer, 403}, {weir.RoleEditor, 403}, {weir.RoleAdmin, 200}} {
		token := newToken(t, f, meta.NewToken{Name: "x", Scopes: c.role.Scopes(), ProjectID: f.shop.ID})
		wantStatus(t, f.as(token, "GET", f.path(""), ""), 200)
		wantStatus(t, f.as(token, "PATCH", f.path(""), `{"url_rules":{"strip_slash":true}}`), c.status)
	}
}
