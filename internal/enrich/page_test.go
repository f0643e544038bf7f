package enrich_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestPathAndOriginAreReadFromTheAddress(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ url, origin, path string }{
		{"https://example.com/a/b?x=1#y", "https://example.com", "/a/b"},
		{"https://example.com", "https://example.com", "/"},
		{"https://example.com?x=1", "https://example.com", "/"},
		{"https://example.com#top", "https://example.com", "/"},
		{"https://example.com/#/settings?x", "https://example.com", "/"},
		{"HTTPS://WWW.Example.COM:443/A", "https://www.example.com", "/A"},
		{"http://example.com:80/", "http://example.com", "/"},
		{"http://example.com:443/", "http://example.com:443", "/"},
		{"http://localhost:3000/x", "http://localhost:3000", "/x"},
		{"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080", "/x"},
		{"https://user:secret@example.com/x", "https://example.com", "/x"},
		{"https://example.com@evil.example/x", "https://evil.example", "/x"},
		{"app://home/screen/1", "app://home", "/screen/1"},
		{"file:///C:/a.html", "", "/C:/a.html"},
		{"/a/b?x=1", "", "/a/b"},
		{"//a/b?x=1", "", "//a/b"},
		{"/a%20b/%C3%A9", "", "/a%20b/é"},
		{"/login:now", "", "/login:now"},
		{"pricing?x", "", "pricing"},
		{"example.com:8080/x", "", "example.com:8080/x"},
		{"https://example.com\\a\\b", "https://example.com", "\\a\\b"},
		{"?x=1", "", ""},
		{"about:blank", "", ""},
		{"javascript:alert(1)", "", ""},
		{"data:text/html,x", "", ""},
		{"https://", "", "/"},
		{"https://exa mple.com/x", "", "/x"},
		{"https://example..com/x", "", "/x"},
		{"https://example.com:port/x", "", "/x"},
		{"https://example.com:123456/x", "", "/x"},
		{"https://[::1/x", "", "/x"},
		{"https://[]/x", "", "/x"},
		{"https://[zz]/x", "", "/x"},
		{"https://" + strings.Repeat("a", 254) + "/x", "", "/x"},
		{"://", "", "://"},
		{"  https://example.com/x \n", "https://example.com", "/x"},
		{"https://example.com/a\x00b\tc", "https://example.com", "/abc"},
		{"https://example.com/\xff", "https://example.com", "/\uFFFD"},
	} {
		in := weir.Incoming{Source: weir.Source{URL: c.url}}
		e.Apply(&in, nil)
		if in.Event.Origin != c.origin || in.Event.Path != c.path {
			t.Errorf("%q: origin %q, path %q; want %q, %q", c.url, in.Event.Origin, in.Event.Path, c.origin, c.path)
		}
	}
}

func TestPathThatTheSenderSetLosesOnlyItsQuery(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct{ path, url, want string }{
		{"/set?x=1", "https://example.com/other", "/set"},
		{"/set#y?x", "https://example.com/other", "/set"},
		{"/set", "", "/set"},
		{"Home screen", "", "Home screen"},
	} {
		in := weir.Incoming{Event: weir.Event{Path: c.path}, Source: weir.Source{URL: c.url}}
		e.Apply(&in, nil)
		if in.Event.Path != c.want {
			t.Errorf("%q: %q, want %q", c.path, in.Event.Path, c.want)
		}
	}
}

func TestWholeAddressInThePathIsTakenForTheAddress(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Path: "https://example.com/a?utm_source=x"}}
	e.Apply(&in, nil)
	want := weir.Event{Path: "/a", Origin: "https://example.com", UTMSource: "x", Channel: weir.ChannelSocial}
	if diff := cmp.Diff(want, in.Event); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongPathIsCutBetweenCharacters(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, path := range []string{"/" + strings.Repeat("a", 5000), "/" + strings.Repeat("é", 5000), "/a" + strings.Repeat("€", 5000)} {
		in := weir.Incoming{Source: weir.Source{URL: "https://example.com" + path}}
		e.Apply(&in, nil)
		if got := in.Event.Path; len(got) > 2048 || len(got) < 2045 || !strings.HasPrefix(path, got) {
			t.Errorf("%.10s…: %d bytes, or not its beginning", path, len(got))
		}
	}
}

func TestCampaignIsReadFromTheQuery(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, c := range []struct {
		query string
		want  weir.Event
	}{
		{
			"utm_source=news&utm_medium=email&utm_campaign=May+sale&utm_term=a%26b&utm_content=%C3%A9",
			weir.Event{UTMSource: "news", UTMMedium: "email", UTMCampaign: "May sale", UTMTerm: "a&b", UTMContent: "é"},
		},
		{"utm_source=first&utm_source=second", weir.Event{UTMSource: "first"}},
		{"utm_source=&utm_source=second", weir.Event{UTMSource: "second"}},
		{"utm_source=50%", weir.Event{UTMSource: "50%"}},
		{"utm_source=a%00b%FF", weir.Event{UTMSource: "ab\uFFFD"}},
		{"xutm_source=a&utm_sourcex=b&utm_source", weir.Event{}},
		{"&&=&a=&=b&", weir.Event{}},
		{"utm_source=" + strings.Repeat("a", 300), weir.Event{UTMSource: strings.Repeat("a", 255)}},
		{strings.Repeat("a", 9000) + "&utm_source=far", weir.Event{}},
	} {
		in := weir.Incoming{Source: weir.Source{URL: "/p?" + c.query}}
		e.Apply(&in, nil)
		c.want.Path, in.Event.Channel = "/p", ""
		if diff := cmp.Diff(c.want, in.Event); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", c.query, diff)
		}
	}
}

func TestFieldsThatTheSenderSetStay(t *testing.T) {
	e := open(t, enrich.Options{})
	set := weir.Event{
		Path: "/mine", Origin: "https://mine.example", Referrer: "mine.example", Channel: "mine",
		UTMSource: "ms", UTMMedium: "mm", UTMCampaign: "mc", UTMTerm: "mt", UTMContent: "mo",
		Country: "ZZ", Region: "MR", City: "MC", Language: "nl-BE",
		Browser: "MB", BrowserVersion: "1", OS: "MO", OSVersion: "2", DeviceType: "watch",
	}
	in := weir.Incoming{Event: set, Source: weir.Source{
		URL:      "https://example.com/other?utm_source=a&utm_medium=b&utm_campaign=c&utm_term=d&utm_content=e&gclid=f",
		Referrer: "https://www.google.com/", IP: "8.8.8.8", UserAgent: chrome,
	}}
	e.Apply(&in, nil)
	if diff := cmp.Diff(set, in.Event); diff != "" {
		t.Errorf("(-set +got):\n%s", diff)
	}
}

func TestEmptyEventStaysEmpty(t *testing.T) {
	e := open(t, enrich.Options{})
	var in weir.Incoming
	e.Apply(&in, nil)
	if diff := cmp.Diff(weir.Incoming{}, in); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
