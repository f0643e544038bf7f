package enrich_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestAnEventFromReferrerSpamIsABots(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct {
		referrer string
		bot      bool
		channel  string
	}{
		{"https://semalt.com/", true, weir.ChannelSpam},
		{"http://www.SEMALT.com/project_crawl.php?u=http://shop.example", true, weir.ChannelSpam},
		{"semalt.semalt.com/crawler.php", true, weir.ChannelSpam},
		{"https://a.b.c.d.e.f.trafficbot.life/", true, weir.ChannelSpam},
		{"https://seoriseome.netlify.app/", true, weir.ChannelSpam},
		{"https://xn--80aeb6argv.xn--p1ai/", true, weir.ChannelSpam},
		{"https://business-online-sberbank.ru:8080/x", true, weir.ChannelSpam},

		{"https://notsemalt.com/", false, weir.ChannelReferral},
		{"https://semalt.com.example/", false, weir.ChannelReferral},
		{"https://netlify.app/", false, weir.ChannelReferral},
		{"https://other.netlify.app/", false, weir.ChannelReferral},
		{"https://com/", false, weir.ChannelReferral},
		{"https://www.google.com/?q=semalt.com", false, weir.ChannelSearch},
		{"", false, weir.ChannelDirect},
	} {
		in := weir.Incoming{
			Event:  weir.Event{Name: weir.NameScreenView},
			Source: weir.Source{URL: "https://shop.example/", Referrer: c.referrer, UserAgent: chrome},
		}
		e.Apply(&in, nil)
		if in.Event.Bot != c.bot || in.Event.Channel != c.channel || in.Event.Browser != "Chrome" {
			t.Errorf("%q: bot %v, channel %q, browser %q; want %v, %q, Chrome", c.referrer, in.Event.Bot, in.Event.Channel, in.Event.Browser, c.bot, c.channel)
		}
	}
}

func TestReferrerSpamIsFlaggedWhateverElseTheEventSays(t *testing.T) {
	e := open(t, enrich.Options{})
	for name, in := range map[string]weir.Incoming{
		"a campaign": {Source: weir.Source{URL: "https://shop.example/?utm_medium=email&gclid=1", Referrer: "https://semalt.com/"}},
		"a call that a server reports": {
			Event:  weir.Event{Name: weir.NameCall, Call: &weir.Call{}},
			Source: weir.Source{URL: "https://shop.example/a", Referrer: "https://semalt.com/", Remote: true},
		},
		"a referrer that the sender read": {Event: weir.Event{Referrer: "semalt.com"}},
	} {
		if e.Apply(&in, nil); !in.Event.Bot || in.Event.Channel != weir.ChannelSpam {
			t.Errorf("%s: bot %v, channel %q", name, in.Event.Bot, in.Event.Channel)
		}
	}
	own := weir.Incoming{Source: weir.Source{URL: "https://shop.example/", Referrer: "https://adf.ly/"}}
	if e.Apply(&own, &weir.Project{Sites: []string{"adf.ly"}}); own.Event.Bot || own.Event.Channel != weir.ChannelDirect {
		t.Errorf("from a site of the project: bot %v, channel %q", own.Event.Bot, own.Event.Channel)
	}
	set := weir.Incoming{Event: weir.Event{Referrer: "semalt.com", Channel: weir.ChannelEmail}}
	if e.Apply(&set, nil); !set.Event.Bot || set.Event.Channel != weir.ChannelEmail {
		t.Errorf("with a channel of the sender's: bot %v, channel %q", set.Event.Bot, set.Event.Channel)
	}
}

func TestListOfReferrerSpamIsSortedHostsInLowerCase(t *testing.T) {
	raw, err := os.ReadFile("referrer_spam.txt")
	if err != nil {
		t.Fatal(err)
	}
	hosts := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(hosts) != 851 || !slices.IsSorted(hosts) || len(slices.Compact(slices.Clone(hosts))) != len(hosts) {
		t.Errorf("%d hosts, sorted: %v; want 851, each once", len(hosts), slices.IsSorted(hosts))
	}
	for _, h := range hosts {
		if enrich.ReferrerHost("https://"+h+"/") != h || !strings.Contains(h, ".") {
			t.Errorf("%q is not a host as Apply stores it", h)
		}
	}
}
