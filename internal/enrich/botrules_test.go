package enrich_test

import (
	"fmt"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestAProjectsOwnRulesSayWhatIsABot(t *testing.T) {
	rules, err := weir.BotRules{Agents: []string{"ShopWarmer", "python-requests"}, NotAgents: []string{"Acme-Uptime", "AcmeBot App", "TrustedBot"}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	shop := &weir.Project{BotRules: rules}
	e := open(t, enrich.Options{})
	for ua, want := range map[string][2]string{ // without the rules, and with them
		chrome + " shopwarmer/2": {"false Chrome", "true Chrome"},
		"Acme-Uptime/3":          {"true Uptime", "false Uptime"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1 AcmeBot App/2": {"true AcmeBot", "false Safari"},
		"Googlebot/2.1": {"true Googlebot", "true Googlebot"},
		chrome:          {"false Chrome", "false Chrome"},
		"":              {"false ", "false "},
	} {
		for i, p := range []*weir.Project{nil, shop} {
			in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
			e.Apply(&in, p)
			if got := fmt.Sprint(in.Event.Bot, " ", in.Event.Browser); got != want[i] {
				t.Errorf("%q: %s, want %s", ua, got, want[i])
			}
		}
	}
}

func TestAProjectsOwnRulesLeaveWhatTheUserAgentDoesNotSay(t *testing.T) {
	rules, err := weir.BotRules{Agents: []string{"python-requests"}, NotAgents: []string{"trusted", "curl"}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	e := open(t, enrich.Options{})
	for name, c := range map[string]struct {
		in   weir.Incoming
		want bool
	}{
		"the sender says that it is a bot": {weir.Incoming{Event: weir.Event{Bot: true}, Source: weir.Source{UserAgent: "Trusted/1"}}, true},
		"spam":                             {weir.Incoming{Source: weir.Source{UserAgent: "Trusted/1", Referrer: "https://semalt.com/"}}, true},
		"a program reports what visitors did elsewhere": {weir.Incoming{Source: weir.Source{UserAgent: "axios/1", Remote: true}}, false},
		"it is named as a bot":                          {weir.Incoming{Source: weir.Source{UserAgent: "python-requests/2", Remote: true}}, true},
		"it is named as none":                           {weir.Incoming{Source: weir.Source{UserAgent: "curl/8", Remote: true}}, false},
		"a server reports its calls":                    {weir.Incoming{Event: weir.Event{Call: &weir.Call{}}, Source: weir.Source{UserAgent: "python-requests/2", Remote: true}}, false},
	} {
		e.Apply(&c.in, &weir.Project{BotRules: rules})
		if c.in.Event.Bot != c.want {
			t.Errorf("%s: bot %t, want %t", name, c.in.Event.Bot, c.want)
		}
	}
}
