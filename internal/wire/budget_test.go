package wire_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// hostile is a request that takes as much memory as it can for what it sends.
type hostile struct {
	name, body, encoding string
	decode               func(t *testing.T, b *wire.Body, l wire.Limits) error
}

func nativeEvents(_ *testing.T, b *wire.Body, l wire.Limits) error {
	_, _, err := wire.Events(b.Bytes(), now, l)
	return err
}

func spans(e wire.Encoding) func(*testing.T, *wire.Body, wire.Limits) error {
	return func(_ *testing.T, b *wire.Body, l wire.Limits) error {
		_, _, err := wire.Traces(b.Bytes(), e, wire.DefaultConsumers(), now, l)
		return err
	}
}

func sentTo(p wire.Protocol, target string, headers ...string) func(*testing.T, *wire.Body, wire.Limits) error {
	return func(t *testing.T, b *wire.Body, l wire.Limits) error {
		h := http.Header{}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		r := asked(t, p, "POST", target, h, b.Bytes())
		r.Coded, r.Limits = b.Coded(), l
		_, err := p.Decode(r)
		return err
	}
}

// of fills so many MiB with a text that comes again and again.
func of(mib int, text string) string { return strings.Repeat(text, mib<<20/len(text)) }

func hostiles(t *testing.T, most int) []hostile {
	of := func(mib int, text string) string { return of(min(mib, most), text) }
	times := func(text string, n int) string { return strings.Repeat(text, min(n, most)) } // texts of about 1 MiB
	long := strings.Repeat("x", 1<<20-100)
	packed := func(name, text string, decode func(*testing.T, *wire.Body, wire.Limits) error) hostile {
		return hostile{name, gzipped(t, text), "", decode}
	}
	posthog := sentTo(posthogProtocol, "/e")
	return []hostile{
		packed("empty events", "["+of(60, "{},")+"{}]", nativeEvents),
		packed("the smallest events", "["+of(60, `{"name":"a"},`)+"{}]", nativeEvents),
		packed("50,000 of the smallest events", "["+strings.Repeat(`{"name":"a"},`, 49_999)+"{}]", nativeEvents),
		packed("lines that are wrong", "{}\n"+of(20, "x\n"), nativeEvents),
		packed("the largest events", "["+times(`{"name":"a","properties":{"a":"`+long+`"}},`, 40)+"{}]", nativeEvents),
		packed("escapes", "["+times(`{"name":"a","properties":{"a":"`+strings.Repeat(`\u0001`, 170_000)+`"}},`, 40)+"{}]", nativeEvents),
		packed("a text of 90 MiB", `{"name":"`+of(90, "xxxxxxxxxxxxxxxx")+`"}`, nativeEvents),
		packed("keys", "["+times(`{"name":"a","properties":{"a":{`+strings.Repeat(`"":1,`, 200_000)+`"b":1}}},`, 30)+"{}]", nativeEvents),
		packed("brackets", `{"name":"a","properties":{"a":`+of(1, "[")+"}}", nativeEvents),
		packed("arrays", `[`+times(`{"name":"a","properties":{"a":[`+of(1, "[],")[:900_000]+`[]]}},`, 30)+"{}]", nativeEvents),
		packed("attributes of a resource", `{"resourceSpans":[{"resource":{"attributes":[`+of(30, "{},")+`{}]}}]}`, spans(wire.JSON)),
		packed("resources", `{"resourceSpans":[`+of(60, "{},")+`{}]}`, spans(wire.JSON)),
		packed("spans that are none", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+of(60, "1,")+`1]}]}]}`, spans(wire.JSON)),
		packed("attributes of spans", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"attributes":[`+strings.Repeat("{},", 340_000)+`{}]},`, 20)+`1]}]}]}`, spans(wire.JSON)),
		packed("arrays of spans", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"attributes":[{"value":{"arrayValue":{"values":[`+strings.Repeat("1,", 500_000)+`1]}}}]},`, 20)+`1]}]}]}`, spans(wire.JSON)),
		packed("a number for a text", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"name":`+strings.Repeat("1", 1_000_000)+`},`, 40)+`1]}]}]}`, spans(wire.JSON)),
		packed("spans of two bytes", protobufOf(1, protobufOf(2, of(40, "\x12\x00"))), spans(wire.Protobuf)),
		packed("PostHog, small events", `{"api_key":"wk_a","batch":[`+of(60, `{"event":"a","distinct_id":"b"},`)+`{}]}`, posthog),
		packed("PostHog, what is no event", `{"api_key":"wk_a","batch":[`+of(60, `1,`)+`{}]}`, posthog),
		packed("PostHog, broken text", `{"api_key":"wk_a","batch":[`+times(`{"event":"a","distinct_id":"b","properties":{"a":"`+strings.Repeat("\xff", 1_000_000)+`"}},`, 30)+`{}]}`, posthog),
		packed("PostHog, a form's fields", "data=e30"+of(60, "&a"), posthog),
		packed("PostHog, percent", "data="+of(60, "%41"), posthog),
		packed("PostHog, base64", base64.StdEncoding.EncodeToString([]byte(`{"api_key":"`+of(40, "a")+`"}`)), posthog),
		{"PostHog, a bomb in a form", "data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(gzipped(t, of(90, " "))))), "", posthog},
		packed("PostHog, LZ-string", of(20, "A"), sentTo(posthogProtocol, "/e?compression=lz64")),
		packed("PostHog's newer protocol", `{"created_at":"2026-02-21T00:00:00Z","batch":[`+of(60, "{},")+"{}]}", sentTo(posthogProtocol, "/i/v1/analytics/events", "Authorization", "Bearer wk_a")),
		packed("OpenPanel", `{"type":"batch","payload":[`+of(60, `{"type":"track","payload":{"name":"a"}},`)+`{}]}`, sentTo(wire.OpenPanel{}, "/track/", "Openpanel-Client-Id", "wk_a")),
		packed("Segment", `{"context":{"page":{"title":"`+strings.Repeat("x", 2000)+`"}},"batch":[`+of(20, `{"type":"track","event":"a"},`)+`{}],"writeKey":"wk_a"}`, sentTo(wire.Segment{}, "/v1/batch")),
		packed("GA4", `{"client_id":"a","events":[`+of(60, `{"name":"a"},`)+`{}]}`, sentTo(wire.GA4{}, "/mp/collect?api_secret=wk_a")),
		packed("GA4, validated", `{"client_id":"a","events":[`+of(60, `1,`)+`{}]}`, sentTo(wire.GA4{}, "/debug/mp/collect?api_secret=wk_a")),
		packed("Matomo, hits", `{"requests":[`+of(60, `"?idsite=1&rec=1",`)+`""]}`, sentTo(wire.Matomo{}, "/matomo.php")),
		packed("Matomo, parameters", "idsite=1&rec=1"+of(60, "&a"), sentTo(wire.Matomo{}, "/matomo.php")),
		packed("Matomo, sites", `{"requests":[`+of(60, `"?idsite=1&rec=1","?idsite=2",`)+`""]}`, sentTo(wire.Matomo{}, "/matomo.php")),
		packed("Umami", `[`+of(60, `{"type":"event","payload":{"website":"w","url":"/"}},`)+`1]`, sentTo(wire.Umami{}, "/api/batch")),
		packed("Plausible", `{"n":"a","u":"https://a.example/","d":"`+strings.Repeat("a,b,c,d,e,f,g,h,", 2)+`","p":{"a":"`+long+`"}}`, sentTo(wire.Plausible{}, "/api/event")),
		{"brotli", brotlied(t, of(90, " ")), "br", nativeEvents},
		{"deflate", deflated(t, of(90, " ")), "deflate", nativeEvents},
		{"zstd", zstded(t, of(90, " ")), "", nativeEvents},
		{"a zstd window for one byte", "\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x", "", nativeEvents},
	}
}

// protobufOf is a field with a length.
func protobufOf(number byte, value string) string {
	b := []byte{number<<3 | 2}
	n := len(value)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return string(append(b, byte(n))) + value
}

// take reads, decodes and would store a request, and says what it was refused for.
func (x *hostile) take(t *testing.T, h *wire.Reservation) error {
	l := wire.DefaultLimits()
	l.Memory = h
	b, err := wire.ReadBody(strings.NewReader(x.body), x.encoding, l)
	if err != nil {
		return err
	}
	err = x.decode(t, b, l)
	b.Release()
	if lack := h.Err(); lack != nil {
		err = lack
	}
	if err == nil {
		err = h.ReserveStorage()
	}
	return err
}

// heap is what lives and what is not collected yet, in bytes.
func heap() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// peak is by how much the heap grows while f runs.
func peak(f func()) int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	runtime.GC() // what pools hold is gone
	before, most := heap(), int64(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for {
		select {
		case <-done:
			return most - before
		default:
			most = max(most, heap())
			runtime.Gosched()
		}
	}
}

func TestRequestsTakeNoMoreMemoryThanTheirBudget(t *testing.T) {
	const size = 32 << 20
	sizes := []int{2} // MiB of a body: of what fits, more is made
	if os.Getenv("WEIR_TEST_LONG") != "" {
		sizes = append(sizes, 100)
	}
	for _, most := range sizes {
		for _, x := range hostiles(t, most) {
			b := wire.NewBudget(size)
			b.SetWait(5 * time.Millisecond)
			taken := 0
			used := peak(func() { taken = x.several(t, b) })
			t.Logf("%-30s of %3d MiB: %6d KB sent, %3d MB used, %d taken", x.name, most, len(x.body)>>10, used>>20, taken)
			// Besides: garbage of a twentieth, and what pools hold.
			if used > size*3/2 {
				t.Errorf("%s of %d MiB: %d MB for a budget of %d", x.name, most, used>>20, size>>20)
			}
			if b.Held() != 0 {
				t.Errorf("%s: %d bytes are held for ever", x.name, b.Held())
			}
		}
	}
}

// several makes six requests at once, two of them by strangers, and says how many were
// not refused.
func (x *hostile) several(t *testing.T, b *wire.Budget) int {
	var wg sync.WaitGroup
	var taken atomic.Int64
	for i := range 6 {
		wg.Go(func() {
			h := b.Open(t.Context())
			defer h.Close()
			if i%3 > 0 {
				h.SetKnown()
			}
			if x.take(t, h) == nil {
				taken.Add(1)
			}
		})
	}
	wg.Wait()
	return int(taken.Load())
}

// What one request is charged for is what it takes, and not much more: else few would fit.
func TestAnOrdinaryRequestTakesAFewTimesItsSize(t *testing.T) {
	body := batch(100)
	b := wire.NewBudget(0)
	h := b.Open(t.Context())
	defer h.Close()
	h.SetKnown()
	x := hostile{body: string(body), decode: nativeEvents}
	if err := x.take(t, h); err != nil {
		t.Fatal(err)
	}
	if most := int64(16 * len(body)); b.Held() > most {
		t.Errorf("%d bytes are held for %d", b.Held(), len(body))
	}
}

func TestTheLargestBodyOfPostHogFitsIntoTheDefaultBudget(t *testing.T) {
	event := `{"event":"a","distinct_id":"ada","properties":{"a":"` + strings.Repeat("x", 2400) + `"}}`
	text := `{"batch":[` + strings.Repeat(event+",", (20<<20-100)/(len(event)+1)) + `{"event":"a","distinct_id":"b"}],"api_key":"wk_a"}`
	for name, body := range map[string]string{"plain": text, "gzip": gzipped(t, text)} {
		b := wire.NewBudget(0)
		h := b.Open(t.Context())
		h.SetKnown()
		x := hostile{body: body, decode: sentTo(posthogProtocol, "/batch")}
		if err := x.take(t, h); err != nil || len(text) < 20<<20-5000 {
			t.Errorf("%s: %v", name, err)
		}
		h.Close()
		if b.Held() != 0 {
			t.Errorf("%s: %d bytes are held", name, b.Held())
		}
	}
}

// Small events take most. What is charged is measured: it is to be neither so little that
// memory runs out nor so much that a body is refused which there is room for.
func TestTheLargestBodyOfPostHogIsChargedWhatItTakes(t *testing.T) {
	for _, size := range []int{400, 2400} {
		event := `{"event":"a","distinct_id":"ada","properties":{"a":"` + strings.Repeat("x", size-60) + `"}}`
		text := `{"api_key":"wk_a","batch":[` + strings.Repeat(event+",", min((20<<20-100)/(len(event)+1), 49_990)) + `{"event":"a","distinct_id":"b"}]}`
		b := wire.NewBudget(1 << 30)
		h := b.Open(t.Context())
		h.SetKnown()
		x := hostile{body: text, decode: sentTo(posthogProtocol, "/batch")}
		var most int64
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					most = max(most, b.Held())
					runtime.Gosched()
				}
			}
		}()
		used := peak(func() {
			if err := x.take(t, h); err != nil {
				t.Error(err)
			}
		})
		close(stop)
		<-stopped
		h.Close()
		t.Logf("events of %d bytes: %d MB of text, %d MB of heap, %d MB charged", size, len(text)>>20, used>>20, most>>20)
		if used > most*2 || most > used*2 {
			t.Errorf("events of %d bytes: %d MB are charged for %d", size, most>>20, used>>20)
		}
	}
}

func TestWhoNamesTheProjectLastIsKnownBeforeTheBodyIsCopied(t *testing.T) {
	event := `{"event":"a","distinct_id":"ada","properties":{"a":"` + strings.Repeat("x", 2400) + `"}}`
	text := `{"batch":[` + strings.Repeat(event+",", (8<<20)/(len(event)+1)) + `{"event":"a","distinct_id":"b"}],"api_key":"wk_a"}`
	h := wire.NewBudget(40 << 20).Open(t.Context()) // of which strangers have 10
	defer h.Close()
	h.IsKnown = func(text []byte) bool { return bytes.Contains(text, []byte(`"wk_a"`)) }
	x := hostile{body: text, decode: sentTo(posthogProtocol, "/batch")}
	if err := x.take(t, h); err != nil {
		t.Error(err)
	}
}

func TestWhoFindsNoMemoryWaitsAndIsThenRefusedForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := wire.NewBudget(8 << 20)
		first := b.Open(t.Context())
		first.SetKnown()
		if err := first.Reserve(8 << 20); err != nil {
			t.Fatal(err)
		}
		second := b.Open(t.Context())
		second.SetKnown()
		if err := second.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
			t.Errorf("%v, %d counted", err, b.Refused(wire.BudgetBusy))
		}
		if err := second.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
			t.Errorf("a request that was refused goes on: %v", err)
		}
		second.Close()
		third := b.Open(t.Context())
		third.SetKnown()
		time.AfterFunc(time.Second/2, first.Close)
		if err := third.Reserve(8 << 20); err != nil {
			t.Errorf("what was given back is not there: %v", err)
		}
		third.Close()
		if b.Held() != 0 {
			t.Errorf("%d bytes are held", b.Held())
		}
	})
}

func TestARequestLargerThanTheBudgetIsTooLarge(t *testing.T) {
	b := wire.NewBudget(4 << 20)
	for _, known := range []bool{true, false} {
		h := b.Open(t.Context())
		n := int64(1<<20 + 1)
		if known {
			h.SetKnown()
			n = 4<<20 + 1
		}
		if err := h.Reserve(n); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("known %v: %v", known, err)
		}
		h.Close()
	}
	if n := b.Refused(wire.BudgetTooLarge); n != 2 {
		t.Errorf("%d counted", n)
	}
}

func TestStrangersLeaveThreeQuartersOfTheMemory(t *testing.T) {
	b := wire.NewBudget(16 << 20)
	b.SetWait(time.Millisecond)
	stranger, other := b.Open(t.Context()), b.Open(t.Context())
	defer other.Close()
	if err := stranger.Reserve(4 << 20); err != nil {
		t.Fatal(err)
	}
	if err := other.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetStrangers) != 1 {
		t.Errorf("%v, %d counted", err, b.Refused(wire.BudgetStrangers))
	}
	sender := b.Open(t.Context())
	defer sender.Close()
	sender.SetKnown()
	if err := sender.Reserve(12 << 20); err != nil {
		t.Error(err)
	}
	stranger.SetKnown() // and no stranger any more
	next := b.Open(t.Context())
	defer next.Close()
	if err := next.Reserve(1); weir.ErrorCode(err) != weir.EUNAVAILABLE || b.Refused(wire.BudgetBusy) != 1 {
		t.Errorf("%v", err)
	}
	stranger.Close()
	late := b.Open(t.Context())
	defer late.Close()
	if err := late.Reserve(1); err != nil {
		t.Error(err)
	}
}

// A body that names its project late is read as far as one that does not is.
func TestAStrangersBodyIsBoundedUntilItNamesItsProject(t *testing.T) {
	zeros := of(8, " ")
	name := `"api_key":"wk_a",`
	for _, c := range []struct {
		name, text string
		code       string
	}{
		{"early", `{` + name + zeros + `"batch":[]}`, ""},
		{"within 64 KiB", `{` + zeros[:60_000] + name + zeros + `"batch":[]}`, ""},
		{"late", `{` + zeros + name + `"batch":[]}`, weir.ETOOLARGE},
		{"never", `{` + zeros + `"batch":[]}`, weir.ETOOLARGE},
		{"late, in a small one", `{` + zeros[:200_000] + name + `"batch":[]}`, ""},
		{"another's", `{"api_key":"wk_b",` + zeros + `"batch":[]}`, weir.ETOOLARGE},
	} {
		for _, coded := range []struct{ body, encoding string }{
			{gzipped(t, c.text), ""}, {zstded(t, c.text), ""}, {deflated(t, c.text), "deflate"}, {brotlied(t, c.text), "br"},
		} {
			h := wire.NewBudget(256 << 20).Open(t.Context())
			h.IsKnown = func(text []byte) bool { return bytes.Contains(text, []byte(`"wk_a"`)) }
			l := wire.DefaultLimits()
			l.Memory = h
			b, err := wire.ReadBody(strings.NewReader(coded.body), coded.encoding, l)
			if weir.ErrorCode(err) != c.code {
				t.Errorf("%s, %.2q %s: %v", c.name, coded.body, coded.encoding, err)
			}
			if err == nil {
				b.Release()
			}
			h.Close()
		}
	}
}

// Late, as in the body of posthog-python, is no hindrance for a body of events.
func TestABodyOfEventsThatNamesItsProjectLastIsReadWhole(t *testing.T) {
	event := `{"event":"a","distinct_id":"ada","timestamp":"2026-02-21T00:00:00Z","uuid":"`
	var text strings.Builder
	text.WriteString(`{"batch":[`)
	for i := range 12_000 {
		text.WriteString(event + base64.StdEncoding.EncodeToString([]byte{byte(i), byte(i >> 8), byte(i * 7), byte(i * 13)}) +
			`","properties":{"$lib":"posthog-python","$lib_version":"6.0.0","$os":"Linux","n":` + strings.Repeat("1", i%9+1) + `}},`)
	}
	text.WriteString(`{"event":"a","distinct_id":"b"}],"api_key":"wk_a"}`)
	h := wire.NewBudget(0).Open(t.Context())
	defer h.Close()
	h.IsKnown = func(text []byte) bool { return bytes.Contains(text, []byte(`"wk_a"`)) }
	x := hostile{body: gzipped(t, text.String()), decode: sentTo(posthogProtocol, "/batch")}
	t.Logf("%d bytes of %d", len(x.body), text.Len())
	if err := x.take(t, h); err != nil {
		t.Error(err)
	}
}
