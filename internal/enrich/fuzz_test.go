package enrich_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

// checkText fails when a derived text is not valid UTF-8, longer than Weir
// says, or has control characters; or when a path has a query.
func checkText(t *testing.T, e weir.Event) {
	t.Helper()
	for name, f := range map[string]struct {
		s     string
		limit int
	}{
		"path": {e.Path, 2048}, "origin": {e.Origin, 300}, "referrer": {e.Referrer, 253}, "channel": {e.Channel, 16},
		"utm_source": {e.UTMSource, 255}, "utm_medium": {e.UTMMedium, 255}, "utm_campaign": {e.UTMCampaign, 255},
		"utm_term": {e.UTMTerm, 255}, "utm_content": {e.UTMContent, 255},
		"country": {e.Country, 2}, "region": {e.Region, 255}, "city": {e.City, 255}, "language": {e.Language, 35},
		"browser": {e.Browser, 255}, "browser version": {e.BrowserVersion, 16}, "os": {e.OS, 255}, "os version": {e.OSVersion, 16},
		"device type": {e.DeviceType, 16},
	} {
		if !utf8.ValidString(f.s) || len(f.s) > f.limit || strings.ContainsFunc(f.s, unicode.IsControl) || strings.TrimSpace(f.s) != f.s {
			t.Errorf("%s is %d bytes, of at most %d: %q", name, len(f.s), f.limit, f.s)
		}
	}
	if strings.ContainsAny(e.Path, "?#") {
		t.Errorf("path has a query: %q", e.Path)
	}
	if e.Origin != "" && (strings.ToLower(e.Origin) != e.Origin || strings.Count(e.Origin, "/") != 2 || strings.Contains(e.Origin, "@")) {
		t.Errorf("origin is not scheme://host[:port]: %q", e.Origin)
	}
	if e.Referrer != strings.ToLower(e.Referrer) || strings.ContainsAny(e.Referrer, "/@ ?#") {
		t.Errorf("referrer is no host: %q", e.Referrer)
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"https://example.com/a?utm_source=x&utm_medium=cpc&gclid=y#z", "HTTP://U:P@Example.COM:80/é?%zz", "https://[::1]:8080/", "//a", "/a?b", "a:b", "://",
		"about:blank", "https://example.com", "?", "#", "\x00", "https://\xff/\xff", "x://?@:/", "https://www.", "http://a:b@c@d:1/\\",
	} {
		f.Add(s, "https://www.google.com/search?q="+s, "/p?"+s, s)
	}
	e := open(f, enrich.Options{})
	f.Fuzz(func(t *testing.T, url, referrer, path, language string) {
		in := weir.Incoming{
			Event:  weir.Event{Path: path, Language: language},
			Source: weir.Source{URL: url, Referrer: referrer, IP: language},
		}
		e.Apply(&in, nil)
		checkText(t, in.Event)
		// What is derived is final: nothing changes when it is derived again.
		again := in
		e.Apply(&again, nil)
		if diff := cmp.Diff(in.Event, again.Event); diff != "" {
			t.Errorf("applied again (-once +twice):\n%s", diff)
		}
	})
}
