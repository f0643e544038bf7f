package ingest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// filtering is a rig whose project refuses the events of addresses.
func filtering(t *testing.T, addresses ...string) *rig {
	t.Helper()
	r := newRig(t)
	var err error
	if r.project.AddressFilters, err = weir.ParseAddressFilters(addresses); err != nil {
		t.Fatal(err)
	}
	return r
}

// leftOut checks how many events were left out for a reason.
func (r *rig) leftOut(reason string, want int64) {
	r.t.Helper()
	u := r.usage()
	counted := map[string]int64{"address_filtered": u.AddressFiltered, "bot_dropped": u.BotsDropped}[reason]
	if got := r.metric("weir_events_rejected_total", reason); got != float64(want) || counted != want {
		r.t.Errorf("%s: the metric has %v events and the usage %d, want %d", reason, got, counted, want)
	}
}

func TestEventsOfAFilteredAddressAreLeftOutInEachSpelling(t *testing.T) {
	r := filtering(t, "203.0.113.0/24", "2001:db8::/48")
	spellings := []string{"203.0.113.5", "203.0.113.5:4001", "::ffff:203.0.113.5", "203.0.113.5, 10.0.0.1", "2001:db8::5", "2001:DB8:0:0:0:0:0:5", "[2001:db8::5]"}
	var body strings.Builder
	var want []weir.Rejection
	for i, ip := range spellings {
		fmt.Fprintf(&body, `{"name":"x","id":"%d","ip":%q}`+"\n", i, ip)
		want = append(want, weir.Rejection{Index: i, Reason: "address_filtered"})
	}
	body.WriteString(`{"name":"x","id":"other","ip":"198.51.100.1"}`)
	reply := r.send(body.String(), browser)
	if d := cmp.Diff(ingest.Reply{Accepted: 1, Rejected: want}, reply); d != "" {
		t.Error(d)
	}
	if e := r.last(); e.ID != "other" || r.stored() != 1 {
		t.Errorf("%d events are stored, the last is %s", r.stored(), e.ID)
	}
	r.leftOut("address_filtered", int64(len(spellings)))
}

func TestTheAddressOfARequestCountsForEventsThatNameNone(t *testing.T) {
	office := browser
	office.IP = "::ffff:203.0.113.5"
	old := office
	old.Historical = true
	for name, c := range map[string]struct {
		body string
		from ingest.Remote
		left int
	}{
		"a visitor":                                     {`{"name":"x"}`, office, 1},
		"a call that a server there reports":            {`{"name":"api_call","call":{"method":"GET","route":"/a"}}`, office, 1},
		"an event that names a user agent alone":        {`{"name":"x","user_agent":"Mozilla/5.0"}`, office, 1},
		"an event that names another address":           {`{"name":"x","ip":"198.51.100.1"}`, office, 0},
		"an address that is a pseudonym":                {`{"name":"x","ip":"visitor-7"}`, office, 0},
		"an old log, sent from there":                   {`{"name":"x","user_agent":"Mozilla/5.0"}`, old, 0},
		"an old log that names it":                      {`{"name":"x","ip":"203.0.113.5"}`, old, 1},
		"several, of which the one in the middle is it": {`{"name":"x","ip":"10.0.0.1"}` + "\n" + `{"name":"x","ip":"203.0.113.9"}` + "\n" + `{"name":"x","ip":"10.0.0.1"}`, browser, 1},
	} {
		r := filtering(t, "203.0.113.0/24")
		reply := r.send(c.body, c.from)
		if len(reply.Rejected) != c.left || reply.Accepted != strings.Count(c.body, "\n")+1-c.left {
			t.Errorf("%s: %+v, want %d left out", name, reply, c.left)
		}
	}
}

func TestFilteredEventsUseUpNoRateAndNoQuota(t *testing.T) {
	r := filtering(t, "203.0.113.5")
	office := browser
	office.IP, office.Key = "203.0.113.5", "k"
	visitor := browser
	visitor.Key = "k"
	bot := visitor
	bot.UserAgent = "Googlebot/2.1"
	r.project.Limits = weir.Limits{Key: weir.Rate{N: 10, Per: time.Hour}, Quota: 15, Over: weir.OverRefuse}
	r.project.BotRules.Drop = true
	for range 3 {
		r.send(batch(0, 10, ""), office)
		r.send(batch(0, 10, ""), bot)
	}
	if reply := r.send(batch(0, 10, ""), visitor); reply.Accepted != 10 || reply.Standing.Remaining != 0 {
		t.Errorf("%+v", reply)
	}
	r.refused(batch(20, 1, ""), visitor, weir.ERATELIMITED)
	r.leftOut("address_filtered", 30)
	r.leftOut("bot_dropped", 30)
	if u := r.usage(); u.Used != 10 || u.Refused != 0 || u.RateLimited != 1 {
		t.Errorf("%+v", u)
	}
}

func TestEventsOfARequestThatIsSentAgainAreLeftOutOnce(t *testing.T) {
	r := filtering(t, "203.0.113.5")
	r.project.BotRules.Drop = true
	r.salts.fail = errors.New("the store is away")
	body := `{"name":"x","ip":"203.0.113.5"}` + "\n" + `{"name":"x","user_agent":"Googlebot/2.1"}` + "\n" + `{"name":"x"}`
	if _, err := r.Ingest(t.Context(), r.project, strings.NewReader(body), "", browser); weir.ErrorCode(err) != weir.EUNAVAILABLE {
		t.Fatalf("%v, want it unavailable", err)
	}
	r.leftOut("address_filtered", 0)
	r.leftOut("bot_dropped", 0)
	r.salts.fail = nil
	want := []weir.Rejection{{Index: 0, Reason: "address_filtered"}, {Index: 1, Reason: "bot_dropped"}}
	if d := cmp.Diff(ingest.Reply{Accepted: 1, Rejected: want}, r.send(body, browser)); d != "" {
		t.Error(d)
	}
	r.leftOut("address_filtered", 1)
	r.leftOut("bot_dropped", 1)
}

func TestBotsAreKeptAndMarkedUnlessTheProjectDropsThem(t *testing.T) {
	rules, err := weir.BotRules{Agents: []string{"ShopWarmer"}, NotAgents: []string{"Acme-Uptime"}}.Normal()
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range []bool{false, true} {
		r := newRig(t)
		r.project.BotRules = rules
		r.project.BotRules.Drop = drop
		dropped := int64(0)
		for body, bot := range map[string]bool{
			`{"name":"x","user_agent":"Googlebot/2.1"}`: true, `{"name":"x","user_agent":"shopwarmer/1"}`: true, `{"name":"x","user_agent":"Acme-Uptime/2 bot"}`: false,
			`{"name":"screen_view","referrer":"https://semalt.com/"}`: true, `{"name":"x"}`: false,
		} {
			reply := r.send(body, browser)
			if drop && bot {
				dropped++
				if d := cmp.Diff(ingest.Reply{Rejected: []weir.Rejection{{Reason: "bot_dropped"}}}, reply); d != "" {
					t.Errorf("%s: %s", body, d)
				}
				continue
			}
			if reply.Accepted != 1 || r.last().Bot != bot {
				t.Errorf("%s: %+v, bot %t", body, reply, r.last().Bot)
			}
		}
		r.leftOut("bot_dropped", dropped)
	}
}
