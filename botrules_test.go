package weir_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestBotRulesAreBoundedAndHaveOneForm(t *testing.T) {
	got, err := weir.BotRules{Drop: true, Agents: []string{"Shop-Warmer/", "acme", "ACME"}, NotAgents: []string{"Straße Uptime"}}.Normal()
	want := weir.BotRules{Drop: true, Agents: []string{"acme", "shop-warmer/"}, NotAgents: []string{"straße uptime"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	many := make([]string, weir.MaxBotAgents+1)
	for i := range many {
		many[i] = fmt.Sprint("agent", i)
	}
	long := make([]string, 17) // each is allowed, all together are too long
	for i := range long {
		long[i] = strings.Repeat(string(rune('a'+i)), weir.MaxBotAgent)
	}
	for _, texts := range [][]string{{""}, {"ab"}, {strings.Repeat("a", 256)}, {" acme"}, {"acme\x00"}, {"acme\xff"}, many, long} {
		for _, r := range []weir.BotRules{{Agents: texts}, {NotAgents: texts}} {
			if _, err := r.Normal(); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%.60q: %v, want it refused", texts, err)
			}
		}
	}
	if _, err := (weir.BotRules{Agents: []string{"Acme"}, NotAgents: []string{"aCME"}}).Normal(); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("a text in both lists: %v", err)
	}
}

func TestBotRulesNameUserAgentsInAnyCaseAndExceptionsCountFirst(t *testing.T) {
	r, err := weir.BotRules{Agents: []string{"acme"}, NotAgents: []string{"Acme Uptime"}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	for ua, want := range map[string]string{
		"ACME/1.0": "true true", "Mozilla/5.0 (compatible; acMe uptime/2)": "false true", "Mozilla/5.0": "false false", "": "false false",
	} {
		bot, known := r.Judge(ua)
		if got := fmt.Sprint(bot, known); got != want {
			t.Errorf("%q: %s, want %s", ua, got, want)
		}
	}
}
