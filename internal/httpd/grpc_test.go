package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/metricstest"
	"github.com/weir-analytics/weir/internal/wire/protocols"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// fronted is a fixture behind a Front, which speaks HTTP/2 too.
type fronted struct {
	*fixture
	addr string
}

func front(t *testing.T, conns *httpd.Conns) *fronted {
	t.Helper()
	f := prepare(t, func(c *httpd.Config) { c.Protocols = protocols.All(nil) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	fr := &httpd.Front{Logger: slog.New(slog.DiscardHandler), Conns: conns}
	fr.Pass(f.served)
	go func() { done <- fr.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &fronted{f, l.Addr().String()}
}

// dialGRPC connects grpc-go's client, with a key if there is one.
func (f *fronted) dialGRPC(t *testing.T) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(f.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f *fronted) bearing(t *testing.T, key string) context.Context {
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+key)
}

// served is a request with a span of a server whose name has so many bytes.
func served(nameSize int) *coltracepb.ExportTraceServiceRequest {
	span := &tracepb.Span{
		TraceId: bytes.Repeat([]byte{7}, 16), SpanId: bytes.Repeat([]byte{1}, 8), Kind: tracepb.Span_SPAN_KIND_SERVER, Name: strings.Repeat("\n", nameSize),
		Attributes: []*commonpb.KeyValue{{Key: "http.route", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "/orders/{id}"}}}},
	}
	return &coltracepb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}}}}}
}

func TestSpansAreTakenOverGRPC(t *testing.T) {
	f := front(t, httpd.NewConns(64, 64, nil, nil))
	f.ingest = ingest.Reply{Accepted: 1}
	c := f.dialGRPC(t)
	ctx := f.bearing(t, f.key)
	for name, options := range map[string][]grpc.CallOption{"plain": nil, "gzip": {grpc.UseCompressor(gzip.Name)}} {
		t.Run(name, func(t *testing.T) {
			f.deliveries = nil
			reply, err := coltracepb.NewTraceServiceClient(c).Export(ctx, served(100_000), options...) // its lines are not those of a head
			if err != nil || reply.GetPartialSuccess() != nil {
				t.Fatalf("%v, %v", reply, err)
			}
			if len(f.deliveries) != 1 || len(f.deliveries[0].events) != 1 || f.project.ID != f.shop.ID {
				t.Fatalf("%+v", f.deliveries)
			}
			if call := f.deliveries[0].events[0].Event.Call; call.Route != "/orders/{id}" || call.TraceID != strings.Repeat("07", 16) {
				t.Errorf("%+v", call)
			}
		})
	}
	if _, err := metricspb.NewMetricsServiceClient(c).Export(ctx, &metricspb.ExportMetricsServiceRequest{}); err != nil {
		t.Errorf("metrics: %v", err)
	}
	if _, err := logspb.NewLogsServiceClient(c).Export(ctx, &logspb.ExportLogsServiceRequest{}); err != nil {
		t.Errorf("logs: %v", err)
	}
	f.ingest = ingest.Reply{Rejected: []weir.Rejection{{Reason: "span_id_invalid"}}}
	reply, err := coltracepb.NewTraceServiceClient(c).Export(ctx, served(1))
	if err != nil || reply.GetPartialSuccess().GetRejectedSpans() != 1 {
		t.Errorf("a span that is not taken: %v, %v", reply, err)
	}
}

func TestErrorsOverGRPCHaveTheirCodeAndSayWhenToTryAgain(t *testing.T) {
	f := front(t, httpd.NewConns(64, 64, nil, nil))
	traces := coltracepb.NewTraceServiceClient(f.dialGRPC(t))
	for _, test := range []struct {
		err   error
		code  codes.Code
		retry time.Duration
	}{
		{weir.Errorf(weir.EUNAVAILABLE, "100 %% full: ü"), codes.Unavailable, 5 * time.Second},
		{weir.Errorf(weir.ERATELIMITED, "slower"), codes.ResourceExhausted, time.Second},
		{weir.Errorf(weir.EQUOTA, "used up"), codes.ResourceExhausted, time.Second},
		{weir.Errorf(weir.EINVALID, "no"), codes.InvalidArgument, 0},
		{weir.Errorf(weir.ETOOLARGE, "no"), codes.InvalidArgument, 0},
		{fmt.Errorf("the server's own fault"), codes.Internal, 0},
	} {
		f.err = test.err
		_, err := traces.Export(f.bearing(t, f.key), served(1))
		s := status.Convert(err)
		if s.Code() != test.code || weir.ErrorCode(test.err) != weir.EINTERNAL && s.Message() != weir.ErrorMessage(test.err) {
			t.Errorf("%v: %v", test.err, s)
		}
		var retry time.Duration
		for _, d := range s.Details() {
			if info, ok := d.(*errdetails.RetryInfo); ok {
				retry = info.GetRetryDelay().AsDuration()
			}
		}
		if retry != test.retry {
			t.Errorf("%v: to be tried again after %v, want %v", test.err, retry, test.retry)
		}
	}
	f.err = nil
	for _, key := range []string{"", "wk_unknown"} {
		if _, err := traces.Export(f.bearing(t, key), served(1)); status.Code(err) != codes.Unauthenticated {
			t.Errorf("key %q: %v", key, err)
		}
	}
	if err := f.dialGRPC(t).Invoke(t.Context(), "/some.other.Service/Call", served(1), &coltracepb.ExportTraceServiceResponse{}); status.Code(err) != codes.Unimplemented {
		t.Errorf("another service: %v", err)
	}
}

// post sends a body to the service of traces over HTTP/2.
func (f *fronted) post(t *testing.T, body []byte, header ...string) (status, message string, code int) {
	t.Helper()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	c := &http.Client{Transport: &http.Transport{Protocols: p}}
	defer c.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+f.addr+"/opentelemetry.proto.collector.trace.v1.TraceService/Export", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Authorization", "Bearer "+f.key)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.Trailer.Get("Grpc-Status"), res.Trailer.Get("Grpc-Message"), res.StatusCode
}

func TestMessagesThatAreNoneAreRefused(t *testing.T) {
	f := front(t, httpd.NewConns(64, 64, nil, nil))
	framed := func(flag byte, size int, text string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(size)), text...)
	}
	bomb := coded(t, "gzip", strings.Repeat("\x00", 120<<20))
	for name, test := range map[string]struct {
		body   []byte
		header []string
		status string
		code   int
	}{
		"nothing":               {nil, nil, "3", 200},
		"no protobuf":           {framed(0, 1, "\xff"), nil, "3", 200},
		"cut off":               {framed(0, 100, "abc"), nil, "3", 200},
		"two messages":          {framed(0, 0, "\x00\x00\x00\x00\x00"), nil, "3", 200},
		"a length of 4 GB":      {framed(0, 1<<32-1, "abc"), nil, "3", 200},
		"a bomb":                {framed(1, len(bomb), bomb), []string{"Grpc-Encoding", "gzip"}, "3", 200},
		"an unknown encoding":   {framed(1, 0, ""), []string{"Grpc-Encoding", "snappy"}, "12", 200},
		"another content type":  {framed(0, 0, ""), []string{"Content-Type", "application/json"}, "", 415},
		"nothing, in a message": {framed(0, 0, ""), []string{"Content-Type", "application/grpc+proto"}, "0", 200},
	} {
		status, message, code := f.post(t, test.body, test.header...)
		if status != test.status || code != test.code {
			t.Errorf("%s: grpc-status %q (%s), HTTP %d; want %q, %d", name, status, message, code, test.status, test.code)
		}
	}
}

// rawHTTP2 is a client that does as it likes.
type rawHTTP2 struct {
	net.Conn
	*http2.Framer
	head bytes.Buffer
	enc  *hpack.Encoder
}

func dialHTTP2(t *testing.T, from, addr string) *rawHTTP2 {
	t.Helper()
	c := &rawHTTP2{Conn: dial(t, from, addr)}
	c.Framer = http2.NewFramer(c.Conn, bufio.NewReader(c.Conn))
	c.enc = hpack.NewEncoder(&c.head)
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	_ = c.WriteSettings()
	return c
}

// open begins a request whose body does not come.
func (c *rawHTTP2) open(stream uint32, f *fronted) {
	c.head.Reset()
	for _, h := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", f.addr}, {":path", "/v1/events"}, {"content-type", "application/json"}, {"authorization", "Bearer " + f.key},
	} {
		_ = c.enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: c.head.Bytes(), EndHeaders: true})
}

// until reads frames until one is as asked for; false at the end of the connection.
func (c *rawHTTP2) until(is func(http2.Frame) bool) bool {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return false
		}
		if is(f) {
			return true
		}
	}
}

func goAway(f http2.Frame) bool { _, ok := f.(*http2.GoAwayFrame); return ok }

func TestHTTP2ClientMayNotHaveMoreStreamsThanItWasTold(t *testing.T) {
	f := front(t, httpd.NewConns(64, 64, nil, nil))
	c := dialHTTP2(t, "127.0.0.1", f.addr)
	most := uint32(0)
	c.until(func(f http2.Frame) bool {
		s, ok := f.(*http2.SettingsFrame)
		if ok && !s.IsAck() {
			most, _ = s.Value(http2.SettingMaxConcurrentStreams)
		}
		return ok && most > 0
	})
	if most == 0 || most > 64 {
		t.Fatalf("the server lets a client have %d streams", most)
	}
	_ = c.WriteSettingsAck()
	for i := range most + 1 {
		c.open(1+2*i, f)
	}
	last := 1 + 2*most
	if !c.until(func(f http2.Frame) bool {
		r, ok := f.(*http2.RSTStreamFrame)
		return ok && r.StreamID == last || goAway(f)
	}) {
		t.Error("one stream more was not refused")
	}
}

// Neither streams that are reset as soon as they are opened, nor questions whose answers are not
// read, hold the server up: such a connection is ended, and others are served.
func TestHTTP2FloodsEndTheirConnection(t *testing.T) {
	f := front(t, httpd.NewConns(64, 64, nil, nil))
	flood := func(write func(c *rawHTTP2, i uint32) error) {
		t.Helper()
		c := dialHTTP2(t, "127.0.0.1", f.addr)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for i := range uint32(5_000_000) {
				if write(c, i) != nil {
					return
				}
			}
			t.Error("the connection was not ended")
		}()
		<-ended
		if _, err := coltracepb.NewTraceServiceClient(f.dialGRPC(t)).Export(f.bearing(t, f.key), served(1)); err != nil {
			t.Errorf("another client: %v", err)
		}
	}
	flood(func(c *rawHTTP2, i uint32) error {
		c.open(1+2*i, f)
		return c.WriteRSTStream(1+2*i, http2.ErrCodeCancel)
	})
	flood(func(c *rawHTTP2, _ uint32) error { return c.WritePing(false, [8]byte{}) }) // nobody reads the answers
}

func TestConnectionsOfHTTP2AreFewerAndShareRequestsUnderWay(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := front(t, httpd.NewConns(32, 16, nil, reg))
	served := func(c *rawHTTP2) bool { // the server's settings come
		return c.until(func(f http2.Frame) bool { _, ok := f.(*http2.SettingsFrame); return ok })
	}
	var open []*rawHTTP2
	for range 4 {
		c := dialHTTP2(t, "127.0.0.1", f.addr)
		if !served(c) {
			t.Fatal("a connection was refused")
		}
		open = append(open, c)
	}
	fifth := dialHTTP2(t, "127.0.0.1", f.addr)
	fifth.until(goAway)
	if got := metricstest.Gather(t, reg)[`weir_http_connections_closed_total{kind="http2",reason="address"}`]; got != 1 {
		t.Errorf("%v connections of one address were refused, want 1", got)
	}
	if !healthy(dial(t, "127.0.0.1", f.addr)) {
		t.Error("HTTP/1.1 is not served any more")
	}
	for _, c := range open {
		for i := range uint32(8) {
			c.open(1+2*i, f)
		}
	}
	refused := func(c *rawHTTP2) bool {
		return c.until(func(f http2.Frame) bool {
			h, ok := f.(*http2.HeadersFrame)
			if !ok {
				return false
			}
			fields, err := hpack.NewDecoder(4096, nil).DecodeFull(h.HeaderBlockFragment())
			return err == nil && fields[0].Value == "503"
		})
	}
	found := make(chan bool, len(open))
	for _, c := range open {
		go func() { found <- refused(c) }()
	}
	if !<-found {
		t.Error("32 requests of one address are under way, of which there may be 16")
	}
	if !healthy(dial(t, "127.0.0.2", f.addr)) {
		t.Error("another address is not served")
	}
}
