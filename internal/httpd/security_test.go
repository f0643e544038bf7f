package httpd_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

// documented is what docs/security.md says about a route.
type documented struct {
	needs string // nothing, session, account, person, project or server
	scope weir.Scopes
	act   string // in the audit log
}

var lineOfRoute = regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`]*)` \\| (\\w+) \\| (\\w*) \\| ([a-z.-]*) \\|")

func securityDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documentedRoutes returns the table of routes in docs/security.md.
func documentedRoutes(t *testing.T) map[string]documented {
	t.Helper()
	routes := map[string]documented{}
	for _, m := range lineOfRoute.FindAllStringSubmatch(securityDoc(t), -1) {
		d := documented{needs: m[2], act: m[4]}
		if m[3] != "" {
			var err error
			if d.scope, err = weir.ParseScopes(m[3]); err != nil {
				t.Errorf("%s: %v", m[1], err)
			}
		}
		if _, twice := routes[m[1]]; twice {
			t.Errorf("docs/security.md has %s twice", m[1])
		}
		routes[m[1]] = d
	}
	return routes
}

var needs = map[httpd.Need]string{
	httpd.Public: "nothing", httpd.Session: "session", httpd.SignedIn: "account", httpd.User: "person", httpd.InProject: "project", httpd.Instance: "server", httpd.Scraper: "scraper", httpd.Reader: "reader",
}

func TestTheTableOfRoutesIsTheRules(t *testing.T) {
	routes := documentedRoutes(t)
	for _, rule := range httpd.Rules() {
		if rule.Anywhere { // of senders
			continue
		}
		pattern := rule.Method + " " + rule.Path
		if got, ok := routes[pattern]; !ok || got.needs != needs[rule.Need] || got.scope != rule.Scope || got.act != rule.Act {
			t.Errorf("docs/security.md says %q %q %q of %s; its rule says %q %q %q", got.needs, got.scope, got.act, pattern, needs[rule.Need], rule.Scope, rule.Act)
		}
		delete(routes, pattern)
	}
	for pattern := range routes {
		t.Errorf("docs/security.md has %s, for which there is no rule", pattern)
	}
}

// changeNothing are the routes whose method is that of a change.
var changeNothing = map[string]bool{
	"POST /api/v1/projects/{id}/query": true, // asks
	"POST /api/v1/projects/{id}/sql":   true, // asks
	"POST /api/v1/invitation":          true, // shows what it offers
	"POST /api/v1/share/open":          true, // gives a reader what they may have
}

func TestEachRouteThatChangesSomethingIsInTheAuditLog(t *testing.T) {
	for _, rule := range httpd.Rules() {
		pattern := rule.Method + " " + rule.Path
		changes := rule.Method != "GET" && !rule.Anywhere && !changeNothing[pattern]
		switch pattern {
		case "GET /api/v1/projects/{id}/profiles/{profile}/export": // takes all that is known of a person out of the server
			changes = true
		case "GET /api/v1/oidc/callback": // signs in
			changes = true
		}
		if changes != (rule.Act != "") {
			t.Errorf("%s has the act %q", pattern, rule.Act)
		}
	}
}

func TestTheTableOfRolesIsTheRoles(t *testing.T) {
	doc := securityDoc(t)
	for _, name := range weir.ScopeNames() {
		scope, err := weir.ParseScopes(name)
		if err != nil {
			t.Fatal(err)
		}
		i := strings.Index(doc, "\n| `"+name+"` |")
		if i < 0 {
			t.Errorf("docs/security.md has no line for %s", name)
			continue
		}
		line, _, _ := strings.Cut(doc[i+1:], "\n")
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		got := cells[len(cells)-3:]
		var want []string
		for r := weir.RoleViewer; r <= weir.RoleAdmin; r++ {
			mark := "–"
			if r.Scopes().Has(scope) {
				mark = "yes"
			}
			want = append(want, mark)
		}
		if !slices.Equal(got, want) {
			t.Errorf("docs/security.md says %q of %s, want %q", got, name, want)
		}
	}
}

func TestOnlyKeysAndTokensOfTheScopeIngestSendEvents(t *testing.T) {
	f := start(t)
	for _, name := range weir.ScopeNames() {
		scope, err := weir.ParseScopes(name)
		if err != nil {
			t.Fatal(err)
		}
		want := 401
		if scope == weir.ScopeIngest {
			want = 200
		}
		token := newToken(t, f, meta.NewToken{Name: "x", Scopes: scope, ProjectID: f.shop.ID})
		wantStatus(t, f.as(token, "POST", "/v1/events", `{"name":"x"}`), want)
		wantStatus(t, f.do("POST", "/v1/traces", `{}`, "Authorization", "Bearer "+token, "Content-Type", "application/json"), want)
	}
	wantStatus(t, f.as(f.admin, "POST", "/v1/events", `{"name":"x"}`), 401)
	wantStatus(t, f.as(f.key, "POST", "/v1/events", `{"name":"x"}`), 200)
	wantStatus(t, f.as("wk_made_up", "POST", "/v1/events", `{"name":"x"}`), 401)
}
