package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// exported is what tools/otlp/export.js prints.
type exported struct {
	IDs        [][2]string // trace and span of each span
	Batches    int         // exported, each of them twice
	Failures   []string    // exports that did not succeed
	Complaints []string    // errors and warnings of the SDK
	Partial    []string    // the same of a batch with a span that is no call
}

// exports runs a service whose n spans OpenTelemetry's own SDK exports, set by the
// variables that docs/otlp.md names.
func exports(t *testing.T, protocol string, n int, env ...string) (got exported) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "../tools/otlp/export.js", protocol, fmt.Sprint(n))
	cmd.Env = append(os.Environ(), env...)
	var log lockedBuffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the service: %v\n%s", err, &log)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("the service: %v: %s", err, out)
	}
	return got
}

// wantedSpan is span i of export.js, as a call.
func wantedSpan(i int) (method, route string, status int, latency float64) {
	latency = 1.5 + 0.25*float64(i) // ms
	method, route, status = "GET", "/users/:id", 200
	if i%7 == 3 {
		method, route, status = "POST", "/orders/:id", 201
	}
	if i%11 == 5 {
		status = 503
	}
	return method, route, status, latency
}

func TestOpenTelemetrysSDKExportsEachServerSpanOnce(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("node")
	needed(t, "no node", err)
	_, err = os.Stat("../tools/otlp/node_modules/.package-lock.json")
	needed(t, "no OpenTelemetry; run scripts/install-test-deps.sh", err)
	const n = 300
	s := start(t, binary(t, ""), "--listen", freeAddr(t), "--data", t.TempDir())
	exported := 0
	for _, c := range []struct{ protocol, compression, header string }{
		{"json", "none", "X-Weir-Key="},
		{"json", "gzip", "Authorization=Bearer%20"},
		{"protobuf", "none", "Authorization=Bearer%20"},
		{"protobuf", "gzip", "X-Weir-Key="},
		{"grpc", "none", "x-weir-key="},
		{"grpc", "gzip", "authorization=Bearer%20"},
	} {
		t.Run(c.protocol+" "+c.compression, func(t *testing.T) {
			p := s.project(noon())
			endpoint := s.url + "/v1/traces"
			if c.protocol == "grpc" {
				_, err := os.Stat("../tools/otlp/node_modules/@opentelemetry/exporter-trace-otlp-grpc")
				needed(t, "no exporter of gRPC; run scripts/install-test-deps.sh", err)
				endpoint = s.url
			}
			exported += n
			got := exports(t, c.protocol, n,
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+endpoint,
				"OTEL_EXPORTER_OTLP_TRACES_HEADERS="+c.header+p.Key,
				"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="+c.compression)
			if len(got.IDs) != n || got.Batches < 2 || len(got.Failures)+len(got.Complaints) > 0 {
				t.Fatalf("%d spans in %d batches; failures %q; the SDK says %q", len(got.IDs), got.Batches, got.Failures, got.Complaints)
			}
			if len(got.Partial) > 0 { // of a span that is no call, nothing is said
				t.Errorf("the SDK says %q", got.Partial)
			}
			stored := s.calls(p)
			for i, id := range append(got.IDs, [2]string{}) { // the last one came with the span that was not taken
				method, route, status, latency := wantedSpan(i)
				calls := stored[fmt.Sprintf("%s-%d", c.protocol, i)]
				if len(calls) != 1 {
					t.Errorf("span %d is stored %d times: %+v", i, len(calls), calls)
					continue
				}
				call := calls[0].Call
				if call.Method != method || call.Route != route || call.Status != status || call.LatencyMS != latency {
					t.Errorf("span %d is %+v, want %s %s %d in %v ms", i, call, method, route, status, latency)
				}
				if want := "t_" + id[0] + "-" + id[1]; i < n && calls[0].ID != want {
					t.Errorf("span %d has the id %s, want %s", i, calls[0].ID, want)
				}
			}
			if len(stored) != n+1 {
				t.Errorf("calls of %d consumers are stored, want %d", len(stored), n+1)
			}
			if today, day := s.counted(p); today != n+1 || day != n+1 {
				t.Errorf("the overview counts %d calls, the trend %d; want %d", today, day, n+1)
			}
		})
	}
	metrics, _ := s.do("GET", "/metrics", adminToken, "", nil)
	if want := fmt.Sprintf("weir_events_duplicate_total %d\n", exported); !strings.Contains(string(metrics), want) {
		t.Errorf("not all that was exported again has come: %q is not in\n%s", want, metrics)
	}
	s.stop()
}
