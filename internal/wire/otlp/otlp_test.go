package otlp_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/otlp"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/tools/txtar"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// goldenTraces are the requests of testdata, by name: JSON as SDKs write it.
func goldenTraces(t testing.TB) map[string]*txtar.Archive {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	out := map[string]*txtar.Archive{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = a
	}
	return out
}

// Each file of testdata is a request, what is made of it and the answer.
// The same request as protobuf, written by OpenTelemetry's own code, is read
// the same.
func TestTracesGolden(t *testing.T) {
	for file, a := range goldenTraces(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			body := a.Files[0].Data
			if *wiretest.Update {
				a.Files = append(a.Files[:1], txtar.File{Name: "want"}, txtar.File{Name: "reply"})
			}
			if len(a.Files) != 3 || a.Files[0].Name != "body" || a.Files[1].Name != "want" || a.Files[2].Name != "reply" {
				t.Fatal("want the files body, want and reply")
			}
			in, rejected, err := otlp.Decode(body, otlp.JSON, otlp.DefaultConsumers(), wiretest.Now, wire.DefaultLimits())
			got := wiretest.Render(in, rejected, err)
			reply := "none\n"
			if err == nil {
				reply = string(otlp.AppendReply(nil, otlp.JSON, rejected)) + "\n"
			}
			if *wiretest.Update {
				a.Files[1].Data, a.Files[2].Data = []byte(got), []byte(reply)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(string(a.Files[2].Data), reply); diff != "" {
				t.Error(diff)
			}
			if strings.HasPrefix(filepath.Base(file), "json") {
				return // what only JSON can say
			}
			again, rejectedAgain, err := otlp.Decode(toProtobuf(t, body), otlp.Protobuf, otlp.DefaultConsumers(), wiretest.Now, wire.DefaultLimits())
			if diff := cmp.Diff(got, wiretest.Render(again, rejectedAgain, err)); diff != "" {
				t.Errorf("as protobuf (-json +protobuf):\n%s", diff)
			}
		})
	}
}

// toProtobuf rewrites a request with OpenTelemetry's own types. Their JSON has
// ids in base64.
func toProtobuf(t testing.TB, body []byte) []byte {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch x := v.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			for k, e := range x {
				s, ok := e.(string)
				if b, err := hex.DecodeString(s); ok && err == nil && (k == "traceId" || k == "spanId" || k == "parentSpanId") {
					x[k] = b
				}
				walk(e)
			}
		}
	}
	walk(tree)
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var req coltracepb.ExportTraceServiceRequest
	if err := protojson.Unmarshal(text, &req); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(&req)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// export makes a request of spans of one resource.
func export(t testing.TB, spans ...*tracepb.Span) []byte {
	t.Helper()
	b, err := proto.Marshal(&coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.name", "shop")}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func attribute(key, s string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}}
}

func integer(key string, n int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}}
}

// served is a server span of 12.5 ms that ended at now.
func served(attributes ...*commonpb.KeyValue) *tracepb.Span {
	end := uint64(wiretest.Now.UnixNano())
	return &tracepb.Span{
		TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), Name: "GET /orders/{id}",
		Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: end - 12_500_000, EndTimeUnixNano: end,
		Attributes: attributes,
	}
}

// oneSpan decodes a request of one span.
func oneSpan(t *testing.T, s *tracepb.Span) (weir.Incoming, weir.Rejection) {
	t.Helper()
	in, rejected, err := otlp.Decode(export(t, s), otlp.Protobuf, otlp.DefaultConsumers(), wiretest.Now, wire.DefaultLimits())
	switch {
	case err != nil:
		t.Fatal(err)
	case len(in) == 1 && len(rejected) == 0:
		return in[0], weir.Rejection{}
	case len(in) == 0 && len(rejected) == 1:
		return weir.Incoming{}, rejected[0]
	}
	t.Fatalf("%d events, %d rejections", len(in), len(rejected))
	return weir.Incoming{}, weir.Rejection{}
}

func TestSpanRejectionNamesItsReason(t *testing.T) {
	change := func(f func(*tracepb.Span)) *tracepb.Span {
		s := served()
		f(s)
		return s
	}
	at := func(ts time.Time) *tracepb.Span {
		return change(func(s *tracepb.Span) { s.StartTimeUnixNano, s.EndTimeUnixNano = 0, uint64(ts.UnixNano()) })
	}
	long := strings.Repeat("x", 2049)
	for name, c := range map[string]struct {
		span   *tracepb.Span
		reason string
	}{
		"internal":              {change(func(s *tracepb.Span) { s.Kind = tracepb.Span_SPAN_KIND_INTERNAL }), wire.ReasonNotServer},
		"client":                {change(func(s *tracepb.Span) { s.Kind = tracepb.Span_SPAN_KIND_CLIENT }), wire.ReasonNotServer},
		"no kind":               {change(func(s *tracepb.Span) { s.Kind = 0 }), wire.ReasonNotServer},
		"unknown kind":          {change(func(s *tracepb.Span) { s.Kind = 9 }), wire.ReasonNotServer},
		"no trace id":           {change(func(s *tracepb.Span) { s.TraceId = nil }), wire.ReasonSpanID},
		"zero trace id":         {change(func(s *tracepb.Span) { s.TraceId = make([]byte, 16) }), wire.ReasonSpanID},
		"short span id":         {change(func(s *tracepb.Span) { s.SpanId = []byte("1") }), wire.ReasonSpanID},
		"zero span id":          {change(func(s *tracepb.Span) { s.SpanId = make([]byte, 8) }), wire.ReasonSpanID},
		"long route":            {served(attribute("http.route", long)), wire.ReasonStringTooLong},
		"long name":             {change(func(s *tracepb.Span) { s.Name = long }), wire.ReasonStringTooLong},
		"long consumer":         {served(attribute("enduser.id", long)), wire.ReasonStringTooLong},
		"NUL in a route":        {served(attribute("http.route", "/\x00")), wire.ReasonNUL},
		"NUL in a property":     {served(attribute("error.type", "\x00")), wire.ReasonNUL},
		"status 99":             {served(integer("http.response.status_code", 99)), wire.ReasonStatus},
		"status 600":            {served(integer("http.status_code", 600)), wire.ReasonStatus},
		"gRPC status 17":        {served(attribute("rpc.system", "grpc"), integer("rpc.grpc.status_code", 17)), wire.ReasonStatus},
		"status 0":              {served(integer("http.response.status_code", 0)), ""},
		"far ahead":             {at(wiretest.Now.Add(25 * time.Hour)), wire.ReasonTimeFuture},
		"a day ahead":           {at(wiretest.Now.Add(24 * time.Hour)), ""},
		"before 2000":           {at(time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)), wire.ReasonTimeAncient},
		"over 1 MiB":            {served(attribute("unused", strings.Repeat("x", 1<<20))), wire.ReasonTooLarge},
		"much that is not used": {served(attribute("unused", strings.Repeat("x", 1<<19))), ""},
	} {
		if _, r := oneSpan(t, c.span); r.Reason != c.reason {
			t.Errorf("%s: reason %q (%s), want %q", name, r.Reason, r.Detail, c.reason)
		}
	}
	broken := strings.Replace(string(export(t, served(attribute("http.route", "/carts")))), "/carts", "/cart\xff", 1)
	_, rejected, err := otlp.Decode([]byte(broken), otlp.Protobuf, nil, wiretest.Now, wire.DefaultLimits())
	if err != nil || len(rejected) != 1 || rejected[0].Reason != wire.ReasonInvalidUTF8 {
		t.Errorf("invalid UTF-8: %v, %v", rejected, err)
	}
}

func TestSpanWithoutConsumerAndTimesIsACallOfNow(t *testing.T) {
	s := served()
	s.StartTimeUnixNano, s.EndTimeUnixNano = 0, 0
	in, _ := oneSpan(t, s)
	if !in.Event.Time.Equal(wiretest.Now.Truncate(time.Microsecond)) || in.Event.Call.LatencyMS.Value != 0 || in.Event.Call.Consumer != "" {
		t.Errorf("%+v %+v", in.Event, in.Event.Call)
	}
}

func TestAClockSetBackGivesNoNegativeLatency(t *testing.T) {
	s := served()
	s.StartTimeUnixNano = s.EndTimeUnixNano + 5
	if in, _ := oneSpan(t, s); in.Event.Call.LatencyMS.Value != 0 {
		t.Errorf("latency %v", in.Event.Call.LatencyMS)
	}
}

func TestTheFirstConsumerAttributeThatIsThereCounts(t *testing.T) {
	body := export(t,
		served(attribute("user.id", "u"), attribute("client", "")),
		served(attribute("tenant", "t"), attribute("client", "c")),
		served(integer("tenant", 17)),
		served(&commonpb.KeyValue{Key: "tenant", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{
			Values: []*commonpb.AnyValue{{Value: &commonpb.AnyValue_StringValue{StringValue: "first"}}, {Value: &commonpb.AnyValue_StringValue{StringValue: "second"}}},
		}}}}),
		served(),
	)
	in, _, err := otlp.Decode(body, otlp.Protobuf, []string{"client", "tenant", "service.name"}, wiretest.Now, wire.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range in {
		got = append(got, i.Event.Call.Consumer)
	}
	if diff := cmp.Diff([]string{"shop", "c", "17", "first", "shop"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongPropertiesAreCutBetweenCharacters(t *testing.T) {
	in, r := oneSpan(t, served(attribute("error.type", strings.Repeat("é", 200)), attribute("server.address", `a"b`)))
	want := fmt.Sprintf(`{"service":"shop","host":"a\"b","error_type":"%s"}`, strings.Repeat("é", 127))
	if string(in.Event.Properties) != want || r.Reason != "" {
		t.Errorf("%s %v, want %s", in.Event.Properties, r, want)
	}
}

// One request must not make the server copy a resource's attribute for each span.
func TestALongAttributeOfTheResourceIsNotCopiedForEachSpan(t *testing.T) {
	const size, spans = 1 << 20, 300
	req := &coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   &resourcepb.Resource{Attributes: []*commonpb.KeyValue{attribute("service.version", strings.Repeat("1", size))}},
		ScopeSpans: []*tracepb.ScopeSpans{{}},
	}}}
	for range spans {
		req.ResourceSpans[0].ScopeSpans[0].Spans = append(req.ResourceSpans[0].ScopeSpans[0].Spans, served())
	}
	body, err := proto.Marshal(req)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, _, err := otlp.Decode(body, otlp.Protobuf, nil, wiretest.Now, wire.DefaultLimits())
	runtime.ReadMemStats(&after)
	if err != nil || len(in) != spans {
		t.Fatalf("%d calls: %v", len(in), err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes were allocated for a request of %d", n, len(body))
	}
}

func TestTooManySpansAreTooLarge(t *testing.T) {
	l := wire.DefaultLimits()
	l.Events = 2
	client := &tracepb.Span{Kind: tracepb.Span_SPAN_KIND_CLIENT}
	for encoding, body := range map[otlp.Encoding][]byte{
		otlp.Protobuf: export(t, served(), client, served()),
		otlp.JSON:     []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{},{},{}]}]}]}`),
	} {
		in, rejected, err := otlp.Decode(body, encoding, nil, wiretest.Now, l)
		if weir.ErrorCode(err) != weir.ETOOLARGE || in != nil || rejected != nil {
			t.Errorf("%v: %v, %v, %v", encoding, in, rejected, err)
		}
	}
}

func TestABrokenRequestIsRefusedWhole(t *testing.T) {
	whole := export(t, served(attribute("http.route", "/")))
	for name, c := range map[string]struct {
		encoding otlp.Encoding
		body     string
	}{
		"cut short":        {otlp.Protobuf, string(whole[:len(whole)-1])},
		"JSON as protobuf": {otlp.Protobuf, `{"resourceSpans":[]}`},
		"protobuf as JSON": {otlp.JSON, string(whole)},
		"empty JSON":       {otlp.JSON, ""},
		"an array":         {otlp.JSON, "[]"},
		"wrong type":       {otlp.JSON, `{"resourceSpans":{}}`},
		"cut JSON":         {otlp.JSON, `{"resourceSpans":[`},
		"not UTF-8":        {otlp.JSON, "{\"\xff\":1}"},
	} {
		in, rejected, err := otlp.Decode([]byte(c.body), c.encoding, nil, wiretest.Now, wire.DefaultLimits())
		if weir.ErrorCode(err) != weir.EINVALID || in != nil || rejected != nil {
			t.Errorf("%s: %v, %v, %v", name, in, rejected, err)
		}
	}
}

func TestAnEmptyRequestIsFine(t *testing.T) {
	for encoding, body := range map[otlp.Encoding]string{otlp.Protobuf: "", otlp.JSON: "{}"} {
		if in, rejected, err := otlp.Decode([]byte(body), encoding, nil, wiretest.Now, wire.DefaultLimits()); err != nil || in != nil || rejected != nil {
			t.Errorf("%v: %v, %v, %v", encoding, in, rejected, err)
		}
	}
}

func TestCallsOutliveTheBody(t *testing.T) {
	body := export(t, served(attribute("http.route", "/orders"), attribute("enduser.id", "acme"), attribute("error.type", "x")))
	in, _, err := otlp.Decode(body, otlp.Protobuf, otlp.DefaultConsumers(), wiretest.Now, wire.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	e := in[0].Event
	if e.Call.Route != "/orders" || e.Call.Consumer != "acme" || string(e.Properties) != `{"service":"shop","error_type":"x"}` {
		t.Errorf("%+v %+v %s", e, e.Call, e.Properties)
	}
}

func TestTheReplyIsAnExportTraceServiceResponse(t *testing.T) {
	if b := otlp.AppendReply(nil, otlp.Protobuf, nil); len(b) != 0 {
		t.Errorf("full success is %q", b)
	}
	filtered := []weir.Rejection{{Reason: wire.ReasonNotServer}, {Reason: wire.ReasonAddress}, {Reason: wire.ReasonBot}}
	if b := otlp.AppendReply(nil, otlp.Protobuf, filtered); len(b) != 0 {
		t.Errorf("the answer to spans that the project filters is %q: senders would log it", b)
	}
	rejected := append(filtered, []weir.Rejection{{Reason: "b"}, {Reason: "a", Detail: "d\xc3\xa9"}, {Reason: "a"}}...)
	var reply coltracepb.ExportTraceServiceResponse
	if err := proto.Unmarshal(otlp.AppendReply(nil, otlp.Protobuf, rejected), &reply); err != nil {
		t.Fatal(err)
	}
	if p := reply.GetPartialSuccess(); p.GetRejectedSpans() != 3 || p.GetErrorMessage() != "spans not taken: 1 b, 2 a (dé)" {
		t.Errorf("%+v", p)
	}
	var again coltracepb.ExportTraceServiceResponse
	if err := protojson.Unmarshal(otlp.AppendReply(nil, otlp.JSON, rejected), &again); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&reply, &again) {
		t.Errorf("protobuf %v, JSON %v", &reply, &again)
	}
	var s, j status.Status
	if err := proto.Unmarshal(otlp.AppendStatus(nil, otlp.Protobuf, weir.EUNAVAILABLE, "later"), &s); err != nil {
		t.Fatal(err)
	}
	if err := protojson.Unmarshal(otlp.AppendStatus(nil, otlp.JSON, weir.EUNAVAILABLE, "later"), &j); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&s, &j) || s.GetCode() != 14 || s.GetMessage() != "later" {
		t.Errorf("%v, %v", &s, &j)
	}
}

func TestMetricsAndLogsHaveNoEvents(t *testing.T) {
	for _, r := range (otlp.Protocol{}).Routes() {
		if strings.Contains(r.Path, "trace") {
			continue
		}
		d, err := otlp.Protocol{}.Decode(&wire.Request{Route: r, Path: r.Path, Body: []byte("not even OTLP")})
		if err != nil || len(d.Parts) != 1 || len(d.Parts[0].Events)+len(d.Parts[0].Rejected) > 0 {
			t.Errorf("%s: %+v, %v", r.Path, d, err)
		}
	}
}

func TestBeginningOfLongErrorIsKept(t *testing.T) {
	s := served(attribute("http.route", "/"))
	s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: strings.Repeat("ü", 100_000)}
	in, rejected, err := otlp.Decode(export(t, s), otlp.Protobuf, nil, wiretest.Now, wire.DefaultLimits())
	if err != nil || len(rejected) > 0 || len(in) != 1 {
		t.Fatalf("%d events, %v, %v", len(in), rejected, err)
	}
	if got := in[0].Event.Call.Error; got != strings.Repeat("ü", weir.MaxError/2) {
		t.Errorf("%d bytes: %.20q", len(got), got)
	}
}
