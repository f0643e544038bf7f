package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFiltersAreSetFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	shop := field(t, weirs(t, "project", "create", "Shop").out, "project")

	set := weirs(t, "project", "set", shop, "--filter-address", "::ffff:203.0.113.0/120", "--filter-address=2001:DB8::/48", "--bot-events", "drop", "--bot-agent", "Warmer, Inc", "--not-bot-agent", "Acme")
	want := "addresses left out   203.0.113.0/24\n" +
		"                     2001:db8::/48\n" +
		"events of bots       drop\n" +
		"also bots            warmer, inc\n" +
		"no bots              acme\n"
	if set.status != 0 || !strings.Contains(set.out, want) {
		t.Errorf("set: %+v", set)
	}
	if set := weirs(t, "project", "set", shop, "--retention-days", "7"); !strings.Contains(set.out, want) {
		t.Errorf("another change changed the filters: %+v", set)
	}
	for _, args := range [][]string{
		{"--filter-address", "office"},
		{"--filter-address", "10.0.0.1", "--no-address-filters"},
		{"--bot-events", "refuse"},
		{"--bot-agent", "x"},
		{"--bot-agent", "warm", "--no-bot-agents"},
		{"--not-bot-agent", "warm", "--no-bot-agents"},
	} {
		if got := weirs(t, append([]string{"project", "set", shop}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("set %v: %+v", args, got)
		}
	}
	set = weirs(t, "project", "set", shop, "--no-address-filters", "--bot-events", "keep", "--no-bot-agents")
	if want := "addresses left out   none\nevents of bots       keep\nalso bots            none\nno bots              none\n"; set.status != 0 || !strings.Contains(set.out, want) {
		t.Errorf("taken away: %+v", set)
	}
}

// message is one event that is sent to a server by a protocol.
type message struct {
	path, body string
	header     map[string]string
}

func TestFiltersHoldForAllProtocolsAndNothingIsSilent(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir(), "--trusted-proxies", "127.0.0.0/8,::1")
	t.Setenv("WEIR_URL", server.url)
	created := weirs(t, "project", "create", "Shop").out
	shop, key := field(t, created, "project"), field(t, created, "write key")
	if set := weirs(t, "project", "set", shop, "--site", "shop.example", "--filter-address", "203.0.113.0/24", "--filter-address", "2001:db8::/48", "--bot-events", "drop", "--not-bot-agent", "Acme-Uptime"); set.status != 0 {
		t.Fatalf("%+v", set)
	}
	const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36"
	native := func(body string) message {
		return message{path: "/v1/events", body: body, header: map[string]string{"Authorization": "Bearer " + key}}
	}
	type answer struct {
		sent   message
		agent  string
		status int
		says   string // a part of the body
	}
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	plausible := message{path: "/api/event", body: `{"name":"pageview","url":"https://shop.example/","domain":"shop.example"}`}
	posthog := message{path: "/batch", body: `{"api_key":"` + key + `","batch":[{"event":"x","distinct_id":"ada"}]}`}
	umami := message{path: "/api/send", body: `{"type":"event","payload":{"website":"shop.example","url":"/"}}`}
	spans := message{path: "/v1/traces", header: map[string]string{"Authorization": "Bearer " + key, "Content-Type": "application/json"}, body: `{"resourceSpans":[{"scopeSpans":[{"spans":[{
		"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /a","kind":2,"startTimeUnixNano":"` + now + `","endTimeUnixNano":"` + now + `",
		"attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"http.route","value":{"stringValue":"/a"}}]}]}]}]}`}
	post := func(from string, a answer) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.url+a.sent.path, strings.NewReader(a.sent.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", a.agent)
		r.Header.Set("X-Forwarded-For", from)
		for name, value := range a.sent.header {
			r.Header.Set(name, value)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		body, _ := io.ReadAll(w.Body)
		if w.StatusCode != a.status || !strings.Contains(string(body), a.says) {
			t.Errorf("%s from %s as %q: %d %s, want %d %s", a.sent.path, from, a.agent, w.StatusCode, body, a.status, a.says)
		}
	}
	for _, office := range []string{"203.0.113.5", "::ffff:203.0.113.5", "2001:DB8:0:0:0:0:0:5"} {
		for _, a := range []answer{
			{native(`{"name":"x"}`), chrome, 200, `"rejected":[{"index":0,"reason":"address_filtered"}]`},
			{plausible, chrome, 202, ""},
			{posthog, chrome, 200, ""},
			{umami, chrome, 200, ""},
			{spans, chrome, 200, "{}"},
		} {
			post(office, a)
		}
	}
	for _, a := range []answer{
		{native(`{"name":"x","user_agent":"Googlebot/2.1"}`), chrome, 200, `"rejected":[{"index":0,"reason":"bot_dropped"}]`},
		{plausible, "Googlebot/2.1", 202, ""},
		{umami, "Googlebot/2.1", 200, "boop"},
		{native(`{"name":"x","user_agent":"acme-uptime bot/2"}`), chrome, 200, `"accepted":1`},
		{native(`{"name":"x"}`), chrome, 200, `"accepted":1`},
	} {
		post("198.51.100.1", a)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.url+"/api/v1/projects/"+shop+"/usage", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer the administrator's own secret")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	var usage struct {
		Used     int
		Filtered int `json:"address_filtered"`
		Dropped  int `json:"bots_dropped"`
	}
	if err := json.NewDecoder(w.Body).Decode(&usage); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{2, 15, 3}, []int{usage.Used, usage.Filtered, usage.Dropped}); d != "" {
		t.Errorf("used, address_filtered, bots_dropped: %s", d)
	}
}
