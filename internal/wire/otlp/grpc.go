package otlp

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"google.golang.org/protobuf/encoding/protowire"
)

// OTLP/gRPC is the same as OTLP/HTTP in protobuf, with another address, a head before the message
// and the status behind the answer. HTTP/2 is net/http's.
//
// Source: opentelemetry.io/docs/specs/otlp, OTLP/gRPC;
// github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

// grpcTraces is the address of traces.
const grpcTraces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// grpcDropped are the addresses of the signals that are accepted and dropped.
var grpcDropped = []string{
	"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	"/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}

var grpcTypes = []string{"application/grpc", "application/grpc+proto"}

// grpcCodings are the encodings of messages that are read.
const grpcCodings = "identity,gzip,zstd"

func isGRPC(r *wire.Request) bool { return r.Route.Framing == wire.OneMessage }

// checkGRPC refuses an encoding of messages. Error: EUNSUPPORTED.
func checkGRPC(r *wire.Request) error {
	switch coding := r.Header.Get("Grpc-Encoding"); coding {
	case "", "identity", "gzip", "zstd":
		return nil
	default:
		return weir.Errorf(weir.EUNSUPPORTED, "grpc-encoding %.40q is not supported: use one of %s", coding, grpcCodings)
	}
}

// grpcAnswer is the answer to a call: a message and its status, or the status of an error alone.
func grpcAnswer(message []byte, code int, text string, details []byte) wire.Response {
	header := http.Header{
		"Grpc-Accept-Encoding":             {grpcCodings},
		http.TrailerPrefix + "Grpc-Status": {strconv.Itoa(code)},
	}
	if text != "" {
		header[http.TrailerPrefix+"Grpc-Message"] = []string{percentEncoded(text)}
	}
	if details != nil {
		header[http.TrailerPrefix+"Grpc-Status-Details-Bin"] = []string{base64.RawStdEncoding.EncodeToString(details)}
	}
	return wire.Response{Status: http.StatusOK, ContentType: grpcTypes[0], Header: header, Body: message}
}

// appendMessage appends a message behind its head.
func appendMessage(b, message []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, 0), uint32(len(message))) //nolint:gosec // an answer is small
	return append(b, message...)
}

// grpcRefusal is the answer to an error. One of a request that is not gRPC's is HTTP's.
func grpcRefusal(r *wire.Request, status int, err *weir.Error) wire.Response {
	if r.Route.CheckType(r.Header.Get("Content-Type")) != nil {
		return wire.Response{Status: status, ContentType: JSON.ContentType(), Body: AppendStatus(nil, JSON, err.Code, err.Message)}
	}
	code := statusCode(err.Code)
	if err.Code == weir.EUNSUPPORTED {
		code = codeNamed("UNIMPLEMENTED")
	}
	var details []byte
	if r.RetryAfter > 0 {
		details = appendRetryInfo(appendStatus(nil, code, err.Message), r.RetryAfter)
	}
	return grpcAnswer(nil, code, err.Message, details)
}

// appendRetryInfo appends to a google.rpc.Status a google.rpc.RetryInfo. A sender tries again
// after RESOURCE_EXHAUSTED only if there is one.
func appendRetryInfo(b []byte, seconds int) []byte {
	delay := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(seconds)) //nolint:gosec // over 0
	info := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), delay)
	detail := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "type.googleapis.com/google.rpc.RetryInfo")
	detail = protowire.AppendBytes(protowire.AppendTag(detail, 2, protowire.BytesType), info)
	return protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), detail)
}

// percentEncoded writes a grpc-message: what is not printable ASCII, and %, as %XX.
func percentEncoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			const hex = "0123456789ABCDEF"
			b.WriteString("%" + hex[c>>4:c>>4+1] + hex[c&15:c&15+1])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
