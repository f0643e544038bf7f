package enrich_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestReferrerIsAHostWithoutWWW(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ referrer, want string }{
		{"https://www.google.com/search?q=x", "google.com"},
		{"https://News.Example.COM:8443/a", "news.example.com"},
		{"https://user@blog.example/x", "blog.example"},
		{"android-app://com.google.android.gm/", "com.google.android.gm"},
		{"blog.example", "blog.example"},
		{"www.blog.example/a?b", "blog.example"},
		{"https://www./", "www"},
		{"https://www.blog.example./", "blog.example"},
		{"https://[2001:db8::1]/", "[2001:db8::1]"},
		{"$direct", ""},
		{"direct", ""},
		{"-", ""},
		{"about:blank", ""},
		{"/local/path", ""},
		{"https://", ""},
		{"https://bad host/", ""},
		{"", ""},
	} {
		in := weir.Incoming{Source: weir.Source{URL: "https://example.com/", Referrer: c.referrer}}
		e.Apply(&in, nil)
		if in.Event.Referrer != c.want {
			t.Errorf("%q: %q, want %q", c.referrer, in.Event.Referrer, c.want)
		}
	}
}

func TestReferrerFromTheSameSiteIsDropped(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ page, origin, referrer, want string }{
		{page: "https://example.com/a", referrer: "https://example.com/b"},
		{page: "https://example.com/a", referrer: "https://www.example.com/b"},
		{page: "https://www.example.com/a", referrer: "http://Example.com/b"},
		{page: "http://localhost:3000/", referrer: "http://localhost:8080/"},
		{page: "/a", origin: "https://example.com", referrer: "https://example.com/b"},
		{page: "https://example.com/a", referrer: "https://shop.example.com/b", want: "shop.example.com"},
		{page: "https://example.com/a", referrer: "https://notexample.com/b", want: "notexample.com"},
		{page: "/a", referrer: "https://example.com/b", want: "example.com"},
	} {
		in := weir.Incoming{Event: weir.Event{Origin: c.origin}, Source: weir.Source{URL: c.page, Referrer: c.referrer}}
		e.Apply(&in, nil)
		if in.Event.Referrer != c.want {
			t.Errorf("%s from %s: %q, want %q", c.page, c.referrer, in.Event.Referrer, c.want)
		}
		if direct := in.Event.Channel == weir.ChannelDirect; direct != (c.want == "") {
			t.Errorf("%s from %s: channel %q", c.page, c.referrer, in.Event.Channel)
		}
	}
}

func TestReferrerFromASiteOfTheProjectIsDropped(t *testing.T) {
	e := open(t, enrich.Options{})
	for referrer, want := range map[string]string{
		"https://shop.example/cart":      "",
		"https://www.SHOP.example/":      "",
		"https://help.shop.example:8443": "",
		"https://blog.shop.example/":     "blog.shop.example", // not listed
		"https://other.example/":         "other.example",
	} {
		in := weir.Incoming{Source: weir.Source{URL: "https://app.example/", Referrer: referrer}}
		e.Apply(&in, &weir.Project{Sites: []string{"shop.example", "help.shop.example"}})
		channel := weir.ChannelReferral
		if want == "" {
			channel = weir.ChannelDirect
		}
		if in.Event.Referrer != want || in.Event.Channel != channel {
			t.Errorf("%s: referrer %q, channel %q, want %q, %q", referrer, in.Event.Referrer, in.Event.Channel, want, channel)
		}
	}
}

func TestChannelIsReadFromReferrer(t *testing.T) {
	e := open(t, enrich.Options{})
	for channel, referrers := range map[string][]string{
		weir.ChannelSearch: {
			"https://www.google.com/", "https://www.google.de/", "https://www.google.co.uk/", "https://www.google.com.br/",
			"https://duckduckgo.com/", "https://www.bing.com/search?q=a", "https://cn.bing.com/", "https://search.yahoo.com/", "https://yandex.ru/",
			"https://www.ecosia.org/", "https://search.brave.com/", "https://m.baidu.com/", "https://go.mail.ru/",
			"android-app://com.google.android.googlequicksearchbox/",
		},
		weir.ChannelSocial: {
			"https://t.co/abc", "https://l.facebook.com/l.php", "https://lm.facebook.com/", "https://www.instagram.com/", "https://out.reddit.com/",
			"https://news.ycombinator.com/item?id=1", "https://www.linkedin.com/", "https://youtu.be/x", "https://m.youtube.com/", "https://x.com/a",
			"android-app://com.linkedin.android/", "https://bsky.app/",
		},
		weir.ChannelEmail: {
			"https://mail.google.com/mail/u/0", "https://outlook.live.com/", "https://mail.yahoo.com/", "https://mail.proton.me/", "https://e.mail.ru/",
			"android-app://com.google.android.gm/",
		},
		weir.ChannelAI: {
			"https://chatgpt.com/", "https://chat.openai.com/", "https://www.perplexity.ai/", "https://claude.ai/chat", "https://gemini.google.com/app",
			"https://copilot.microsoft.com/", "https://chat.deepseek.com/", "https://grok.com/",
		},
		weir.ChannelReferral: {
			"https://blog.example/", "https://docs.google.com.evil.example/", "https://google.evil.example/", "https://google.toolong/", "https://notgoogle.com/",
			"https://myfacebook.com/", "https://google.org.uk/",
		},
		weir.ChannelDirect: {"", "$direct", "about:blank"},
	} {
		for _, referrer := range referrers {
			in := weir.Incoming{Source: weir.Source{URL: "https://example.com/", Referrer: referrer}}
			e.Apply(&in, nil)
			if in.Event.Channel != channel {
				t.Errorf("%q: %q, want %q", referrer, in.Event.Channel, channel)
			}
		}
	}
}

func TestCampaignDecidesTheChannelBeforeTheReferrer(t *testing.T) {
	const google, facebook, blog = "https://www.google.com/", "https://l.facebook.com/", "https://blog.example/"
	e := open(t, enrich.Options{})
	for _, c := range []struct{ query, referrer, want string }{
		{"utm_medium=cpc", google, weir.ChannelPaid},
		{"utm_medium=PPC", "", weir.ChannelPaid},
		{"utm_medium=Paid+Social", facebook, weir.ChannelPaid},
		{"utm_medium=paid_search", "", weir.ChannelPaid},
		{"utm_medium=display", blog, weir.ChannelPaid},
		{"utm_medium=email", google, weir.ChannelEmail},
		{"utm_medium=E-Mail", "", weir.ChannelEmail},
		{"utm_medium=newsletter", "", weir.ChannelEmail},
		{"utm_medium=social", google, weir.ChannelSocial},
		{"utm_medium=organic", "", weir.ChannelSearch},
		{"utm_medium=ai", "", weir.ChannelAI},
		{"utm_medium=referral", google, weir.ChannelReferral},
		{"utm_medium=affiliate", google, weir.ChannelReferral},
		// An unknown medium says only that there was a link.
		{"utm_medium=qr", "", weir.ChannelReferral},
		{"utm_medium=qr", google, weir.ChannelSearch},
		{"utm_medium=(none)", "", weir.ChannelDirect},
		{"utm_medium=(none)", google, weir.ChannelSearch},
		// Click identifiers.
		{"gclid=a", google, weir.ChannelPaid},
		{"msclkid=a", "", weir.ChannelPaid},
		{"gclid=", google, weir.ChannelSearch},
		{"fbclid=a", "", weir.ChannelSocial},
		{"fbclid=a&gclid=b", "", weir.ChannelPaid},
		{"gclid=b&fbclid=a", "", weir.ChannelPaid},
		{"fbclid=a&utm_medium=cpc", facebook, weir.ChannelPaid},
		{"gclid=a&utm_medium=email", google, weir.ChannelEmail},
		{"mc_eid=a", "", weir.ChannelEmail},
		// Sources.
		{"utm_source=chatgpt.com", "", weir.ChannelAI},
		{"utm_source=Perplexity", "", weir.ChannelAI},
		{"utm_source=google", "", weir.ChannelSearch},
		{"utm_source=www.google.de", "", weir.ChannelSearch},
		{"utm_source=newsletter", "", weir.ChannelEmail},
		{"utm_source=fb", blog, weir.ChannelSocial},
		{"utm_source=partner", "", weir.ChannelReferral},
		{"utm_source=partner", google, weir.ChannelSearch},
		{"utm_source=direct", "", weir.ChannelDirect},
		{"utm_source=(direct)", "", weir.ChannelDirect},
		// utm_campaign alone says only that there was a link.
		{"utm_campaign=may", "", weir.ChannelReferral},
		{"utm_campaign=may", google, weir.ChannelSearch},
		{"utm_term=may", "", weir.ChannelReferral},
		// Media of several words.
		{"utm_medium=banner-cpc", google, weir.ChannelPaid},
		{"utm_medium=social_paid", facebook, weir.ChannelPaid},
		{"utm_medium=Social+%2F+CPC", "", weir.ChannelPaid},
		{"utm_medium=facebook_ads", "", weir.ChannelPaid},
		{"utm_medium=non-paid-social", "", weir.ChannelSocial},
		{"utm_medium=unpaid", "", weir.ChannelReferral},
		{"utm_medium=email_weekly", "", weir.ChannelEmail},
		{"utm_medium=social-post", "", weir.ChannelSocial},
		// Ids that stand on unpaid links, too.
		{"ttclid=a", "", weir.ChannelSocial},
		{"twclid=a", "", weir.ChannelSocial},
		{"li_fat_id=a", "", weir.ChannelSocial},
		{"ttclid=a&utm_medium=cpc", "", weir.ChannelPaid},
		{"gbraid=a", "", weir.ChannelPaid},
		{"wbraid=a", "", weir.ChannelPaid},
		{"utm_campaign=may", blog, weir.ChannelReferral},
	} {
		in := weir.Incoming{Source: weir.Source{URL: "https://example.com/?" + c.query, Referrer: c.referrer}}
		e.Apply(&in, nil)
		if in.Event.Channel != c.want {
			t.Errorf("%s from %q: %q, want %q", c.query, c.referrer, in.Event.Channel, c.want)
		}
	}
}

func TestCampaignThatTheSenderSetDecidesTheChannel(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{UTMMedium: "email"}, Source: weir.Source{URL: "https://example.com/?utm_medium=cpc"}}
	e.Apply(&in, nil)
	if in.Event.Channel != weir.ChannelEmail {
		t.Errorf("%q, want %q", in.Event.Channel, weir.ChannelEmail)
	}
}

func TestReferrerThatTheSenderSetDecidesTheChannel(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Referrer: "claude.ai"}, Source: weir.Source{Referrer: "https://www.google.com/"}}
	e.Apply(&in, nil)
	if in.Event.Channel != weir.ChannelAI || in.Event.Referrer != "claude.ai" {
		t.Errorf("channel %q, referrer %q", in.Event.Channel, in.Event.Referrer)
	}
}

func TestEventWithoutPageReferrerAndCampaignHasNoChannel(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Name: "purchase"}, Source: weir.Source{UserAgent: chrome, IP: "8.8.8.8"}}
	e.Apply(&in, nil)
	if in.Event.Channel != "" {
		t.Errorf("%q", in.Event.Channel)
	}
}

func TestRemoteCallHasAChannelOnlyFromReferrerOrCampaign(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ url, referrer, want string }{
		{"https://api.example.com/v1/users", "", ""},
		{"https://api.example.com/v1/users", "https://claude.ai/", weir.ChannelAI},
		{"https://api.example.com/v1/users?utm_medium=email", "", weir.ChannelEmail},
	} {
		in := weir.Incoming{
			Event:  weir.Event{Name: weir.NameCall, Call: &weir.Call{}},
			Source: weir.Source{URL: c.url, Referrer: c.referrer, Remote: true},
		}
		e.Apply(&in, nil)
		if in.Event.Channel != c.want {
			t.Errorf("%s from %q: %q, want %q", c.url, c.referrer, in.Event.Channel, c.want)
		}
	}
}

func TestAPageViewThatAServerReportsHasAChannelAndItsCallsHaveNone(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Name: weir.NameScreenView}, Source: weir.Source{URL: "https://shop.example/", Reported: true}}
	if e.Apply(&in, nil); in.Event.Channel != weir.ChannelDirect {
		t.Errorf("a page view: %q", in.Event.Channel)
	}
	in = weir.Incoming{Event: weir.Event{Name: weir.NameCall, Call: &weir.Call{}}, Source: weir.Source{URL: "https://api.example/v1", Reported: true}}
	if e.Apply(&in, nil); in.Event.Channel != "" {
		t.Errorf("a call: %q", in.Event.Channel)
	}
}
