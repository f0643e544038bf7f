package client_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weir-analytics/weir/client"
)

// wire returns the text of the request that the event makes.
func wire(t *testing.T, e client.Event) string {
	t.Helper()
	f := &fake{}
	var text string
	c := to(t, f, func(cfg *client.Config) {
		cfg.NewID = func(time.Time) string { return "id-1" }
		cfg.Rejected = func(r []client.Rejection) { text = string(r[0].Event) }
	})
	e.Name = "bad" // has the event handed back
	if err := c.Send(e); err != nil {
		t.Fatal(err)
	}
	shut(t, c)
	return text
}

func TestAnEventIsWrittenInFull(t *testing.T) {
	got := wire(t, client.Event{
		Time:      time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC),
		ProfileID: "ada", DeviceID: "d", SessionID: "s", URL: "https://a/b?c", Path: "/b", Title: "T", Referrer: "r", IP: "1.2.3.4",
		UserAgent: "ua", Language: "de", Revenue: 12.5, Currency: "EUR", Properties: map[string]any{"plan": "pro"}, Groups: map[string]string{"company": "acme", "team": "t7"},
	})
	want := `{"id":"id-1","name":"bad","ts":1714979289123456,"profile_id":"ada","device_id":"d","session_id":"s","url":"https://a/b?c","path":"/b",` +
		`"title":"T","referrer":"r","ip":"1.2.3.4","user_agent":"ua","language":"de","currency":"EUR","revenue":12.5,"properties":{"plan":"pro"},"groups":{"company":"acme","team":"t7"},` +
		`"library":"weir-go/` + client.Version + `"}`
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestACallIsWrittenAsTheServerTakesIt(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	for _, call := range []client.Call{
		{Method: "GET", Route: "/users/{id}", Status: 200, Latency: 12*time.Millisecond + 34*time.Microsecond, Consumer: "acme"},
		{Method: "GET", Route: "/", Status: 999, Latency: 3 * time.Nanosecond},
		{Method: "GET", Route: strings.Repeat("é", 3000), Status: 99, Latency: -time.Second, Consumer: strings.Repeat("x", 3000)},
	} {
		if err := c.Send(client.Event{Name: "another", Call: &call}); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, c)
	all := f.all()
	if a := all[0].Call; all[0].Name != "api_call" || a.Method != "GET" || a.Route != "/users/{id}" || a.Status != 200 || a.LatencyMS != 12.034 || a.Consumer != "acme" {
		t.Errorf("%+v of %+v", a, all[0])
	}
	if a := all[1].Call; a.Status != 0 || a.LatencyMS != 0.001 || a.Consumer != "" {
		t.Errorf("unknown status and least latency: %+v", a)
	}
	if a := all[2].Call; a.Status != 0 || a.LatencyMS != 0 || len(a.Route) != 2048 || len(a.Consumer) != 2048 {
		t.Errorf("what is long is cut: %d, %d, %+v", len(a.Route), len(a.Consumer), a)
	}
}

func TestAnIDIsAUUIDv7(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	at := time.UnixMilli(0x0123456789ab)
	known := map[string]bool{}
	for range 1000 {
		id := client.NewID(at)
		if !shape.MatchString(id) || !strings.HasPrefix(id, "01234567-89ab-7") || known[id] {
			t.Fatalf("%s", id)
		}
		known[id] = true
	}
}

// FuzzText looks whether what a text is written as is JSON of the same text, but
// for what the server does not take.
func FuzzText(f *testing.F) {
	for _, s := range []string{"plain", `"\/`, "\x00\x1f\x7f", "é😀", "a\xffb\xf0\x9f", "\u2028", strings.Repeat("😀", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var e struct{ Title string }
		text := wire(t, client.Event{Title: s})
		if err := json.Unmarshal([]byte(text), &e); err != nil || !utf8.ValidString(text) {
			t.Fatalf("%v: %q", err, text)
		}
		want := strings.ReplaceAll(string([]rune(s)), "\x00", "\ufffd") // each invalid byte is one U+FFFD
		if e.Title != want {
			t.Fatalf("%q became %q", s, e.Title)
		}
	})
}
