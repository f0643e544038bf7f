package openpanel_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestOpenPanelGolden(t *testing.T) { wiretest.Golden(t, openpanel.Protocol{}) }

func TestOpenPanelRecordings(t *testing.T) {
	for _, sdk := range []string{"openpanel-sdk", "openpanel-web"} {
		wiretest.Recordings(t, openpanel.Protocol{}, sdk, wiretest.Now)
	}
}

func TestOpenPanelTellsVisitorsFromServersByTheUserAgent(t *testing.T) {
	for agent, visitor := range map[string]bool{
		"": false, "node": false, "Go-http-client/2.0": false, "python-requests/2.31": false, "Bun/1.1": false,
		"Apache-HttpClient/4.5 (Java/17.0.1)": false, "GuzzleHttp/7": false,
		"Mozilla/5.0 (X11; Linux x86_64)":               true,
		"Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)":  true,
		"Shop/12 CFNetwork/1494 Darwin/23.4.0":          true,
		"OpenPanel/1.0 (iPhone15,2; iOS 17.4)":          true,
		"Mozilla/5.0 (compatible; Googlebot/2.1; +x.y)": true, // a bot's, as enrichment finds
	} {
		h := http.Header{"User-Agent": {agent}, "Openpanel-Client-Id": {"wk_1"}}
		r := wiretest.Request(t, openpanel.Protocol{}, "POST", "/track", h, []byte(`{"type":"track","payload":{"name":"a"}}`))
		sent, err := openpanel.Protocol{}.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		if s := sent.Parts[0].Events[0].Source; s.Client != visitor || s.Reported == visitor {
			t.Errorf("%q: %+v", agent, s)
		}
	}
}

func TestOpenPanelTakesAnEventThatWasHeldBackOnce(t *testing.T) {
	id := func(ip, body string) string {
		h := http.Header{"User-Agent": {wiretest.Chrome}, "Openpanel-Client-Id": {"wk_1"}}
		r := wiretest.Request(t, openpanel.Protocol{}, "POST", "/track", h, []byte(body))
		r.IP = ip
		sent, err := openpanel.Protocol{}.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		return sent.Parts[0].Events[0].Event.ID
	}
	body := `{"type":"track","payload":{"name":"a","properties":{"__timestamp":"2026-03-01T11:59:00.250Z"}}}`
	first := id("203.0.113.7", body)
	for _, ip := range []string{"203.0.113.7", "198.51.100.8"} {
		if first == "" || id(ip, body) != first {
			t.Errorf("%q, then from %s %q", first, ip, id(ip, body))
		}
	}
	for _, other := range []string{id("203.0.113.7", strings.Replace(body, "250Z", "251Z", 1)), id("203.0.113.7", strings.Replace(body, `"a"`, `"b"`, 1))} {
		if other == "" || other == first {
			t.Errorf("another event has the id %q, the first %q", other, first)
		}
	}
	if got := id("203.0.113.7", `{"type":"track","payload":{"name":"a"}}`); got != "" {
		t.Errorf("an event without a time has the id %q", got)
	}
}
