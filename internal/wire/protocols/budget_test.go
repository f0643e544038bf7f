package protocols_test

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
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/otlp"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/umami"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// hostile is a request that takes as much memory as it can for what it sends.
type hostile struct {
	name, body, encoding string
	decode               func(t *testing.T, b *body.Body, l wire.Limits) error
}

func nativeEvents(_ *testing.T, b *body.Body, l wire.Limits) error {
	_, _, err := native.Decode(b.Bytes(), wiretest.Now, l)
	return err
}

func spans(e otlp.Encoding) func(*testing.T, *body.Body, wire.Limits) error {
	return func(_ *testing.T, b *body.Body, l wire.Limits) error {
		_, _, err := otlp.Decode(b.Bytes(), e, otlp.DefaultConsumers(), wiretest.Now, l)
		return err
	}
}

func sentTo(p wire.Protocol, target string, headers ...string) func(*testing.T, *body.Body, wire.Limits) error {
	return func(t *testing.T, b *body.Body, l wire.Limits) error {
		h := http.Header{}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		r := wiretest.Request(t, p, "POST", target, h, b.Bytes())
		r.Coded, r.Limits = b.Coded(), l
		_, err := p.Decode(r)
		return err
	}
}

func hostiles(t *testing.T, most int) []hostile {
	of := func(mib int, text string) string { return wiretest.Repeat(min(mib, most), text) }
	times := func(text string, n int) string { return strings.Repeat(text, min(n, most)) } // texts of about 1 MiB
	long := strings.Repeat("x", 1<<20-100)
	packed := func(name, text string, decode func(*testing.T, *body.Body, wire.Limits) error) hostile {
		return hostile{name, wiretest.Gzipped(t, text), "", decode}
	}
	toPostHog := sentTo(posthog.Protocol{}, "/e")
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
		packed("attributes of a resource", `{"resourceSpans":[{"resource":{"attributes":[`+of(30, "{},")+`{}]}}]}`, spans(otlp.JSON)),
		packed("resources", `{"resourceSpans":[`+of(60, "{},")+`{}]}`, spans(otlp.JSON)),
		packed("spans that are none", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+of(60, "1,")+`1]}]}]}`, spans(otlp.JSON)),
		packed("attributes of spans", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"attributes":[`+strings.Repeat("{},", 340_000)+`{}]},`, 20)+`1]}]}]}`, spans(otlp.JSON)),
		packed("arrays of spans", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"attributes":[{"value":{"arrayValue":{"values":[`+strings.Repeat("1,", 500_000)+`1]}}}]},`, 20)+`1]}]}]}`, spans(otlp.JSON)),
		packed("a number for a text", `{"resourceSpans":[{"scopeSpans":[{"spans":[`+times(`{"name":`+strings.Repeat("1", 1_000_000)+`},`, 40)+`1]}]}]}`, spans(otlp.JSON)),
		packed("spans of two bytes", protobufOf(1, protobufOf(2, of(40, "\x12\x00"))), spans(otlp.Protobuf)),
		packed("PostHog, small events", `{"api_key":"wk_a","batch":[`+of(60, `{"event":"a","distinct_id":"b"},`)+`{}]}`, toPostHog),
		packed("PostHog, what is no event", `{"api_key":"wk_a","batch":[`+of(60, `1,`)+`{}]}`, toPostHog),
		packed("PostHog, broken text", `{"api_key":"wk_a","batch":[`+times(`{"event":"a","distinct_id":"b","properties":{"a":"`+strings.Repeat("\xff", 1_000_000)+`"}},`, 30)+`{}]}`, toPostHog),
		packed("PostHog, a form's fields", "data=e30"+of(60, "&a"), toPostHog),
		packed("PostHog, percent", "data="+of(60, "%41"), toPostHog),
		packed("PostHog, base64", base64.StdEncoding.EncodeToString([]byte(`{"api_key":"`+of(40, "a")+`"}`)), toPostHog),
		{"PostHog, a bomb in a form", "data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(wiretest.Gzipped(t, of(90, " "))))), "", toPostHog},
		packed("PostHog, LZ-string", of(20, "A"), sentTo(posthog.Protocol{}, "/e?compression=lz64")),
		packed("PostHog's newer protocol", `{"created_at":"2026-02-21T00:00:00Z","batch":[`+of(60, "{},")+"{}]}", sentTo(posthog.Protocol{}, "/i/v1/analytics/events", "Authorization", "Bearer wk_a")),
		packed("Amplitude, small events", `{"api_key":"wk_a","events":[`+of(60, `{"event_type":"a","user_id":"u"},`)+`{"event_type":"a","user_id":"u"}]}`, sentTo(amplitude.Protocol{}, "/2/httpapi")),
		packed("Amplitude, wrong events", `{"api_key":"wk_a","events":[`+of(60, `{},`)+`{}]}`, sentTo(amplitude.Protocol{}, "/2/httpapi")),
		packed("Amplitude, changes", `{"api_key":"wk_a","events":[`+of(60, `{"event_type":"$identify","user_id":"u","user_properties":{"$append":{},"$set":{"a":1}}},`)+`{}]}`, sentTo(amplitude.Protocol{}, "/2/httpapi")),
		packed("Amplitude, a form", `api_key=wk_a&identification=[`+of(60, `{"user_id":"u"},`)+`{}]`, sentTo(amplitude.Protocol{}, "/identify")),
		packed("Mixpanel, small events", "["+of(60, `{"event":"a","properties":{"token":"wk_a"}},`)+`{}]`, sentTo(mixpanel.Protocol{}, "/track")),
		packed("Mixpanel, a form", "data="+base64.StdEncoding.EncodeToString([]byte("["+of(30, `{"event":"a"},`)+`{}]`)), sentTo(mixpanel.Protocol{}, "/import?strict=1")),
		packed("Mixpanel, changes", "["+of(60, `{"$append":{"a":1},"$set":{"b":1},"$distinct_id":"u"},`)+`{}]`, sentTo(mixpanel.Protocol{}, "/engage")),
		packed("Mixpanel, failed records", "["+of(60, `{"properties":{"token":"wk_a","$insert_id":"`+strings.Repeat("i", 200)+`"}},`)+`{}]`, sentTo(mixpanel.Protocol{}, "/import?strict=1")),
		packed("OpenPanel", `{"type":"batch","payload":[`+of(60, `{"type":"track","payload":{"name":"a"}},`)+`{}]}`, sentTo(openpanel.Protocol{}, "/track/", "Openpanel-Client-Id", "wk_a")),
		packed("Segment", `{"context":{"page":{"title":"`+strings.Repeat("x", 2000)+`"}},"batch":[`+of(20, `{"type":"track","event":"a"},`)+`{}],"writeKey":"wk_a"}`, sentTo(segment.Protocol{}, "/v1/batch")),
		packed("GA4", `{"client_id":"a","events":[`+of(60, `{"name":"a"},`)+`{}]}`, sentTo(ga4.Protocol{}, "/mp/collect?api_secret=wk_a")),
		packed("GA4, hits", of(60, "en=a\n"), sentTo(ga4.Protocol{}, "/g/collect?tid=wk_a")),
		packed("GA4, parameters of a hit", "en=a"+of(60, "&ep.a=b"), sentTo(ga4.Protocol{}, "/g/collect?tid=wk_a")),
		packed("GA4, hits with long parameters", times("en=a&ep.x="+strings.Repeat("%41", 300_000)+"\n", 40), sentTo(ga4.Protocol{}, "/g/collect?tid=wk_a")),
		packed("GA4, items", times("en=a&pr1="+strings.Repeat("idA~k0a~v0b~", 80_000)+"\n", 40), sentTo(ga4.Protocol{}, "/g/collect?tid=wk_a")),
		packed("GA4, validated", `{"client_id":"a","events":[`+of(60, `1,`)+`{}]}`, sentTo(ga4.Protocol{}, "/debug/mp/collect?api_secret=wk_a")),
		packed("Matomo, hits", `{"requests":[`+of(60, `"?idsite=1&rec=1",`)+`""]}`, sentTo(matomo.Protocol{}, "/matomo.php")),
		packed("Matomo, parameters", "idsite=1&rec=1"+of(60, "&a"), sentTo(matomo.Protocol{}, "/matomo.php")),
		packed("Matomo, sites", `{"requests":[`+of(60, `"?idsite=1&rec=1","?idsite=2",`)+`""]}`, sentTo(matomo.Protocol{}, "/matomo.php")),
		packed("Umami", `[`+of(60, `{"type":"event","payload":{"website":"w","url":"/"}},`)+`1]`, sentTo(umami.Protocol{}, "/api/batch")),
		packed("Plausible", `{"n":"a","u":"https://a.example/","d":"`+strings.Repeat("a,b,c,d,e,f,g,h,", 2)+`","p":{"a":"`+long+`"}}`, sentTo(plausible.Protocol{}, "/api/event")),
		{"brotli", wiretest.Brotlied(t, of(90, " ")), "br", nativeEvents},
		{"deflate", wiretest.Deflated(t, of(90, " ")), "deflate", nativeEvents},
		{"zstd", wiretest.Zstded(t, of(90, " ")), "", nativeEvents},
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
func (x *hostile) take(t *testing.T, h *wire.Reservation) error { return x.takeKnowing("", t, h) }

// takeKnowing is take where the body has the key of a known project.
func (x *hostile) takeKnowing(key string, t *testing.T, h *wire.Reservation) error {
	l := wire.DefaultLimits()
	l.Memory = h
	b, err := readKnowing(key, x.body, x.encoding, l)
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

// readKnowing reads a body. If it has the key, its project becomes known.
func readKnowing(key, sent, encoding string, l wire.Limits) (*body.Body, error) {
	reading := body.Open(strings.NewReader(sent), encoding, l)
	for text := range reading.Beginnings() {
		if key != "" && bytes.Contains(text, []byte(key)) {
			l.Memory.SetKnown()
			break
		}
	}
	return reading.Body()
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
	body := wiretest.NativeBatch(100)
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
	for name, body := range map[string]string{"plain": text, "gzip": wiretest.Gzipped(t, text)} {
		b := wire.NewBudget(0)
		h := b.Open(t.Context())
		h.SetKnown()
		x := hostile{body: body, decode: sentTo(posthog.Protocol{}, "/batch")}
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
		x := hostile{body: text, decode: sentTo(posthog.Protocol{}, "/batch")}
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
	x := hostile{body: text, decode: sentTo(posthog.Protocol{}, "/batch")}
	if err := x.takeKnowing(`"wk_a"`, t, h); err != nil {
		t.Error(err)
	}
}

// A body that names its project late is read as far as one that does not is.
func TestAStrangersBodyIsBoundedUntilItNamesItsProject(t *testing.T) {
	zeros := wiretest.Repeat(8, " ")
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
			{wiretest.Gzipped(t, c.text), ""}, {wiretest.Zstded(t, c.text), ""}, {wiretest.Deflated(t, c.text), "deflate"}, {wiretest.Brotlied(t, c.text), "br"},
		} {
			h := wire.NewBudget(256 << 20).Open(t.Context())
			l := wire.DefaultLimits()
			l.Memory = h
			b, err := readKnowing(`"wk_a"`, coded.body, coded.encoding, l)
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
	x := hostile{body: wiretest.Gzipped(t, text.String()), decode: sentTo(posthog.Protocol{}, "/batch")}
	t.Logf("%d bytes of %d", len(x.body), text.Len())
	if err := x.takeKnowing(`"wk_a"`, t, h); err != nil {
		t.Error(err)
	}
}
