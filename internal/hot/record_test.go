package hot_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

func fullEvent() weir.Event {
	return weir.Event{
		ID: "0192", ProjectID: "p", Name: "api_call", Time: time.UnixMicro(1700000000123456).UTC(),
		ReceivedAt: time.UnixMicro(1700000000999999).UTC(), ProfileID: "pr", DeviceID: "dé\x01", SessionID: "s",
		Path: "/a", Origin: "https://x", Title: "T", Referrer: "r", Channel: "search",
		UTMSource: "1", UTMMedium: "2", UTMCampaign: "3", UTMTerm: "4", UTMContent: "5",
		Country: "DE", Region: "BE", City: "Berlin", Browser: "Firefox", BrowserVersion: "1", OS: "Linux", OSVersion: "6",
		DeviceType: "desktop", Bot: true, Roams: true, Language: "de", Library: "x/1",
		Call: &weir.Call{
			Method: "GET", Route: "/a/{id}", Status: 200, LatencyMS: weir.Known(1.5), Consumer: "c",
			RequestBytes: weir.Known(0), ResponseBytes: weir.Known(1 << 53), Error: "e", TraceID: "t",
		},
		Revenue: weir.Known(9.5), Currency: "EUR", Properties: json.RawMessage(`{"a":1}`),
	}
}

func decode(b []byte) (e weir.Event, err error) {
	err = hot.DecodeRecord(b, &e)
	return e, err
}

func TestARecordComesBackWhole(t *testing.T) {
	for _, e := range []weir.Event{{}, fullEvent()} {
		got, err := decode(hot.AppendRecord(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e, got); d != "" {
			t.Fatal(d)
		}
	}
}

// A later version of Weir may have more texts, which the record then counts.
func TestARecordSaysHowManyTextsItHas(t *testing.T) {
	e := fullEvent()
	e.Call = &weir.Call{Route: "/a"} // which version 1 has
	b := hot.AppendRecord(nil, &e)
	begin := 2 + len(codec.AppendTime(codec.AppendTime(nil, e.Time), e.ReceivedAt))
	counted := func(n byte) []byte {
		out := append(bytes.Clone(b[:begin]), n)
		out[0] = 2
		return append(out, b[begin:]...)
	}
	got, err := decode(counted(27))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e, got); d != "" {
		t.Error(d)
	}
	if _, err := decode(counted(byte(len(e.Texts()) + 1))); err == nil {
		t.Error("a record with more texts than an event has was read")
	}
}

func TestRecordOfCallThatEarlierVersionsHaveNotSaysItsVersion(t *testing.T) {
	for want, call := range map[byte][]weir.Call{
		1: {{}, {Method: "GET", Route: "/a", Status: 200, LatencyMS: weir.Known(0), Consumer: "c"}},
		3: {{RequestBytes: weir.Known(0)}, {ResponseBytes: weir.Known(7)}, {Error: "e"}, {TraceID: "t"}},
	} {
		for _, c := range call {
			e := weir.Event{Name: "api_call", Time: time.UnixMicro(1).UTC(), ReceivedAt: time.UnixMicro(2).UTC(), Call: &c}
			b := hot.AppendRecord(nil, &e)
			if b[0] != want {
				t.Errorf("%+v: version %d, want %d", c, b[0], want)
			}
			got, err := decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(e, got); d != "" {
				t.Error(d)
			}
			if n := hot.RecordSize(&e); n < len(b) {
				t.Errorf("%+v: RecordSize is %d, the record has %d bytes", c, n, len(b))
			}
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	e := fullEvent()
	f.Add(hot.AppendRecord(nil, &e))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(hot.AppendRecord(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if e.Revenue != e.Revenue || (e.Call != nil && e.Call.LatencyMS != e.Call.LatencyMS) {
			return // NaN is not equal to itself
		}
		if d := cmp.Diff(e, again); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	e := fullEvent()
	buf := hot.AppendRecord(nil, &e)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = hot.AppendRecord(buf[:0], &e)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decode(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestRecordsKeepZeroApartFromUnknown(t *testing.T) {
	for _, n := range []weir.Number{{}, weir.Known(0), weir.Known(-2.5)} {
		want := weir.Event{Revenue: n, Call: &weir.Call{LatencyMS: n}, Time: time.UnixMicro(1).UTC(), ReceivedAt: time.UnixMicro(2).UTC()}
		got, err := decode(hot.AppendRecord(nil, &want))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%v: %s", n, d)
		}
	}
}

func TestLatencyZeroInARecordOfAnEarlierVersionIsUnknown(t *testing.T) {
	// No flag of a known 0, and a latency of 0: as earlier versions wrote an unknown one.
	const callFlag = 2
	b := hot.AppendRecord(nil, &weir.Event{Call: &weir.Call{}})
	if b[1] != callFlag {
		t.Fatalf("flags are %d, want %d", b[1], callFlag)
	}
	if e, err := decode(b); err != nil || e.Call.LatencyMS.Known || e.Revenue.Known {
		t.Errorf("%+v %v", e.Call, err)
	}
}
