package wire_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// allocated is how many bytes a function takes from the heap.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func decoded(t *testing.T, p wire.Protocol, target string, h http.Header, body string) (*wire.Decoded, error) {
	t.Helper()
	return p.Decode(asked(t, p, "POST", target, h, []byte(body)))
}

var track = wire.Track{PostHog: wire.PostHog{}, OpenPanel: wire.OpenPanel{}}

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
		{"Openpanel-Sdk-Name", track, "/track", map[string]string{"Openpanel-Client-Id": "wk_a"}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Openpanel-Client-Ip", track, "/track", map[string]string{"Openpanel-Client-Id": "wk_a"}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Accept-Language", track, "/track", map[string]string{"Openpanel-Client-Id": "wk_a", "User-Agent": chromium}, `{"type":"batch","payload":[` + list(`{"type":"track","payload":{"name":"a"}}`) + `]}`},
		{"Accept-Language", wire.Matomo{}, "/matomo.php", map[string]string{"User-Agent": chromium}, `{"requests":[` + list(`"?idsite=1&rec=1"`) + `]}`},
		{"Referer", wire.Matomo{}, "/matomo.php", map[string]string{"User-Agent": chromium}, `{"requests":[` + list(`"?idsite=1&rec=1"`) + `]}`},
		{"User-Agent", wire.PostHog{}, "/batch", nil, `{"api_key":"wk_a","batch":[` + list(`{"event":"a","distinct_id":"d","properties":{"$lib":"web","$geoip_disable":true}}`) + `]}`},
		{"Posthog-Sdk-Info", wire.PostHog{}, "/i/v1/analytics/events", map[string]string{"Authorization": "Bearer wk_a"}, `{"created_at":"2026-02-21T00:00:00Z","batch":[` + v1.String()[1:] + `]}`},
	} {
		h := http.Header{}
		for name, value := range c.headers {
			h.Set(name, value)
		}
		h.Set(c.header, long)
		used := allocated(func() {
			sent, err := decoded(t, c.protocol, c.target, h, c.body)
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
		_, err := decoded(t, wire.Matomo{}, "/matomo.php", http.Header{}, `{"requests":[`+sites(n, `"?idsite=%d&rec=1"`, ",")+`]}`)
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
		sent, err := decoded(t, wire.Matomo{}, "/matomo.php", http.Header{}, "idsite=1&rec=1&cvar={"+broken.String()+`"x":["broken"`+query.String()+again)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(sent.Parts[0].Events[0].Event.Properties); got != "{"+want.String()[1:]+"}" {
			t.Errorf("%d: %s", n, got)
		}
		sent, err = decoded(t, wire.PostHog{}, "/batch", http.Header{}, `{"api_key":"wk_a","event":"$set","distinct_id":"d","$set":{`+set.String()[1:]+strings.ReplaceAll(set.String(), `":`, `":1`)+
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
	r := asked(t, wire.PostHog{}, "POST", "/batch", http.Header{}, []byte(body))
	var sent *wire.Decoded
	used := allocated(func() { sent, _ = wire.PostHog{}.Decode(r) })
	if sent == nil || len(sent.Parts[0].Rejected) != 1 || sent.Parts[0].Rejected[0].Reason != wire.ReasonTooLarge || used > 8<<20 {
		t.Errorf("%d MB for %+v", used>>20, sent)
	}
}

func TestLZStringTakesMemoryByWhatIsSent(t *testing.T) {
	r := asked(t, wire.PostHog{}, "POST", "/batch?compression=lz64", http.Header{}, bytes.Repeat([]byte("A"), 1<<20))
	r.Limits.Body = 1 << 19
	if _, err := (wire.PostHog{}).Decode(r); weir.ErrorCode(err) != weir.ETOOLARGE {
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
		{wire.PostHog{}, "/batch", `{"api_key":"wk_a","batch":[{"event":"a","distinct_id":"u","uuid":"` + long + `%[1]s"},{"event":"a","distinct_id":"u","uuid":"` + long + `%[2]s"}]}`},
		{wire.PostHog{}, "/batch", `{"api_key":"wk_a","batch":[{"event":"a","distinct_id":"u","uuid":"` + long + `%[1]s%[2]s","properties":{"$set":{"a":1}}}]}`},
		{wire.Segment{}, "/v1/batch", `{"batch":[{"type":"track","event":"a","messageId":"` + long + `%[1]s"},{"type":"track","event":"a","messageId":"` + long + `%[2]s"}]}`},
		{wire.GA4{}, "/mp/collect", `{"client_id":"` + long + `","events":[{"name":"purchase","params":{"transaction_id":"%[1]s"}},{"name":"purchase","params":{"transaction_id":"%[2]s"}}]}`},
	} {
		ids := func() (a, b string) {
			sent, err := decoded(t, c.protocol, c.target, http.Header{}, fmt.Sprintf(c.body, "ab", "cd"))
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
