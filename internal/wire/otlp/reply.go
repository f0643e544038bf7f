package otlp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"google.golang.org/protobuf/encoding/protowire"
)

// AppendReply appends an ExportTraceServiceResponse: empty when all calls
// were taken, else with partial_success, whose message counts the rejected
// spans by reason. Senders log it and do not send those spans again. A span that is no
// call is not among them, nor is one that the project filters: a sender would log each batch.
func AppendReply(b []byte, e Encoding, rejected []weir.Rejection) []byte {
	rejected = slices.DeleteFunc(slices.Clone(rejected), func(r weir.Rejection) bool { return r.Reason == wire.ReasonNotServer || wire.Filtered(r.Reason) })
	n, message := len(rejected), rejectionMessage(rejected)
	if e == JSON {
		if n == 0 {
			return append(b, "{}"...)
		}
		b = append(b, `{"partialSuccess":{"rejectedSpans":"`...)
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, `","errorMessage":`...)
		return append(appendJSON(b, message), "}}"...)
	}
	if n == 0 {
		return b
	}
	var partial []byte
	partial = protowire.AppendTag(partial, 1, protowire.VarintType)
	partial = protowire.AppendVarint(partial, uint64(n)) //nolint:gosec // a length
	partial = protowire.AppendTag(partial, 2, protowire.BytesType)
	partial = protowire.AppendString(partial, message)
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	return protowire.AppendBytes(b, partial)
}

// rejectionMessage is such as "spans not taken: 2 span_id_invalid (…), 1
// status_invalid (…)": the first detail of each reason stands behind it.
func rejectionMessage(rejected []weir.Rejection) string {
	counts, details := map[string]int{}, map[string]string{}
	for _, r := range rejected {
		if counts[r.Reason]++; counts[r.Reason] == 1 {
			details[r.Reason] = r.Detail
		}
	}
	parts := make([]string, 0, len(counts))
	for reason, n := range counts {
		part := fmt.Sprintf("%d %s", n, reason)
		if d := details[reason]; d != "" {
			part += " (" + d + ")"
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	return "spans not taken: " + strings.Join(parts, ", ")
}

// AppendStatus appends a google.rpc.Status, which OTLP/HTTP answers errors
// with. code is one of the weir error codes.
func AppendStatus(b []byte, e Encoding, code, message string) []byte {
	n := statusCode(code)
	if e == JSON {
		b = append(b, `{"code":`...)
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, `,"message":`...)
		return append(appendJSON(b, message), '}')
	}
	return appendStatus(b, n, message)
}

// appendStatus appends a google.rpc.Status in protobuf.
func appendStatus(b []byte, code int, message string) []byte {
	b = protowire.AppendTag(b, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(code)) //nolint:gosec // 0 to 16
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	return protowire.AppendString(b, strings.ToValidUTF8(message, "\ufffd"))
}

// statusCode is the number of a code in google/rpc/code.proto.
func statusCode(code string) int {
	name := "INTERNAL"
	switch code {
	case weir.EINVALID, weir.ETOOLARGE, weir.EUNSUPPORTED:
		name = "INVALID_ARGUMENT"
	case weir.EUNAUTHORIZED:
		name = "UNAUTHENTICATED"
	case weir.EFORBIDDEN:
		name = "PERMISSION_DENIED"
	case weir.ENOTFOUND:
		name = "NOT_FOUND"
	case weir.ECONFLICT:
		name = "ABORTED"
	case weir.ERATELIMITED, weir.EQUOTA:
		name = "RESOURCE_EXHAUSTED"
	case weir.EUNAVAILABLE:
		name = "UNAVAILABLE"
	case weir.ETOOSLOW:
		name = "DEADLINE_EXCEEDED"
	}
	return codeNamed(name)
}

// codeNamed is the number of one of rpcCodes.
func codeNamed(name string) int {
	for i, c := range rpcCodes {
		if c.name == name {
			return i
		}
	}
	return 0
}

func appendJSON(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string has none
		return append(b, `""`...)
	}
	return append(b, text...)
}
