package otlp

import (
	"math"
	"slices"
	"strconv"
)

// valueKind is the type of an attribute's value.
type valueKind uint8

const (
	valueNone valueKind = iota // absent, or of a type that has no use here
	valueText
	valueBool
	valueInt
	valueDouble
)

// value is an attribute's value. Of an array it is the first element, as a
// captured header is an array of one.
type value struct {
	kind valueKind
	raw  []byte // of valueText, over the body's memory
	n    int64  // of valueInt, and 1 for true
	f    float64
}

// text is the value as text, "" for none. It is valid until the next call with
// the same scratch.
func (v value) text(scratch *[]byte) []byte {
	b := (*scratch)[:0]
	switch v.kind {
	case valueText:
		return v.raw
	case valueBool:
		b = strconv.AppendBool(b, v.n != 0)
	case valueInt:
		b = strconv.AppendInt(b, v.n, 10)
	case valueDouble:
		b = strconv.AppendFloat(b, v.f, 'g', -1, 64)
	}
	*scratch = b
	return b
}

// maxDigits is as long as the text of a whole number may be.
const maxDigits = 40

// whole is the value as a whole number: some SDKs send a status as text, or as
// a double.
func (v value) whole() (int64, bool) {
	switch v.kind {
	case valueInt:
		return v.n, true
	case valueText:
		if len(v.raw) > maxDigits { // a resource's is looked at for each span
			return 0, false
		}
		n, err := strconv.ParseInt(string(v.raw), 10, 64)
		return n, err == nil
	case valueDouble:
		if v.f == math.Trunc(v.f) && math.Abs(v.f) < 1<<53 {
			return int64(v.f), true
		}
	}
	return 0, false
}

// attributes are those of a span or a resource that mean something here.
type attributes struct {
	known     [attrCount]value
	consumers []consumer
}

// consumer is an attribute that names who called, by its place among the names.
type consumer struct {
	index int
	value value
}

// first is the first of two attributes that is there.
func (a *attributes) first(k, or attr) value {
	if v := a.known[k]; v.kind != valueNone {
		return v
	}
	return a.known[or]
}

// set takes note of an attribute. Of one that stands twice, which no SDK sends,
// the last counts.
func (t *decoder) set(a *attributes, key []byte, v value) {
	if k := attrOf(key); k < attrCount {
		a.known[k] = v
	}
	for i, name := range t.consumers {
		if string(key) != name {
			continue
		}
		if at := slices.IndexFunc(a.consumers, func(c consumer) bool { return c.index == i }); at >= 0 {
			a.consumers[at].value = v
		} else {
			a.consumers = append(a.consumers, consumer{i, v})
		}
	}
}

// setOfEvent takes note of an attribute of one of the span's events.
func (t *decoder) setOfEvent(key []byte, v value) {
	if attrOf(key) == attrException && v.kind == valueText {
		t.span.exception = v.raw
	}
}

// attr is an attribute that means something here.
type attr uint8

const (
	attrMethod attr = iota
	attrMethodOriginal
	attrRoute
	attrStatus
	attrPath
	attrClientAddress
	attrUserAgent
	attrOldMethod
	attrOldStatus
	attrTarget
	attrURL
	attrHTTPClientIP
	attrHTTPUserAgent

	attrRPCSystem
	attrOldRPCSystem
	attrRPCService
	attrRPCMethod
	attrRPCStatus
	attrGRPCStatus
	attrConnectStatus

	attrServerAddress
	attrHTTPHost
	attrResponseSize
	attrOldResponseSize
	attrRequestSize
	attrOldRequestSize
	attrErrorType
	attrProtocolVersion

	attrException

	attrServiceName
	attrServiceNamespace
	attrServiceVersion
	attrServiceInstance
	attrEnvironment
	attrOldEnvironment
	attrHostName
	attrRegion
	attrSDKName
	attrSDKLanguage
	attrSDKVersion

	attrCount
)

// attrNames are the attributes' names in OpenTelemetry's semantic conventions.
var attrNames = [attrCount]string{
	attrMethod:         "http.request.method",
	attrMethodOriginal: "http.request.method_original",
	attrRoute:          "http.route",
	attrStatus:         "http.response.status_code",
	attrPath:           "url.path",
	attrClientAddress:  "client.address",
	attrUserAgent:      "user_agent.original",
	attrOldMethod:      "http.method",
	attrOldStatus:      "http.status_code",
	attrTarget:         "http.target",
	attrURL:            "http.url",
	attrHTTPClientIP:   "http.client_ip",
	attrHTTPUserAgent:  "http.user_agent",

	attrRPCSystem:     "rpc.system.name",
	attrOldRPCSystem:  "rpc.system",
	attrRPCService:    "rpc.service",
	attrRPCMethod:     "rpc.method",
	attrRPCStatus:     "rpc.response.status_code",
	attrGRPCStatus:    "rpc.grpc.status_code",
	attrConnectStatus: "rpc.connect_rpc.error_code",

	attrServerAddress:   "server.address",
	attrHTTPHost:        "http.host",
	attrResponseSize:    "http.response.body.size",
	attrOldResponseSize: "http.response_content_length",
	attrRequestSize:     "http.request.body.size",
	attrOldRequestSize:  "http.request_content_length",
	attrErrorType:       "error.type",
	attrProtocolVersion: "network.protocol.version",

	attrException: "exception.message",

	attrServiceName:      "service.name",
	attrServiceNamespace: "service.namespace",
	attrServiceVersion:   "service.version",
	attrServiceInstance:  "service.instance.id",
	attrEnvironment:      "deployment.environment.name",
	attrOldEnvironment:   "deployment.environment",
	attrHostName:         "host.name",
	attrRegion:           "cloud.region",
	attrSDKName:          "telemetry.sdk.name",
	attrSDKLanguage:      "telemetry.sdk.language",
	attrSDKVersion:       "telemetry.sdk.version",
}

func (k attr) String() string { return attrNames[k] }

// attrByName is attrNames the other way around; nothing writes to it.
var attrByName = func() map[string]attr {
	m := make(map[string]attr, attrCount)
	for k, name := range attrNames {
		m[name] = attr(k)
	}
	return m
}()

// attrOf is attrCount for an attribute without a meaning here.
func attrOf(key []byte) attr {
	if k, ok := attrByName[string(key)]; ok {
		return k
	}
	return attrCount
}

// propertyAttrs are the attributes that become properties, and nothing else
// does: attributes may hold anything, secrets and what never comes twice too.
var propertyAttrs = [...]struct {
	name     string
	from     [2]attr
	resource bool
}{
	{"service", [2]attr{attrServiceName, attrServiceName}, true},
	{"service_namespace", [2]attr{attrServiceNamespace, attrServiceNamespace}, true},
	{"service_version", [2]attr{attrServiceVersion, attrServiceVersion}, true},
	{"service_instance", [2]attr{attrServiceInstance, attrServiceInstance}, true},
	{"environment", [2]attr{attrEnvironment, attrOldEnvironment}, true},
	{"host_name", [2]attr{attrHostName, attrHostName}, true},
	{"region", [2]attr{attrRegion, attrRegion}, true},
	{"host", [2]attr{attrServerAddress, attrHTTPHost}, false},
	{"protocol_version", [2]attr{attrProtocolVersion, attrProtocolVersion}, false},
	{"rpc_system", [2]attr{attrRPCSystem, attrOldRPCSystem}, false},
	{"error_type", [2]attr{attrErrorType, attrErrorType}, false},
}
