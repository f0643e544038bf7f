package otlp

import (
	"strings"

	"github.com/weir-analytics/weir/internal/wire"
)

// rpc reads the conventions for RPC; ok is false when the span is of none. The
// route is that of gRPC's requests, /package.Service/Method, so that it is the
// same as in a proxy's log, and the status is the one that google.rpc.Code
// names for the code.
func (c *caller) rpc() (method, route string, status int, ok bool) {
	system := c.text(attrRPCSystem, attrOldRPCSystem)
	if system == "" {
		return "", "", 0, false
	}
	service, name := c.text(attrRPCService), c.text(attrRPCMethod)
	switch {
	case name == "_OTHER":
	case strings.Contains(name, "/"): // today's rpc.method is the whole name
		route = "/" + strings.TrimPrefix(name, "/")
	case service != "" && name != "":
		route = "/" + service + "/" + name
	}
	a := &c.t.span.attributes
	if system == "grpc" || system == "connect_rpc" || system == "connectrpc" {
		method = "POST"
		status = c.rpcStatus(a.first(attrRPCStatus, attrGRPCStatus))
		if status == 0 {
			status = c.rpcStatus(a.known[attrConnectStatus])
		}
	}
	if status == 0 {
		status = c.status(a.first(attrStatus, attrOldStatus))
	}
	return method, route, status, true
}

// rpcStatus is the HTTP status of a code by number or name; 0 is unknown.
func (c *caller) rpcStatus(v value) int {
	if n, ok := v.whole(); ok {
		if n < 0 || n >= int64(len(rpcCodes)) {
			c.defect(wire.ReasonStatus, "rpc status: want 0 to 16")
			return 0
		}
		return rpcCodes[n].status
	}
	name := strings.ToUpper(string(v.text(&c.t.scratch)))
	if name == "CANCELED" { // as Connect spells it
		name = "CANCELLED"
	}
	for _, code := range rpcCodes {
		if code.name == name {
			return code.status
		}
	}
	return 0
}

// rpcCodes are the codes of gRPC by number.
// Source: the comments of google/rpc/code.proto.
var rpcCodes = [...]struct {
	name   string
	status int
}{
	{"OK", 200},
	{"CANCELLED", 499},
	{"UNKNOWN", 500},
	{"INVALID_ARGUMENT", 400},
	{"DEADLINE_EXCEEDED", 504},
	{"NOT_FOUND", 404},
	{"ALREADY_EXISTS", 409},
	{"PERMISSION_DENIED", 403},
	{"RESOURCE_EXHAUSTED", 429},
	{"FAILED_PRECONDITION", 400},
	{"ABORTED", 409},
	{"OUT_OF_RANGE", 400},
	{"UNIMPLEMENTED", 501},
	{"INTERNAL", 500},
	{"UNAVAILABLE", 503},
	{"DATA_LOSS", 500},
	{"UNAUTHENTICATED", 401},
}
