package httpd_test

import (
	"errors"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

const protobuf = "application/x-protobuf"

func TestSpansAreTakenWithTheKeyInEitherHeader(t *testing.T) {
	f := start(t)
	for _, header := range [][2]string{{"Authorization", "Bearer " + f.key}, {"X-Weir-Key", f.key}} {
		a := f.do("POST", "/v1/traces", coded(t, "gzip", "spans"), "Content-Type", protobuf, header[0], header[1], "Content-Encoding", "gzip")
		wantStatus(t, a, 200)
		if a.body != "" || a.header.Get("Content-Type") != protobuf {
			t.Errorf("answer %q as %s", a.body, a.header.Get("Content-Type"))
		}
		if f.project.ID != f.shop.ID || f.bodies[len(f.bodies)-1] != "spans" {
			t.Errorf("project %q, bodies %q", f.project.ID, f.bodies)
		}
	}
	a := f.do("POST", "/v1/traces", "{}", "Content-Type", "application/json; charset=utf-8", "X-Weir-Key", f.key)
	wantStatus(t, a, 200)
	if a.body != "{}" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("answer %q as %s", a.body, a.header.Get("Content-Type"))
	}
}

func TestSpansNotTakenAreAPartialSuccess(t *testing.T) {
	f := start(t)
	f.ingest = ingest.Reply{Accepted: 1, Rejected: []weir.Rejection{{Index: 1, Reason: wire.ReasonNotServer}, {Index: 2, Reason: wire.ReasonNotServer}, {Index: 3, Reason: wire.ReasonSpanID}}}
	a := f.do("POST", "/v1/traces", "{}", "Content-Type", "application/json", "X-Weir-Key", f.key)
	wantStatus(t, a, 200)
	if want := `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"spans not taken: 1 span_id_invalid"}}`; a.body != want {
		t.Errorf("answer %s, want %s", a.body, want)
	}
	f.ingest.Rejected = f.ingest.Rejected[:2] // of no call
	if a := f.do("POST", "/v1/traces", "{}", "Content-Type", "application/json", "X-Weir-Key", f.key); a.status != 200 || a.body != "{}" {
		t.Errorf("a batch with spans that are no calls: %d %s", a.status, a.body)
	}
}

func TestMetricsAndLogsOfOpenTelemetryAreTakenAndDropped(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/v1/metrics", "/v1/logs"} {
		for contentType, want := range map[string]string{"application/json": "{}", "application/x-protobuf": ""} {
			a := f.do("POST", path, `{"resourceMetrics":[{}]}`, "Content-Type", contentType, "X-Weir-Key", f.key)
			if a.status != 200 || a.body != want || a.header.Get("Content-Type") != contentType {
				t.Errorf("%s as %s: %d %q", path, contentType, a.status, a.body)
			}
		}
		a := f.do("POST", path, `{}`, "Content-Type", "application/json")
		if a.status != 401 {
			t.Errorf("%s without a key: %d", path, a.status)
		}
	}
}

func TestTraceErrorsAreAStatusInTheRequestsEncoding(t *testing.T) {
	f := start(t)
	for code, want := range map[string]struct {
		status     int
		rpc        int32
		retryAfter string
	}{
		weir.EINVALID:     {400, 3, ""},
		weir.ETOOLARGE:    {413, 3, ""},
		weir.ERATELIMITED: {429, 8, "1"},
		weir.EUNAVAILABLE: {503, 14, "5"},
		weir.EINTERNAL:    {500, 13, ""},
		weir.EFORBIDDEN:   {403, 7, ""},
		weir.ENOTFOUND:    {404, 5, ""},
		weir.ECONFLICT:    {409, 10, ""},
	} {
		f.err = weir.Wrap(errors.New("secret inside"), code, "told")
		a := f.do("POST", "/v1/traces", "", "Content-Type", protobuf, "X-Weir-Key", f.key)
		wantRPC(t, a, want.status, want.rpc, "told")
		if a.header.Get("Retry-After") != want.retryAfter {
			t.Errorf("%s: Retry-After = %q, want %q", code, a.header.Get("Retry-After"), want.retryAfter)
		}
		a = f.do("POST", "/v1/traces", "{}", "Content-Type", "application/json", "X-Weir-Key", f.key)
		wantStatus(t, a, want.status)
		if got := decode[struct {
			Code    int32
			Message string
		}](t, a); got.Code != want.rpc || got.Message != "told" {
			t.Errorf("%s: %s", code, a.body)
		}
	}
	f.err = nil
	wantRPC(t, f.do("POST", "/v1/traces", "", "Content-Type", protobuf), 401, 16, "send the project's write key as Authorization: Bearer")
	f.panics = "boom"
	wantRPC(t, f.do("POST", "/v1/traces", "", "Content-Type", protobuf, "X-Weir-Key", f.key), 500, 13, "internal error")
}

func wantRPC(t *testing.T, a answer, httpStatus int, code int32, message string) {
	t.Helper()
	wantStatus(t, a, httpStatus)
	var got status.Status
	if err := proto.Unmarshal([]byte(a.body), &got); err != nil || a.header.Get("Content-Type") != protobuf {
		t.Fatalf("%q as %s: %v", a.body, a.header.Get("Content-Type"), err)
	}
	if got.GetCode() != code || got.GetMessage() != message {
		t.Errorf("status is %d %q, want %d %q", got.GetCode(), got.GetMessage(), code, message)
	}
}

func TestSpansOfAnotherTypeAreNotSupported(t *testing.T) {
	f := start(t)
	for _, media := range []string{"", "text/plain", "application/grpc"} {
		a := f.do("POST", "/v1/traces", "x", "Content-Type", media, "X-Weir-Key", f.key)
		wantStatus(t, a, 415)
		if got := decode[struct{ Code int }](t, a); got.Code != 3 {
			t.Errorf("%q: %s", media, a.body)
		}
	}
	if len(f.bodies) != 0 {
		t.Errorf("read: %q", f.bodies)
	}
}

func TestPagesOfAnySiteMaySendSpans(t *testing.T) {
	f := start(t)
	a := f.do("OPTIONS", "/v1/traces", "", "Origin", "https://blog.example", "Access-Control-Request-Headers", "x-weir-key, content-type")
	wantStatus(t, a, 204)
	if got := a.header.Get("Access-Control-Allow-Headers"); got != "x-weir-key, content-type" {
		t.Errorf("allowed headers %q", got)
	}
	a = f.do("POST", "/v1/traces", "{}", "Content-Type", "application/json", "X-Weir-Key", f.key, "Origin", "https://blog.example")
	wantStatus(t, a, 200)
	if got := a.header.Get("Access-Control-Allow-Origin"); got != "https://blog.example" {
		t.Errorf("allowed origin %q", got)
	}
}
