package otlp

import (
	"fmt"
	"math"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"google.golang.org/protobuf/encoding/protowire"
)

// protobuf reads an ExportTraceServiceRequest. Only the fields that are used
// are read; the others are stepped over by their length. Field numbers are
// those of opentelemetry/proto/trace/v1/trace.proto and common.proto.
func (t *decoder) protobuf(body []byte) error {
	err := t.message(body, func(n protowire.Number, f field) error {
		if n == 1 && f.bytes() {
			return t.resourceSpans(f.data)
		}
		return nil
	})
	if err != nil && weir.ErrorCode(err) == weir.EINTERNAL {
		return weir.Wrap(err, weir.EINVALID, "body is not a protobuf ExportTraceServiceRequest")
	}
	return err
}

// field is a field's value on the wire.
type field struct {
	wire   protowire.Type
	data   []byte // of a field with a length
	number uint64 // of any other
}

func (f field) bytes() bool { return f.wire == protowire.BytesType }

// message calls fn for each field. Groups and fields of types that are not to
// be expected are for fn to pass over, as a reader of protobuf does with what
// it does not know.
func (t *decoder) message(b []byte, fn func(protowire.Number, field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("wire: tag: %w", protowire.ParseError(n))
		}
		b = b[n:]
		f := field{wire: kind}
		switch kind {
		case protowire.BytesType:
			f.data, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.number, n = protowire.ConsumeFixed64(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("wire: field %d: %w", number, protowire.ParseError(n))
		}
		b = b[n:]
		if err := fn(number, f); err != nil {
			return err
		}
	}
	return nil
}

// resourceSpans reads the resource first: it may stand behind its spans.
func (t *decoder) resourceSpans(b []byte) error {
	t.resource = attributes{consumers: t.resource.consumers[:0]}
	err := t.message(b, func(n protowire.Number, f field) error {
		if n != 1 || !f.bytes() {
			return nil
		}
		return t.message(f.data, func(n protowire.Number, f field) error {
			if n != 1 || !f.bytes() {
				return nil
			}
			return t.keyValue(f.data, &t.resource)
		})
	})
	if err != nil {
		return err
	}
	return t.message(b, func(n protowire.Number, f field) error {
		if n != 2 || !f.bytes() {
			return nil
		}
		return t.message(f.data, func(n protowire.Number, f field) error {
			if n != 2 || !f.bytes() {
				return nil
			}
			return t.spanMessage(f.data)
		})
	})
}

func (t *decoder) spanMessage(b []byte) error {
	if err := t.next(); err != nil {
		return err
	}
	s := &t.span
	t.size = len(b)
	err := t.message(b, func(n protowire.Number, f field) error {
		switch {
		case n == 1 && f.bytes():
			s.traceID = f.data
		case n == 2 && f.bytes():
			s.spanID = f.data
		case n == 5 && f.bytes():
			s.name = f.data
		case n == 6 && f.wire == protowire.VarintType:
			s.kind = int64(int32(f.number)) //nolint:gosec // an enum is cut to 32 bits
		case n == 7 && f.wire == protowire.Fixed64Type:
			s.start = f.number
		case n == 8 && f.wire == protowire.Fixed64Type:
			s.end = f.number
		case n == 9 && f.bytes():
			return t.keyValue(f.data, &s.attributes)
		case n == 11 && f.bytes():
			return t.spanEvent(f.data)
		case n == 15 && f.bytes():
			return t.message(f.data, func(n protowire.Number, f field) error {
				switch {
				case n == 2 && f.bytes():
					s.message = f.data
				case n == 3 && f.wire == protowire.VarintType:
					s.failed = int32(f.number) == statusError
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(b) > t.limits.Event {
		t.reject(wire.ReasonTooLarge, fmt.Sprintf("at most %d bytes", t.limits.Event))
		return nil
	}
	t.settle()
	return nil
}

// spanEvent reads an event of a span. Weir uses one of its attributes: the message of an exception.
func (t *decoder) spanEvent(b []byte) error {
	return t.message(b, func(n protowire.Number, f field) error {
		if n != 3 || !f.bytes() {
			return nil
		}
		key, v, err := t.readKeyValue(f.data)
		if err == nil {
			t.setOfEvent(key, v)
		}
		return err
	})
}

func (t *decoder) keyValue(b []byte, to *attributes) error {
	key, v, err := t.readKeyValue(b)
	if err == nil {
		t.set(to, key, v)
	}
	return err
}

func (t *decoder) readKeyValue(b []byte) (key []byte, v value, err error) {
	err = t.message(b, func(n protowire.Number, f field) (err error) {
		switch {
		case n == 1 && f.bytes():
			key = f.data
		case n == 2 && f.bytes():
			v, err = t.anyValue(f.data, v)
		}
		return err
	})
	return key, v, err
}

// anyValue reads an AnyValue over what an earlier part of the same message
// said.
func (t *decoder) anyValue(b []byte, v value) (value, error) {
	err := t.message(b, func(n protowire.Number, f field) error {
		switch {
		case n == 1 && f.bytes():
			v = value{kind: valueText, raw: f.data}
		case n == 2 && f.wire == protowire.VarintType:
			v = value{kind: valueBool, n: int64(min(f.number, 1))} //nolint:gosec // 0 or 1
		case n == 3 && f.wire == protowire.VarintType:
			v = value{kind: valueInt, n: int64(f.number)} //nolint:gosec // two's complement
		case n == 4 && f.wire == protowire.Fixed64Type:
			v = value{kind: valueDouble, f: math.Float64frombits(f.number)}
		case n == 5 && f.bytes():
			var err error
			v, err = t.firstElement(f.data)
			return err
		case n == 6 && f.bytes(), n == 7 && f.bytes():
			v = value{}
		}
		return nil
	})
	return v, err
}

// firstElement reads an ArrayValue's first element. An array in an array is
// nothing that is asked for.
func (t *decoder) firstElement(b []byte) (v value, err error) {
	seen := false
	err = t.message(b, func(n protowire.Number, f field) error {
		if n != 1 || !f.bytes() || seen {
			return nil
		}
		seen = true
		return t.message(f.data, func(n protowire.Number, f field) error {
			switch {
			case n == 1 && f.bytes():
				v = value{kind: valueText, raw: f.data}
			case n == 3 && f.wire == protowire.VarintType:
				v = value{kind: valueInt, n: int64(f.number)} //nolint:gosec // two's complement
			default:
				v = value{}
			}
			return nil
		})
	})
	return v, err
}
