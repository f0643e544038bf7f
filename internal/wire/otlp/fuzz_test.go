package otlp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/otlp"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// FuzzTraces checks what holds for any body: each span is a call or a
// rejection, calls are within the limits, and of protobuf what OpenTelemetry's
// own code reads is read here, span for span.
func FuzzTraces(f *testing.F) {
	for _, a := range goldenTraces(f) {
		f.Add(a.Files[0].Data, false)
		if json.Valid(a.Files[0].Data) && !strings.Contains(string(a.Files[0].Data), "What only JSON") {
			if b, ok := tryProtobuf(f, a.Files[0].Data); ok {
				f.Add(b, true)
			}
		}
	}
	f.Add(export(f, served(attribute("http.route", "/"), integer("http.response.status_code", 200))), true)
	l := wire.DefaultLimits()
	l.Events, l.Event, l.String = 20, 2000, 40
	f.Fuzz(func(t *testing.T, body []byte, binary bool) {
		defer wiretest.Bounded(t)()
		encoding := otlp.JSON
		if binary {
			encoding = otlp.Protobuf
		}
		in, rejected, err := otlp.Decode(body, encoding, []string{"user.id", "http.route"}, wiretest.Now, l)
		if err != nil {
			if code := weir.ErrorCode(err); len(in)+len(rejected) > 0 || code != weir.EINVALID && code != weir.ETOOLARGE {
				t.Fatalf("%d events, %d rejections with %v", len(in), len(rejected), err)
			}
		}
		checkSpans(t, in, rejected, l)
		if !binary {
			return
		}
		var want coltracepb.ExportTraceServiceRequest
		if proto.Unmarshal(body, &want) == nil {
			checkAgainst(t, &want, in, rejected, err, l)
		}
	})
}

// tryProtobuf is toProtobuf for requests that have a form in protobuf.
func tryProtobuf(f *testing.F, body []byte) ([]byte, bool) {
	if strings.Contains(string(body), `"unknown"`) {
		return nil, false
	}
	return toProtobuf(f, body), true
}

func checkSpans(t *testing.T, in []weir.Incoming, rejected []weir.Rejection, l wire.Limits) {
	var indexes []int
	for _, i := range in {
		indexes = append(indexes, i.Index)
		e := i.Event
		texts := []string{e.ID, e.Path, e.Library, e.Call.Method, e.Call.Route, e.Call.Consumer, i.Source.IP, i.Source.UserAgent}
		for _, s := range texts {
			if !utf8.ValidString(s) || strings.Contains(s, "\x00") || len(s) > 3*l.String+3 {
				t.Errorf("text %q", s)
			}
		}
		if c := e.Call; !utf8.ValidString(c.Error) || strings.Contains(c.Error, "\x00") || len(c.Error) > weir.MaxError || len(c.TraceID) != 32 {
			t.Errorf("error %q of trace %q", c.Error, c.TraceID)
		}
		if e.Properties != nil && !json.Valid(e.Properties) {
			t.Errorf("properties %s", e.Properties)
		}
		if s := e.Call.Status; s != 0 && (s < 100 || s > 599) || e.Call.LatencyMS.Value < 0 || e.Name != weir.NameCall {
			t.Errorf("%+v %+v", e, e.Call)
		}
		if e.Time.Before(l.Oldest) || e.Time.After(wiretest.Now.Add(l.Future)) {
			t.Errorf("time %v", e.Time)
		}
	}
	for _, r := range rejected {
		indexes = append(indexes, r.Index)
		if !slices.Contains(slices.Concat(wire.Reasons(), wire.SpanReasons()), r.Reason) {
			t.Errorf("reason %q is not listed", r.Reason)
		}
	}
	slices.Sort(indexes)
	for i, index := range indexes {
		if i != index {
			t.Fatalf("indexes %v", indexes)
		}
	}
}

// checkAgainst compares with what OpenTelemetry's own types hold.
func checkAgainst(t *testing.T, want *coltracepb.ExportTraceServiceRequest, in []weir.Incoming, rejected []weir.Rejection, err error, l wire.Limits) {
	var spans []*tracepb.Span
	for _, rs := range want.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			spans = append(spans, ss.GetSpans()...)
		}
	}
	if len(spans) > l.Events {
		if weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%d spans: %v", len(spans), err)
		}
		return
	}
	if err != nil || len(in)+len(rejected) != len(spans) {
		t.Fatalf("%d spans became %d events, %d rejections: %v", len(spans), len(in), len(rejected), err)
	}
	for _, i := range in {
		s := spans[i.Index]
		if s.GetKind() != tracepb.Span_SPAN_KIND_SERVER {
			t.Errorf("span of kind %v is taken", s.GetKind())
		}
		route := ""
		for _, a := range s.GetAttributes() {
			if a.GetKey() == "http.route" {
				route = a.GetValue().GetStringValue()
			}
		}
		if route != "" && i.Event.Call.Route != route && i.Event.Call.Route[0] != '/' {
			t.Errorf("route %q, want %q", i.Event.Call.Route, route)
		}
		if d := s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano(); s.GetStartTimeUnixNano() > 0 && s.GetEndTimeUnixNano() > s.GetStartTimeUnixNano() &&
			i.Event.Call.LatencyMS.Value != float64(d)/1e6 {
			t.Errorf("latency %v, want %d ns", i.Event.Call.LatencyMS, d)
		}
	}
	for _, r := range rejected {
		if k := spans[r.Index].GetKind(); (r.Reason == wire.ReasonNotServer) == (k == tracepb.Span_SPAN_KIND_SERVER) && r.Reason != wire.ReasonTooLarge {
			t.Errorf("kind %v is rejected as %s", k, r.Reason)
		}
	}
}
