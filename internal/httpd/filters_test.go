package httpd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestAddressFiltersAreSetReplacedAndTakenAway(t *testing.T) {
	f := start(t)
	is := func(want ...string) {
		t.Helper()
		a := f.as(f.admin, "GET", f.path(""), "")
		if d := cmp.Diff(append([]string{}, want...), decode[httpd.ProjectBody](t, a).AddressFilters); d != "" || !strings.Contains(a.body, "address_filters") {
			t.Error(d)
		}
	}
	is()
	a := f.as(f.admin, "PATCH", f.path(""), `{"address_filters":["2001:DB8::/48","::ffff:203.0.113.5","10.1.2.3/8"]}`)
	wantStatus(t, a, 200)
	want := []string{"10.0.0.0/8", "203.0.113.5", "2001:db8::/48"}
	if d := cmp.Diff(want, decode[httpd.ProjectBody](t, a).AddressFilters); d != "" {
		t.Error(d)
	}
	is(want...)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"retention_days":7}`), 200) // what is missing stays
	is(want...)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"address_filters":["203.0.113.6"]}`), 200)
	is("203.0.113.6")
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"address_filters":[]}`), 200)
	is()
}

func TestBotRulesAreChangedOneByOne(t *testing.T) {
	f := start(t)
	is := func(events string, bots, notBots []string) {
		t.Helper()
		b := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))
		if b.BotEvents != events || !slices.Equal(b.BotAgents, bots) || !slices.Equal(b.NotBotAgents, notBots) {
			t.Errorf("%s %v %v, want %s %v %v", b.BotEvents, b.BotAgents, b.NotBotAgents, events, bots, notBots)
		}
	}
	is("keep", nil, nil)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"bot_agents":["ShopWarmer","acme"]}`), 200)
	is("keep", []string{"acme", "shopwarmer"}, nil)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"bot_events":"drop","not_bot_agents":["Acme Uptime"]}`), 200)
	is("drop", []string{"acme", "shopwarmer"}, []string{"acme uptime"})
	wantError(t, f.as(f.admin, "PATCH", f.path(""), `{"not_bot_agents":["ACME"]}`), 400, weir.EINVALID)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"bot_events":"keep","bot_agents":[]}`), 200)
	is("keep", nil, []string{"acme uptime"})
}

func TestFiltersAreRefusedWholeWithTheOneThatIsWrong(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"address_filters":["203.0.113.5"],"bot_agents":["acme"]}`), 200)
	before := decode[httpd.ProjectBody](t, f.as(f.admin, "GET", f.path(""), ""))
	many := make([]string, 201)
	for i := range many {
		many[i] = fmt.Sprintf(`"10.0.0.%d"`, i)
	}
	for body, says := range map[string]string{
		`"address_filters":["10.0.0.1","office"]`:                 `office`,
		`"address_filters":["0.0.0.0/0"]`:                         "everybody",
		`"address_filters":["10.0.0.1/33"]`:                       "10.0.0.1/33",
		`"address_filters":[` + strings.Join(many, ",") + `]`:     "",
		`"bot_agents":["x"]`:                                      "bot_agents",
		`"not_bot_agents":["abc","d\u0007ef"]`:                    "not_bot_agents",
		`"bot_agents":["` + strings.Repeat("a", 256) + `"]`:       "bot_agents",
		`"bot_agents":[` + strings.Repeat(`"abc",`, 50) + `"de"]`: "",
		`"bot_events":"refuse"`:                                   "",
	} {
		for _, more := range []string{"", `,"sites":["a.example"],"retention_days":9`} {
			a := f.as(f.admin, "PATCH", f.path(""), `{`+body+more+`}`)
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

func TestAddressFiltersAreSeenAndChangedByAdmins(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "PATCH", f.path(""), `{"address_filters":["203.0.113.5"]}`), 200)
	for _, c := range []struct {
		role   weir.Role
		status int
	}{{weir.RoleViewer, 403}, {weir.RoleEditor, 403}, {weir.RoleAdmin, 200}} {
		token := newToken(t, f, meta.NewToken{Name: "x", Scopes: c.role.Scopes(), ProjectID: f.shop.ID})
		for _, path := range []string{f.path(""), "/api/v1/projects"} {
			a := f.as(token, "GET", path, "")
			wantStatus(t, a, 200)
			if seen := strings.Contains(a.body, "203.0.113.5"); seen != (c.role == weir.RoleAdmin) {
				t.Errorf("a %s sees the addresses at %s: %t", c.role, path, seen)
			}
		}
		wantStatus(t, f.as(token, "PATCH", f.path(""), `{"address_filters":["203.0.113.5"]}`), c.status)
		wantStatus(t, f.as(token, "PATCH", f.path(""), `{"bot_events":"drop"}`), c.status)
	}
}
