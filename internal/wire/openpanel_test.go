package wire_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

func TestOpenPanelGolden(t *testing.T) { goldens(t, wire.OpenPanel{}) }

func TestOpenPanelRecordings(t *testing.T) {
	for _, sdk := range []string{"openpanel-sdk", "openpanel-web"} {
		recorded(t, wire.OpenPanel{}, sdk)
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
		r := wireRequest(t, wire.OpenPanel{}, "POST", &url.URL{Path: "/track"}, h, []byte(`{"type":"track","payload":{"name":"a"}}`))
		sent, err := wire.OpenPanel{}.Decode(r)
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
		h := http.Header{"User-Agent": {chrome}, "Openpanel-Client-Id": {"wk_1"}}
		r := wireRequest(t, wire.OpenPanel{}, "POST", &url.URL{Path: "/track"}, h, []byte(body))
		r.IP = ip
		sent, err := wire.OpenPanel{}.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		return sent.Parts[0].Events[0].Event.ID
	}
	body := `{"type":"track","payload":{"name":"a","properties":{"__timestamp":"2026-03-01T11:59:00.250Z"}}}`
	first := id("203.0.113.7", body)
	if first == "" || id("203.0.113.7", body) != first {
		t.Errorf("%q, then %q", first, id("203.0.113.7", body))
	}
	for _, other := range []string{id("203.0.113.8", body), id("203.0.113.7", strings.Replace(body, "250Z", "251Z", 1)), id("203.0.113.7", strings.Replace(body, `"a"`, `"b"`, 1))} {
		if other == "" || other == first {
			t.Errorf("another event has the id %q, the first %q", other, first)
		}
	}
	if got := id("203.0.113.7", `{"type":"track","payload":{"name":"a"}}`); got != "" {
		t.Errorf("an event without a time has the id %q", got)
	}
}

func TestVendorsRequestsAreBounded(t *testing.T) {
	openpanel := func(body string) *wire.Request {
		return wireRequest(t, wire.OpenPanel{}, "POST", &url.URL{Path: "/track"}, http.Header{"Openpanel-Client-Id": {"wk_1"}}, []byte(body))
	}
	matomo := func(body string) *wire.Request {
		return wireRequest(t, wire.Matomo{}, "POST", &url.URL{Path: "/matomo.php"}, http.Header{}, []byte(body))
	}
	track, hit := `{"type":"track","payload":{"name":"a"}}`, `"?idsite=1&rec=1"`
	large := strings.Repeat("x", 1<<20)
	for what, c := range map[string]struct {
		protocol wire.Protocol
		request  *wire.Request
	}{
		"OpenPanel, a batch of too many":          {wire.OpenPanel{}, openpanel(`{"type":"batch","payload":[` + track + strings.Repeat(","+track, 50_000) + `]}`)},
		"OpenPanel, a batch of too many replays":  {wire.OpenPanel{}, openpanel(`{"type":"batch","payload":[` + track + strings.Repeat(`,{"type":"replay"}`, 50_000) + `]}`)},
		"OpenPanel, too many groups":              {wire.OpenPanel{}, openpanel(`{"type":"assign_group","payload":{"groupIds":["a"` + strings.Repeat(`,"a"`, 50_000) + `]}}`)},
		"OpenPanel, too large an event":           {wire.OpenPanel{}, openpanel(`{"type":"track","payload":{"name":"a","properties":{"b":"` + large + `"}}}`)},
		"Matomo, a bulk of too many":              {wire.Matomo{}, matomo(`{"requests":[` + hit + strings.Repeat(","+hit, 50_000) + `]}`)},
		"Matomo, a bulk of too many that are odd": {wire.Matomo{}, matomo(`{"requests":[` + hit + strings.Repeat(",1", 50_000) + `]}`)},
		"Matomo, too large a hit":                 {wire.Matomo{}, matomo(`idsite=1&rec=1&x=` + large)},
	} {
		if _, err := c.protocol.Decode(c.request); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%s: %v", what, err)
		}
	}
	sent, err := wire.Matomo{}.Decode(matomo(`{"requests":[` + hit + `,"?idsite=1&rec=1&x=` + large + `"]}`))
	if err != nil || len(sent.Parts[0].Events) != 1 || len(sent.Parts[0].Rejected) != 1 || sent.Parts[0].Rejected[0].Reason != wire.ReasonTooLarge {
		t.Errorf("Matomo, too large a hit of a bulk: %v, %+v", err, sent)
	}
}
