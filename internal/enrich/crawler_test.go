package enrich_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

// listed reads crawlers.txt as gen_crawlers.go describes it.
func listed(tb testing.TB) (lines []string) {
	tb.Helper()
	raw, err := os.ReadFile("crawlers.txt")
	if err != nil {
		tb.Fatal(err)
	}
	lines = strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	if len(lines) < 1000 {
		tb.Fatalf("crawlers.txt has %d lines only", len(lines))
	}
	return lines
}

func isBot(e *enrich.Enricher, ua string) bool {
	in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
	e.Apply(&in, nil)
	return in.Event.Bot
}

func TestEveryListedCrawlerIsFoundWhereItsLineSays(t *testing.T) {
	e := open(t, enrich.Options{CacheSize: -1})
	for _, line := range listed(t) {
		op, text := line[1], line[2:]
		start, middle, end := text+" (X11; Linux)", chrome+" "+text+" (X11; Linux)", chrome+" "+text
		switch op {
		case '=':
			for _, ua := range []string{text, start, middle, end} {
				if !isBot(e, ua) {
					t.Errorf("%q is not found in %q", line, ua)
				}
			}
		case '^':
			if !isBot(e, start) {
				t.Errorf("%q is not found in %q", line, start)
			}
		case '$':
			if !isBot(e, end) {
				t.Errorf("%q is not found in %q", line, end)
			}
		case '~':
			if _, err := regexp.Compile(text); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		default:
			t.Errorf("%q: unknown operator", line)
		}
	}
}

func TestAnchoredTextIsNotFoundElsewhere(t *testing.T) {
	e := open(t, enrich.Options{})
	for ua, want := range map[string]bool{
		"curl/8.4.0":                        true,
		chrome + " curl/8.4.0":              false, // ^curl
		"SSL Labs":                          true,
		"SSL Labs (X11; Linux)":             false, // SSL Labs$
		"AdsBot-Google (+http://a.example)": true,
		"Mozilla/5.0 (X11; Linux) ContextualBot/1.0 outcomes.net": true, // a regular expression
	} {
		if got := isBot(e, ua); got != want {
			t.Errorf("%q: bot %t, want %t", ua, got, want)
		}
	}
}

func TestWordsThatOnlyLookLikeABotsAreNone(t *testing.T) {
	e := open(t, enrich.Options{})
	for _, device := range []string{"CUBOT_X18_Plus", "CUBOT NOTE 20", "Botany 3", "Spiderman Edition"} {
		ua := "Mozilla/5.0 (Linux; Android 9; " + device + ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/89.0.4389.105 Mobile Safari/537.36"
		if isBot(e, ua) {
			t.Errorf("%s is taken for a bot", device)
		}
	}
}

// FuzzUserAgent holds the fast search against the plain one: a user agent that
// contains a listed text is a bot.
func FuzzUserAgent(f *testing.F) {
	agents, _ := goldenAgents(f)
	for _, ua := range agents {
		f.Add(ua)
	}
	e := open(f, enrich.Options{CacheSize: -1})
	var res []*regexp.Regexp
	lines := listed(f)
	for _, line := range lines {
		if line[1] == '~' {
			res = append(res, regexp.MustCompile(line[2:]))
		}
	}
	f.Fuzz(func(t *testing.T, ua string) {
		if len(ua) > 1024 {
			return
		}
		in := weir.Incoming{Source: weir.Source{UserAgent: ua}}
		e.Apply(&in, nil)
		checkText(t, in.Event)
		if in.Event.Bot || len(ua) < 2 {
			return
		}
		for _, line := range lines {
			op, text := line[1], line[2:]
			if op == '=' && strings.Contains(ua, text) || op == '^' && strings.HasPrefix(ua, text) || op == '$' && strings.HasSuffix(ua, text) {
				t.Fatalf("%q has %q and is no bot", ua, line)
			}
		}
		for _, re := range res {
			if re.MatchString(ua) {
				t.Fatalf("%q matches %v and is no bot", ua, re)
			}
		}
	})
}
