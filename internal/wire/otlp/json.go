package otlp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// json reads OTLP's JSON mapping: ids are hex, 64-bit numbers text or numbers,
// enums numbers; their names are taken too. A span with a value of a wrong type
// costs itself alone. The body is stepped through, and only a span or a resource at a
// time becomes values.
func (t *decoder) json(body []byte) error {
	if !utf8.Valid(body) {
		return weir.Errorf(weir.EINVALID, "body is not JSON: it is not UTF-8")
	}
	s := &t.text
	s.Reset(bytes.TrimPrefix(body, []byte("\ufeff")))
	s.Space()
	var wrong error
	s.Member("resourceSpans", func() {
		s.EachElement(func() {
			if wrong == nil {
				wrong = t.jsonResourceSpans()
			}
		})
	})
	if !s.End() {
		return weir.Errorf(weir.EINVALID, "body is not an OTLP trace request in JSON: byte %d: %s", s.Offset(), s.Fault())
	}
	return wrong
}

// jsonResourceSpans reads the object at the cursor. It reads the resource first, which may
// stand behind its spans.
func (t *decoder) jsonResourceSpans() error {
	s := &t.text
	var resource []byte
	var scopes jsonscan.Mark
	s.EachMember(func(key string) {
		switch at := s.Note(); key {
		case "resource":
			resource = s.Since(at)
		case "scopeSpans":
			scopes = at
		}
	})
	if s.Failed() {
		return nil
	}
	t.resource = attributes{consumers: t.resource.consumers[:0]}
	if len(resource) > 0 {
		var r struct {
			Attributes []jsonAttribute `json:"attributes"`
		}
		if err := t.unmarshal(resource, &r, func() { t.jsonAttributes(r.Attributes, &t.resource) }); err != nil {
			return err
		}
	}
	var wrong error
	s.ReadAt(scopes, func() {
		s.EachElement(func() {
			s.Member("spans", func() {
				s.EachElement(func() {
					if at := s.Mark(); s.Skip() && wrong == nil {
						if wrong = t.next(); wrong == nil {
							t.jsonSpan(s.Since(at))
						}
					}
				})
			})
		})
	})
	return wrong
}

// unmarshal reads a value, and calls then while it is there. Error: EINVALID.
func (t *decoder) unmarshal(raw []byte, to any, then func()) error {
	h := t.limits.Memory
	cost := jsonCost(raw)
	if err := h.Reserve(cost); err != nil {
		return err
	}
	defer h.Release(cost)
	if err := json.Unmarshal(raw, to); err != nil {
		return weir.Wrap(err, weir.EINVALID, "body is not an OTLP trace request in JSON: %s", jsonFault(err))
	}
	then()
	return nil
}

// jsonCost is what encoding/json may make of a span or a resource, in bytes: an
// attribute for each brace, an element for each comma.
func jsonCost(raw []byte) int64 {
	return int64(2*len(raw) + 160*bytes.Count(raw, []byte("{")) + 96*bytes.Count(raw, []byte(",")))
}

// jsonFault says what is wrong with JSON and where, without its text.
func jsonFault(err error) string {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("byte %d: %s", e.Offset, e.Error())
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("byte %d: %.100s: want another type than %.40s", e.Offset, e.Field, e.Value)
	}
	return err.Error()
}

func (t *decoder) jsonSpan(raw []byte) {
	if len(raw) > t.limits.Event {
		t.reject(wire.ReasonTooLarge, fmt.Sprintf("at most %d bytes", t.limits.Event))
		return
	}
	t.size = len(raw)
	var s struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		Name       string          `json:"name"`
		Kind       jsonEnum        `json:"kind"`
		Start      jsonUint        `json:"startTimeUnixNano"`
		End        jsonUint        `json:"endTimeUnixNano"`
		Attributes []jsonAttribute `json:"attributes"`
		Events     []struct {
			Attributes []jsonAttribute `json:"attributes"`
		} `json:"events"`
		Status struct {
			Code    jsonEnum `json:"code"`
			Message string   `json:"message"`
		} `json:"status"`
	}
	if len(raw) == 0 || raw[0] != '{' {
		t.reject(wire.ReasonNotObject, "")
		return
	}
	cost := jsonCost(raw)
	if t.limits.Memory.Reserve(cost) != nil {
		return
	}
	defer t.limits.Memory.Release(cost)
	if err := json.Unmarshal(raw, &s); err != nil {
		t.reject(wire.ReasonWrongType, jsonFault(err))
		return
	}
	t.span.traceID, t.span.spanID = unhex(s.TraceID), unhex(s.SpanID)
	t.span.name = []byte(s.Name)
	t.span.kind = int64(s.Kind)
	t.span.start, t.span.end = uint64(s.Start), uint64(s.End)
	t.span.failed = s.Status.Code == statusError
	t.span.message = []byte(s.Status.Message)
	t.jsonAttributes(s.Attributes, &t.span.attributes)
	for i := range s.Events {
		for _, a := range s.Events[i].Attributes {
			t.setOfEvent([]byte(a.Key), a.Value.value())
		}
	}
	t.settle()
}

// unhex is nil for what is not hex, which is no id then.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

func (t *decoder) jsonAttributes(from []jsonAttribute, to *attributes) {
	for i := range from {
		t.set(to, []byte(from[i].Key), from[i].Value.value())
	}
}

type jsonAttribute struct {
	Key   string    `json:"key"`
	Value jsonValue `json:"value"`
}

// jsonValue is an AnyValue. Of arrays the elements are kept as text until the
// first is asked for, so that they cannot nest.
type jsonValue struct {
	String *string     `json:"stringValue"`
	Bool   *bool       `json:"boolValue"`
	Int    *jsonInt    `json:"intValue"`
	Double *jsonDouble `json:"doubleValue"`
	Array  *struct {
		Values []json.RawMessage `json:"values"`
	} `json:"arrayValue"`
}

func (j jsonValue) value() value {
	switch {
	case j.String != nil:
		return value{kind: valueText, raw: []byte(*j.String)}
	case j.Bool != nil && *j.Bool:
		return value{kind: valueBool, n: 1}
	case j.Bool != nil:
		return value{kind: valueBool}
	case j.Int != nil:
		return value{kind: valueInt, n: int64(*j.Int)}
	case j.Double != nil:
		return value{kind: valueDouble, f: float64(*j.Double)}
	case j.Array != nil && len(j.Array.Values) > 0:
		var element struct {
			String *string  `json:"stringValue"`
			Int    *jsonInt `json:"intValue"`
		}
		if json.Unmarshal(j.Array.Values[0], &element) != nil {
			return value{}
		}
		return jsonValue{String: element.String, Int: element.Int}.value()
	}
	return value{}
}

type (
	jsonUint   uint64
	jsonInt    int64
	jsonDouble float64
	jsonEnum   int64
)

// bare is a JSON number's text, quoted or not; ok is false for null.
func bare(b []byte) (text string, ok bool) {
	if string(b) == "null" {
		return "", false
	}
	return string(bytes.Trim(b, `"`)), true
}

// UnmarshalJSON reads text or a number; one with an exponent must be whole.
func (u *jsonUint) UnmarshalJSON(b []byte) error {
	s, ok := bare(b)
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || f < 0 || f >= 1<<64 {
			return fmt.Errorf("%.40q is no whole number of 64 bits", s)
		}
		n = uint64(f)
	}
	*u = jsonUint(n)
	return nil
}

// UnmarshalJSON reads text or a number.
func (i *jsonInt) UnmarshalJSON(b []byte) error {
	s, ok := bare(b)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || f < math.MinInt64 || f >= 1<<63 {
			return fmt.Errorf("%.40q is no whole number of 64 bits", s)
		}
		n = int64(f)
	}
	*i = jsonInt(n)
	return nil
}

// UnmarshalJSON reads a number, or text such as "NaN" and "-Infinity".
func (d *jsonDouble) UnmarshalJSON(b []byte) error {
	s, ok := bare(b)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("%.40q is no number", s)
	}
	*d = jsonDouble(f)
	return nil
}

// jsonEnums are the names that mean something here; the others' numbers do not
// matter.
var jsonEnums = map[string]jsonEnum{
	"SPAN_KIND_UNSPECIFIED": 0, "SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": kindServer,
	"SPAN_KIND_CLIENT": 3, "SPAN_KIND_PRODUCER": 4, "SPAN_KIND_CONSUMER": 5,
	"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": statusError,
}

// UnmarshalJSON reads an enum's number or name.
func (e *jsonEnum) UnmarshalJSON(b []byte) error {
	s, ok := bare(b)
	if !ok {
		return nil
	}
	if n, known := jsonEnums[s]; known {
		*e = n
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return fmt.Errorf("%.40q is no enum's number or name", s)
	}
	*e = jsonEnum(n)
	return nil
}
