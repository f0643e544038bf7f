package accesslog

import (
	"fmt"
	"slices"
	"strings"
)

// Mapping says where in a JSON line the fields of an Entry are: field → name of
// the member, with dots between the names of nested ones. Of an array the first
// element is taken. A field that is not mapped is looked for under its own name.
type Mapping map[string]string

// field is a part of an Entry that a JSON value can set.
type field int

const (
	fieldNone field = iota
	fieldTime
	fieldIP
	fieldPeerIP // taken when there is no fieldIP
	fieldUser
	fieldMethod
	fieldURI
	fieldRequest
	fieldProto
	fieldStatus
	fieldBytes // of the response's body
	fieldRequestBytes
	fieldError
	fieldTraceID
	fieldReferrer
	fieldUserAgent
	fieldConsumer
	fieldHost
	fieldLatencyNS
	fieldLatencyUS
	fieldLatencyMS
	fieldLatencyS

	// Of these a Mapping has no names but forwarded_for.
	fieldForwarded // X-Forwarded-For: addresses, taken as values.takeForwarded says
	fieldIdent     // what nobody uses: that it is no address shows that the layout is right
	fieldPort      // of the host
	fieldQuery     // of the URI, with or without its question mark
	fieldPath      // of the URI, without its query
	fieldDate      // with fieldClock, a time
	fieldClock
	fieldAgentPlus // user agent with + for space, as IIS writes it
	fieldEscaped   // user agent with %20 for space, as CloudFront writes it
	fieldPartS     // seconds, a part of the latency
	fieldTimers    // HAProxy's Tq/Tw/Tc/Tr/Tt
	fieldLogger    // Caddy's name of what wrote the line

	fieldBytesOrDash   // as fieldBytes, but - is 0, as in Apache's %b
	fieldWholeResponse // bytes of it with its head; taken when there is no fieldBytes
	fieldWholeRequest  // bytes of it with its head; taken when there is no fieldRequestBytes
	fieldTraceHeader   // W3C's traceparent, or AWS's Root=…;Self=…
)

var fieldNames = map[string]field{
	"ts":         fieldTime,
	"ip":         fieldIP,
	"user":       fieldUser,
	"method":     fieldMethod,
	"path":       fieldURI,
	"request":    fieldRequest,
	"proto":      fieldProto,
	"status":     fieldStatus,
	"bytes":      fieldBytes,
	"error":      fieldError,
	"trace_id":   fieldTraceID,
	"referrer":   fieldReferrer,
	"user_agent": fieldUserAgent,
	"consumer":   fieldConsumer,
	"host":       fieldHost,
	"latency_ns": fieldLatencyNS,
	"latency_us": fieldLatencyUS,
	"latency_ms": fieldLatencyMS,
	"latency_s":  fieldLatencyS,

	"forwarded_for":  fieldForwarded,
	"request_bytes":  fieldRequestBytes,
	"response_bytes": fieldBytes,
}

func (f field) isLatency() bool { return f >= fieldLatencyNS && f <= fieldLatencyS }

// MappingFields are the names that a Mapping may have, sorted.
func MappingFields() []string {
	names := make([]string, 0, len(fieldNames))
	for n := range fieldNames {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// ParseMapping reads a mapping such as "ts=time,ip=client.addr,latency_s=took".
func ParseMapping(s string) (Mapping, error) {
	m := Mapping{}
	for pair := range strings.SplitSeq(s, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, path, ok := strings.Cut(pair, "=")
		name, path = strings.TrimSpace(name), strings.TrimSpace(path)
		if !ok || path == "" {
			return nil, fmt.Errorf("accesslog: mapping %q: write it as FIELD=NAME", pair)
		}
		if _, ok := fieldNames[name]; !ok {
			return nil, fmt.Errorf("accesslog: mapping %q: unknown field %q: use one of %s",
				pair, name, strings.Join(MappingFields(), ", "))
		}
		if _, ok := m[name]; ok {
			return nil, fmt.Errorf("accesslog: mapping %q: %s is mapped twice", pair, name)
		}
		m[name] = path
	}
	return m, nil
}

// tree is the wanted members of a JSON object, by name.
type tree struct {
	field   field
	members map[string]*tree
}

func (t *tree) add(name string, f field) error {
	if t.members == nil {
		t.members = map[string]*tree{}
	}
	m := t.members[name]
	if m == nil {
		m = &tree{}
		t.members[name] = m
	}
	if m.field != fieldNone {
		return fmt.Errorf("accesslog: %q is mapped to two fields", name)
	}
	m.field = f
	return nil
}

// addPath adds a dotted path: as nested members and, since names may hold dots,
// as one name.
func (t *tree) addPath(path string, f field) error {
	if err := t.add(path, f); err != nil {
		return err
	}
	names := strings.Split(path, ".")
	if len(names) == 1 {
		return nil
	}
	for _, n := range names[:len(names)-1] {
		if t.members == nil {
			t.members = map[string]*tree{}
		}
		if t.members[n] == nil {
			t.members[n] = &tree{}
		}
		t = t.members[n]
	}
	return t.add(names[len(names)-1], f)
}

// newMapped makes a parser of JSON lines.
func newMapped(o Options) (*jsonLines, error) {
	m := o.Mapping
	root := &tree{}
	latencyMapped := false
	for name := range m {
		f, ok := fieldNames[name]
		if !ok {
			return nil, fmt.Errorf("accesslog: unknown field %q: use one of %s", name, strings.Join(MappingFields(), ", "))
		}
		latencyMapped = latencyMapped || f.isLatency()
		if err := root.addPath(m[name], f); err != nil {
			return nil, err
		}
	}
	for name, f := range fieldNames {
		if _, mapped := m[name]; mapped || latencyMapped && f.isLatency() {
			continue
		}
		// A name that a mapping uses for something else is that something else.
		if t := root.members[name]; t == nil {
			if err := root.add(name, f); err != nil {
				return nil, err
			}
		}
	}
	p := newJSONLines(root, o)
	if m["ts"] != "" {
		p.timeName = m["ts"]
	}
	p.missing = `no path: name its member with path=NAME, or request=NAME for a whole request line`
	return p, nil
}

// newMembers makes a parser of JSON lines with the members of a format.
func newMembers(members map[string]field, o Options) (*jsonLines, error) {
	root := &tree{}
	for path, f := range members {
		if err := root.addPath(path, f); err != nil {
			return nil, err
		}
	}
	p := newJSONLines(root, o)
	for path, f := range members {
		if f == fieldTime {
			p.timeName = path
		}
	}
	return p, nil
}
