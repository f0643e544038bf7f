package native_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
	"golang.org/x/tools/txtar"
)

// Each file of testdata is a request's body and what is made of it.
func TestNativeGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Files) == 1 && *wiretest.Update {
				a.Files = append(a.Files, txtar.File{Name: "want"})
			}
			if len(a.Files) != 2 || a.Files[0].Name != "body" || a.Files[1].Name != "want" {
				t.Fatal("want the files body and want")
			}
			got := wiretest.Render(native.Decode(a.Files[0].Data, wiretest.Now, wire.DefaultLimits()))
			if *wiretest.Update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// one decodes a body of one item.
func one(t *testing.T, body string) (weir.Incoming, string) {
	t.Helper()
	in, rejected, err := native.Decode([]byte(body), wiretest.Now, wire.DefaultLimits())
	switch {
	case err != nil:
		t.Fatalf("%.200s: %v", body, err)
	case len(in) == 1 && len(rejected) == 0:
		return in[0], ""
	case len(in) == 0 && len(rejected) == 1:
		return weir.Incoming{}, rejected[0].Reason
	}
	t.Fatalf("%.200s: %d events, %d rejections", body, len(in), len(rejected))
	return weir.Incoming{}, ""
}

func TestRejectionNamesItsReason(t *testing.T) {
	long := func(n int) string { return `"` + strings.Repeat("x", n) + `"` }
	nested := func(n int) string {
		return `{"name":"a","properties":` + strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) + "}"
	}
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":0`, i)
		}
		return `{"name":"a","properties":{` + b.String()[1:] + "}}"
	}
	cases := []struct{ body, reason string }{
		{`[1]`, wire.ReasonNotObject},
		{`[null]`, wire.ReasonNotObject},
		{`[[{"name":"a"}]]`, wire.ReasonNotObject},

		{`{"name":"a","x":` + long(1<<20) + `}`, wire.ReasonTooLarge},
		{`{"x":` + long(1<<20) + `}`, wire.ReasonTooLarge},
		{`{"name":"a","properties":{"x":` + long(1<<20) + `}}`, wire.ReasonTooLarge},
		{`{"name":"a","properties":{"x":[` + strings.Repeat(`"xxxxxxxx",`, 1<<17) + `1]}}`, wire.ReasonTooLarge},
		{`{"name":"a","x":` + long(1<<20-20) + `}`, ""},

		{`{}`, wire.ReasonNameMissing},
		{`{"name":""}`, wire.ReasonNameMissing},
		{`{"name":null}`, wire.ReasonNameMissing},
		{`{"Name":"a"}`, wire.ReasonNameMissing},
		{`{"name":` + long(255) + `}`, ""},
		{`{"name":` + long(256) + `}`, wire.ReasonNameTooLong},

		{`{"name":"a","id":` + long(255) + `}`, ""},
		{`{"name":"a","id":` + long(256) + `}`, wire.ReasonIDTooLong},
		{`{"name":"a","profile_id":` + long(256) + `}`, wire.ReasonIDTooLong},
		{`{"name":"a","device_id":` + strings.Repeat("1", 256) + `}`, wire.ReasonIDTooLong},
		{`{"name":"a","session_id":` + long(256) + `}`, wire.ReasonIDTooLong},

		{`{"name":"a","url":` + long(8192) + `,"referrer":` + long(8192) + `}`, ""},
		{`{"name":"a","url":` + long(8193) + `}`, wire.ReasonStringTooLong},
		{`{"name":"a","referrer":` + long(8193) + `}`, wire.ReasonStringTooLong},
		{`{"name":"a","title":` + long(2048) + `}`, ""},
		{`{"name":"a","title":` + long(2049) + `}`, wire.ReasonStringTooLong},
		{`{"name":"a","user_agent":` + long(2049) + `}`, wire.ReasonStringTooLong},
		{`{"call":{"route":` + long(2049) + `}}`, wire.ReasonStringTooLong},
		{`{"name":"a","properties":{"x":` + long(10_000) + `}}`, ""},

		{`{"name":1}`, wire.ReasonWrongType},
		{`{"name":"a","id":true}`, wire.ReasonWrongType},
		{`{"name":"a","id":{}}`, wire.ReasonWrongType},
		{`{"name":"a","ts":[]}`, wire.ReasonWrongType},
		{`{"name":"a","url":5}`, wire.ReasonWrongType},
		{`{"name":"a","revenue":"5"}`, wire.ReasonWrongType},
		{`{"name":"a","currency":5}`, wire.ReasonWrongType},
		{`{"name":"a","properties":[]}`, wire.ReasonWrongType},
		{`{"name":"a","properties":"{}"}`, wire.ReasonWrongType},
		{`{"call":[]}`, wire.ReasonWrongType},
		{`{"call":{"status":"200"}}`, wire.ReasonWrongType},
		{`{"call":{"method":false}}`, wire.ReasonWrongType},

		{`{"name":"a","name":"a"}`, wire.ReasonDuplicateKey},
		{`{"name":"a","n\u0061me":"b"}`, wire.ReasonDuplicateKey},
		{`{"call":{"status":1e2,"status":200}}`, wire.ReasonDuplicateKey},
		{`{"name":"a","properties":{"x":1,"x":1}}`, wire.ReasonDuplicateKey},
		{`{"name":"a","properties":{"x":1,"\u0078":1}}`, wire.ReasonDuplicateKey},
		{`{"name":"a","properties":{"y":[{"/":1,"\/":2}]}}`, wire.ReasonDuplicateKey},
		{strings.Replace(many(100), `"k99"`, `"k7"`, 1), wire.ReasonDuplicateKey},
		{`{"name":"a","properties":{"x":{"x":1},"X":2}}`, ""},
		{`{"name":"a","x":1,"x":{"y":1,"y":2}}`, ""},

		{"{\"name\":\"a\xff\"}", wire.ReasonInvalidUTF8},
		{"{\"name\":\"a\",\"id\":\"\xed\xa0\x80\"}", wire.ReasonInvalidUTF8},
		{"{\"name\":\"a\",\"properties\":{\"x\":\"\xc0\x80\"}}", wire.ReasonInvalidUTF8},
		{"{\"name\":\"a\",\"properties\":{\"\xff\":1}}", wire.ReasonInvalidUTF8},
		{"{\"name\":\"a\",\"properties\":{\"x\":[\"\\n\xff\"]}}", wire.ReasonInvalidUTF8},
		{"{\"name\":\"a\",\"\xff\":\"\xff\"}", ""},

		{`{"name":"a\u0000"}`, wire.ReasonNUL},
		{`{"name":"a","id":"\u0000"}`, wire.ReasonNUL},
		{`{"name":"a","properties":{"x":"\u0000"}}`, wire.ReasonNUL},
		{`{"name":"a","properties":{"\u0000":1}}`, wire.ReasonNUL},
		{`{"name":"a","x":"\u0000"}`, ""},
		{`{"name":"a","properties":{"x":"\\u0000"}}`, ""},

		{`{"name":"a","revenue":1e999}`, wire.ReasonNumber},
		{`{"name":"a","revenue":` + strings.Repeat("9", 400) + `}`, wire.ReasonNumber},
		{`{"call":{"latency_ms":-1}}`, wire.ReasonNumber},
		{`{"name":"a","properties":{"x":1e999}}`, wire.ReasonNumber},
		{`{"name":"a","properties":{"x":-1e309}}`, wire.ReasonNumber},
		{`{"name":"a","properties":{"x":[` + strings.Repeat("9", 400) + `]}}`, wire.ReasonNumber},
		{`{"name":"a","properties":{"x":0.1e400}}`, wire.ReasonNumber},
		{`{"name":"a","properties":{"x":1e-999}}`, ""},
		{`{"name":"a","properties":{"x":` + strings.Repeat("9", 308) + `}}`, ""},
		{`{"name":"a","x":1e999}`, ""},

		{`{"name":"a","ts":""}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":"2026-03-01"}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":"2026-02-29T00:00:00Z"}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":"2026-03-01T00:00:00"}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":"1772366400"}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":1e30}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":` + strings.Repeat("1", 30) + `}`, wire.ReasonTimeInvalid},
		{`{"name":"a","ts":"2026-03-02T12:00:00.123456Z"}`, ""},
		{`{"name":"a","ts":"2026-03-02T12:00:00.123457Z"}`, wire.ReasonTimeFuture},
		{`{"name":"a","ts":9e9}`, wire.ReasonTimeFuture},
		{`{"name":"a","ts":"2000-01-01T00:00:00Z"}`, ""},
		{`{"name":"a","ts":"2000-01-01T00:00:00+00:01"}`, wire.ReasonTimeAncient},
		{`{"name":"a","ts":0}`, wire.ReasonTimeAncient},
		{`{"name":"a","ts":-1772366400}`, wire.ReasonTimeAncient},

		{`{"name":"a","currency":"EURO"}`, wire.ReasonCurrency},
		{`{"name":"a","currency":"€"}`, wire.ReasonCurrency},
		{`{"name":"a","currency":"E1R"}`, wire.ReasonCurrency},
		{`{"name":"a","currency":""}`, ""},

		{`{"name":"a","country":"DEU"}`, wire.ReasonWrongType},
		{`{"name":"a","country":"d1"}`, wire.ReasonWrongType},
		{`{"name":"a","country":"ß"}`, wire.ReasonWrongType},
		{`{"name":"a","country":"de"}`, ""},
		{`{"name":"a","country":""}`, ""},
		{`{"name":"a","device_type":"watch"}`, wire.ReasonWrongType},
		{`{"name":"a","device_type":"tv"}`, ""},
		{`{"name":"a","device_type":null}`, ""},
		{`{"name":"a","bot":1}`, wire.ReasonWrongType},
		{`{"name":"a","bot":"true"}`, wire.ReasonWrongType},
		{`{"name":"a","bot":true}`, ""},
		{`{"name":"a","bot":false}`, ""},
		{`{"name":"a","bot":null}`, ""},
		{`{"name":"a","os":"x","os":"y"}`, wire.ReasonDuplicateKey},
		{`{"name":"a","utm_source":"` + strings.Repeat("x", 2049) + `"}`, wire.ReasonStringTooLong},

		{`{"call":{"status":99}}`, wire.ReasonStatus},
		{`{"call":{"status":600}}`, wire.ReasonStatus},
		{`{"call":{"status":-200}}`, wire.ReasonStatus},
		{`{"call":{"status":200.5}}`, wire.ReasonStatus},
		{`{"call":{"status":1e999}}`, wire.ReasonStatus},
		{`{"call":{"status":0}}`, ""},
		{`{"call":{"status":2e2}}`, ""},

		{`{"name":"a","call":{}}`, wire.ReasonCallElsewhere},
		{`{"name":"a","call":null}`, ""},
		{`{"name":"api_call"}`, ""},
		{`{"name":"","call":{}}`, ""},

		{many(1000), ""},
		{many(1001), wire.ReasonTooMany},
		{`{"name":"a","properties":{"x":` + many(1001) + `}}`, ""},

		{nested(20), ""},
		{nested(21), wire.ReasonTooDeep},
		{nested(9_000), wire.ReasonTooDeep},
	}
	covered := map[string]bool{wire.ReasonMalformed: true} // by TestLinesMayEndInCRLFAndBeBlankOrBroken
	for _, c := range cases {
		if _, got := one(t, c.body); got != c.reason {
			t.Errorf("%.120s: reason %q, want %q", c.body, got, c.reason)
		}
		covered[c.reason] = true
	}
	for _, r := range wire.Reasons() {
		if !covered[r] {
			t.Errorf("no case for %s", r)
		}
	}
}

func TestDefectCostsOneItem(t *testing.T) {
	body := `[{"name":"a"},{"name":"b","properties":{"x":[1e999,{"y":2,"y":3}]},"id":{"z":[]}},{"name":"c"}]`
	in, rejected, err := native.Decode([]byte(body), wiretest.Now, wire.DefaultLimits())
	if err != nil || len(in) != 2 || len(rejected) != 1 {
		t.Fatal(in, rejected, err)
	}
	if in[0].Event.Name != "a" || in[0].Index != 0 || in[1].Event.Name != "c" || in[1].Index != 2 {
		t.Errorf("events %+v", in)
	}
	want := weir.Rejection{Index: 1, Reason: wire.ReasonNumber, Detail: "properties"}
	if diff := cmp.Diff(want, rejected[0]); diff != "" {
		t.Error(diff)
	}
}

func TestEventsOutliveTheBody(t *testing.T) {
	body := []byte(`{"name":"a","id":"i","properties":{"x":"y"},"url":"https://h/"}`)
	in, _, err := native.Decode(body, wiretest.Now, wire.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	copy(body, bytes.Repeat([]byte("#"), len(body)))
	if _, _, err := native.Decode([]byte(`{"name":"bbbbb","properties":{"z":"zzzz"}}`), wiretest.Now, wire.DefaultLimits()); err != nil {
		t.Fatal(err)
	}
	e := in[0].Event
	if e.Name != "a" || e.ID != "i" || string(e.Properties) != `{"x":"y"}` || in[0].Source.URL != "https://h/" {
		t.Errorf("%+v", in[0])
	}
}
