package protocols_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/sharedpath"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

var sharedVendors = sharedpath.Protocol{PostHog: posthog.Protocol{}, OpenPanel: openpanel.Protocol{}, Mixpanel: mixpanel.Protocol{}, Amplitude: amplitude.Protocol{}}

// What a header says is a part of each event, of which a small body may hold many.
func TestALongHeaderDoesNotCostItsLengthPerEvent(t *testing.T) {
	const n = 2000
	list := func(item string) string { return strings.Repeat(item+",", n-1) + item }
	var v1 strings.Builder
	for i := range n {
		fmt.Fprintf(&v1, `,{"event":"a","uuid":"00000000-0000-0000-0000-%012d","distinct_id":"d","timestamp":"2026-02-21T00:00:00Z","properties":{}}`, i)
	}
	long := strings.Repeat("ü", 30_000) + "\xff"
	for _, c := range []struct {
		header   string
		protocol wire.Protocol
		target   string
		headers  map[string]string
		body     string
	}{
		{"Openpanel-Sdk-Name", sharedVendors, "/track", map[string]string{"Openpanel-Client-Id": "wk_a"}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Openpanel-Client-Ip", sharedVendors, "/track", map[string]string{"Openpanel-Client-Id": "wk_a"}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Accept-Language", sharedVendors, "/track", map[string]string{"Openpanel-Client-Id": "wk_a", "User-Agent": wiretest.Chromium}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Accept-Language", matomo.Protocol{}, "/matomo.php", map[string]string{"User-Agent": wiretest.Chromium}, `{"requests":[` + list(`"?idsite=1&rec=1"`) + `]}`},
		{"Referer", matomo.Protocol{}, "/matomo.php", map[string]string{"User-Agent": wiretest.Chromium}, `{"requests":[` + list(`"?idsite=1&rec=1"`) + `]}`},
		{"User-Agent", posthog.Protocol{}, "/batch", nil, `{"api_key":"wk_a","batch":[` + list(`{"event":"a","distinct_id":"d","properties":{"$lib":"web","$geoip_disable":true}}`) + `]}`},
		{"User-Agent", amplitude.Protocol{}, "/2/httpapi", nil, `{"api_key":"wk_a","events":[` + list(`{"event_type":"a","user_id":"u","library":"amplitude-ts/2"}`) + `]}`},
		{"User-Agent", mixpanel.Protocol{}, "/track?ip=0", map[string]string{"Origin": "https://shop.example"}, `[` + list(`{"event":"a","properties":{"token":"wk_a"}}`) + `]`},
		{"Posthog-Sdk-Info", posthog.Protocol{}, "/i/v1/analytics/events", map[string]string{"Authorization": "Bearer wk_a"}, `{"created_at":"2026-02-21T00:00:00Z","batch":[` + v1.String()[1:] + `]}`},
	} {
		h := http.Header{}
		for name, value := range c.headers {
			h.Set(name, value)
		}
		h.Set(c.header, long)
		used := wiretest.Allocated(func() {
			sent, err := wiretest.Decode(t, c.protocol, c.target, h, c.body)
			if err != nil || len(sent.Parts) != 1 || len(sent.Parts[0].Events) != n {
				t.Fatalf("%s: %v", c.header, err)
			}
			for i := range sent.Parts[0].Events {
				e := &sent.Parts[0].Events[i].Event
				if e.Library+e.Language != strings.ToValidUTF8(e.Library+e.Language, "?") {
					t.Fatalf("%s: %q", c.header, e.Library+e.Language)
				}
			}
		})
		if most := uint64(n*4096 + 4*len(c.body)); used > most {
			t.Errorf("%s: %s takes %d KB for %d events, want at most %d", c.protocol.Vendor(), c.header, used>>10, n, most>>10)
		}
	}
}

func TestARequestNamesAFewProjectsOnly(t *testing.T) {
	sites := func(n int, item, between string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(item, i)
		}
		return strings.Join(items, between)
	}
	for n, want := range map[int]string{20: "", 21: weir.ETOOLARGE} {
		_, err := wiretest.Decode(t, matomo.Protocol{}, "/matomo.php", http.Header{}, `{"requests":[`+sites(n, `"?idsite=%d&rec=1"`, ",")+`]}`)
		if weir.ErrorCode(err) != want {
			t.Errorf("Matomo, %d sites: %v", n, err)
		}
	}
}

// Of names that come again, the first counts, however many there are.
func TestNamesThatComeAgainAreFound(t *testing.T) {
	for _, n := range []int{2, 12, 13, 14, 40, 500} {
		var query, set, want, broken strings.Builder
		for i := range n {
			fmt.Fprintf(&query, "&k%d=%d", i, i)
			fmt.Fprintf(&set, `,"k%d":%d`, i, i)
			fmt.Fprintf(&broken, `"%d":["k%d","taken back"],`, i, i)
			fmt.Fprintf(&want, `,"k%d":"%d"`, i, i)
		}
		again := strings.ReplaceAll(query.String(), "=", "=x")
		sent, err := wiretest.Decode(t, matomo.Protocol{}, "/matomo.php", http.Header{}, "idsite=1&rec=1&cvar={"+broken.String()+`"x":["broken"`+query.String()+again)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(sent.Parts[0].Events[0].Event.Properties); got != "{"+want.String()[1:]+"}" {
			t.Errorf("%d: %s", n, got)
		}
		sent, err = wiretest.Decode(t, posthog.Protocol{}, "/batch", http.Header{}, `{"api_key":"wk_a","event":"$set","distinct_id":"d","$set":{`+set.String()[1:]+strings.ReplaceAll(set.String(), `":`, `":1`)+
			`},"properties":{"$set":{`+set.String()[1:]+`},"$set_once":{`+set.String()[1:]+`}}}`)
		if err != nil || len(sent.Parts[0].Events) != 1 {
			t.Fatalf("%+v, %v", sent, err)
		}
		if got := string(sent.Parts[0].Events[0].Event.Properties); got != `{"$set":{`+set.String()[1:]+`},"$set_once":{`+set.String()[1:]+`}}` {
			t.Errorf("%d: %s", n, got)
		}
	}
}

func TestAnEventThatIsTooLargeIsNotReadOn(t *testing.T) {
	body := `{"api_key":"wk_a","event":"a",` + strings.Repeat(`"distinct_id":"`+strings.Repeat("x", 1000)+`",`, 20_000) + `"timestamp":0}`
	r := wiretest.Request(t, posthog.Protocol{}, "POST", "/batch", http.Header{}, []byte(body))
	var sent *wire.Decoded
	used := wiretest.Allocated(func() { sent, _ = posthog.Protocol{}.Decode(r) })
	if sent == nil || len(sent.Parts[0].Rejected) != 1 || sent.Parts[0].Rejected[0].Reason != wire.ReasonTooLarge || used > 8<<20 {
		t.Errorf("%d MB for %+v", used>>20, sent)
	}
}

func TestLZStringTakesMemoryByWhatIsSent(t *testing.T) {
	r := wiretest.Request(t, posthog.Protocol{}, "POST", "/batch?compression=lz64", http.Header{}, bytes.Repeat([]byte("A"), 1<<20))
	r.Limits.Body = 1 << 19
	if _, err := (posthog.Protocol{}).Decode(r); weir.ErrorCode(err) != weir.ETOOLARGE {
		t.Errorf("a text over the limit of what may be sent: %v", err)
	}
}

// Ids that are too long are other ones still when they begin alike, and the same when
// they come again.
func TestLongIDsOfEventsStayApart(t *testing.T) {
	long := strings.Repeat("x", 251)
	for _, c := range []struct {
		protocol     wire.Protocol
		target, body string
	}{
		{posthog.Protocol{}, "/batch", `{"api_key":"wk_a","batch":[{"event":"a","distinct_id":"u","uuid":"` + long + `%[1]s"},{"event":"a","distinct_id":"u","uuid":"` + long + `%[2]s"}]}`},
		{posthog.Protocol{}, "/batch", `{"api_key":"wk_a","batch":[{"event":"a","distinct_id":"u","uuid":"` + long + `%[1]s%[2]s","properties":{"$set":{"a":1}}}]}`},
		{amplitude.Protocol{}, "/2/httpapi", `{"api_key":"k","events":[{"event_type":"a","user_id":"u","insert_id":"` + long + `%[1]s%[2]s","user_properties":{"a":1}}]}`},
		{segment.Protocol{}, "/v1/batch", `{"batch":[{"type":"track","event":"a","messageId":"` + long + `%[1]s"},{"type":"track","event":"a","messageId":"` + long + `%[2]s"}]}`},
		{ga4.Protocol{}, "/mp/collect", `{"client_id":"` + long + `","events":[{"name":"purchase","params":{"transaction_id":"%[1]s"}},{"name":"purchase","params":{"transaction_id":"%[2]s"}}]}`},
	} {
		ids := func() (a, b string) {
			sent, err := wiretest.Decode(t, c.protocol, c.target, http.Header{}, fmt.Sprintf(c.body, "ab", "cd"))
			if err != nil || len(sent.Parts[0].Events) != 2 {
				t.Fatalf("%s: %+v, %v", c.target, sent, err)
			}
			return sent.Parts[0].Events[0].Event.ID, sent.Parts[0].Events[1].Event.ID
		}
		a, b := ids()
		again, _ := ids()
		if a == b || a != again || a == "" || len(a) > 255 || len(b) > 255 {
			t.Errorf("%s: %q and %q, then %q", c.target, a, b, again)
		}
	}
}

func TestVendorsRequestsAreBounded(t *testing.T) {
	toOpenPanel := func(body string) *wire.Request {
		return wiretest.Request(t, openpanel.Protocol{}, "POST", "/track", http.Header{"Openpanel-Client-Id": {"wk_1"}}, []byte(body))
	}
	toMatomo := func(body string) *wire.Request {
		return wiretest.Request(t, matomo.Protocol{}, "POST", "/matomo.php", http.Header{}, []byte(body))
	}
	track, hit := `{"type":"track","payload":{"name":"a"}}`, `"?idsite=1&rec=1"`
	large := strings.Repeat("x", 1<<20)
	for what, c := range map[string]struct {
		protocol wire.Protocol
		request  *wire.Request
	}{
		"OpenPanel, a batch of too many":          {openpanel.Protocol{}, toOpenPanel(`{"type":"batch","payload":[` + track + strings.Repeat(","+track, 50_000) + `]}`)},
		"OpenPanel, a batch of too many replays":  {openpanel.Protocol{}, toOpenPanel(`{"type":"batch","payload":[` + track + strings.Repeat(`,{"type":"replay"}`, 50_000) + `]}`)},
		"OpenPanel, too many groups":              {openpanel.Protocol{}, toOpenPanel(`{"type":"assign_group","payload":{"groupIds":["a"` + strings.Repeat(`,"a"`, 50_000) + `]}}`)},
		"OpenPanel, too large an event":           {openpanel.Protocol{}, toOpenPanel(`{"type":"track","payload":{"name":"a","properties":{"b":"` + large + `"}}}`)},
		"Matomo, a bulk of too many":              {matomo.Protocol{}, toMatomo(`{"requests":[` + hit + strings.Repeat(","+hit, 50_000) + `]}`)},
		"Matomo, a bulk of too many that are odd": {matomo.Protocol{}, toMatomo(`{"requests":[` + hit + strings.Repeat(",1", 50_000) + `]}`)},
		"Matomo, too large a hit":                 {matomo.Protocol{}, toMatomo(`idsite=1&rec=1&x=` + large)},
	} {
		if _, err := c.protocol.Decode(c.request); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%s: %v", what, err)
		}
	}
	sent, err := matomo.Protocol{}.Decode(toMatomo(`{"requests":[` + hit + `,"?idsite=1&rec=1&x=` + large + `"]}`))
	if err != nil || len(sent.Parts[0].Events) != 1 || len(sent.Parts[0].Rejected) != 1 || sent.Parts[0].Rejected[0].Reason != wire.ReasonTooLarge {
		t.Errorf("Matomo, too large a hit of a bulk: %v, %+v", err, sent)
	}
}
