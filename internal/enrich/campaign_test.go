package enrich_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestCampaignIsReadHoweverItsParametersAreWritten(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ url, source, medium, name, channel string }{
		{"/?utm_campaign=summer", "", "", "summer", weir.ChannelReferral},
		{"/?utm_source=news&amp;utm_medium=email", "news", "email", "", weir.ChannelEmail},
		{"/?utm_source=news&amp;amp;utm_medium=email", "news", "email", "", weir.ChannelEmail},
		{"/?UTM_Source=news&UTM_Medium=email", "news", "email", "", weir.ChannelEmail},
		{"/?utm%5Fsource=news&utm%5Fmedium=email", "news", "email", "", weir.ChannelEmail},
		{"/?a=1?utm_source=news", "news", "", "", weir.ChannelReferral},
		{"/#/shop?utm_source=news&utm_medium=email", "news", "email", "", weir.ChannelEmail},
		{"/#utm_source=news&utm_medium=email", "news", "email", "", weir.ChannelEmail},
		{"/?utm_source=a#/shop?utm_source=b&utm_medium=email", "a", "email", "", weir.ChannelEmail},
		{"/?mtm_campaign=m&mtm_source=news&mtm_medium=email", "news", "email", "m", weir.ChannelEmail},
		{"/?pk_campaign=m&pk_source=news&pk_medium=email", "news", "email", "m", weir.ChannelEmail},
		{"/?piwik_campaign=m", "", "", "m", weir.ChannelReferral},
		{"/?ref=partner", "partner", "", "", weir.ChannelReferral},
		{"/?source=newsletter", "newsletter", "", "", weir.ChannelEmail},
		{"/?via=ada", "ada", "", "", weir.ChannelReferral},
		{"/?ref=x&mtm_source=y&utm_source=z", "z", "", "", weir.ChannelReferral},
		{"/?via=x&source=y&ref=z", "z", "", "", weir.ChannelReferral},
		{"/?gclid=a", "google", "", "", weir.ChannelPaid},
		{"/?msclkid=a", "bing", "", "", weir.ChannelPaid},
		{"/?fbclid=a", "facebook", "", "", weir.ChannelSocial},
		{"/?fbclid=a&gclid=b", "google", "", "", weir.ChannelPaid},
		{"/?ttclid=a", "tiktok", "", "", weir.ChannelSocial},
		{"/?twclid=a", "twitter", "", "", weir.ChannelSocial},
		{"/?li_fat_id=a", "linkedin", "", "", weir.ChannelSocial},
		{"/?gclid=a&utm_source=g&utm_medium=cpc", "g", "cpc", "", weir.ChannelPaid},
		{"/?utm_source=&gclid=", "", "", "", weir.ChannelDirect},
		{"/?preference=x&resource=y#details", "", "", "", weir.ChannelDirect},
	} {
		in := weir.Incoming{Source: weir.Source{URL: "https://s.example" + c.url}}
		e.Apply(&in, nil)
		ev := in.Event
		if ev.UTMSource != c.source || ev.UTMMedium != c.medium || ev.UTMCampaign != c.name || ev.Channel != c.channel || ev.Path != "/" {
			t.Errorf("%s: source %q, medium %q, campaign %q, channel %q, path %q", c.url, ev.UTMSource, ev.UTMMedium, ev.UTMCampaign, ev.Channel, ev.Path)
		}
		in = weir.Incoming{Event: weir.Event{Path: c.url}}
		e.Apply(&in, nil)
		if ev := in.Event; ev.UTMSource != c.source || ev.Channel != c.channel || ev.Path != "/" {
			t.Errorf("path %s: source %q, channel %q, path %q", c.url, ev.UTMSource, ev.Channel, ev.Path)
		}
	}
}

func TestOnlyTheCampaignOfAQueryIsPassedOn(t *testing.T) {
	for query, want := range map[string]string{
		"token=secret&UTM_Source=a%20b&amp;utm_medium=email&x=1?gclid=z": "utm_source=a%20b&utm_medium=email&gclid=z",
		"token=secret": "",
		"":             "",
	} {
		if got := enrich.CampaignQuery(query); got != want {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}

func TestHostsOfASearchEnginesCompanyAreNoSearchEngines(t *testing.T) {
	e := open(t, enrich.Options{})
	for channel, hosts := range map[string][]string{
		weir.ChannelReferral: {
			"accounts.google.com", "docs.google.com", "classroom.google.com", "id.google.com", "drive.google.de", "google.org", "google.dev", "disk.yandex.ru", "passport.yandex.ru",
			"login.yahoo.com", "finance.yahoo.com", "my.yahoo.com", "blog.naver.com", "cafe.naver.com", "cloud.mail.ru", "mail.ru", "pan.baidu.com", "developers.facebook.com", "docs.perplexity.ai",
			"rewards.bing.com", "github.com", "help.twitter.com", "amazon.com",
		},
		weir.ChannelSearch: {
			"google.com", "www.google.co.jp", "m.google.com", "images.google.de", "yandex.com.tr", "r.search.yahoo.com", "de.search.yahoo.com", "m.search.naver.com", "suche.web.de",
			"cn.bing.com", "m.baidu.com",
		},
		weir.ChannelSocial: {"de-de.facebook.com", "m.facebook.com", "old.reddit.com", "uk.linkedin.com", "ada.tumblr.com", "unix.stackexchange.com"},
		weir.ChannelEmail:  {"mail.google.com", "e.mail.ru", "us-mg5.mail.yahoo.com", "acme.us1.list-manage.com", "webmail.freenet.de"},
	} {
		for _, host := range hosts {
			in := weir.Incoming{Source: weir.Source{URL: "https://s.example/", Referrer: "https://" + host + "/"}}
			if e.Apply(&in, nil); in.Event.Channel != channel {
				t.Errorf("%s: %q, want %q", host, in.Event.Channel, channel)
			}
		}
	}
}
