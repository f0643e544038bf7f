package posthog

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// DecodeExported reads one event as PostHog keeps and exports it: an object with
// event, distinct_id, timestamp (RFC 3339), properties and, where they are known,
// uuid, $set, $set_once and $unset. It becomes what it would have become if it had
// been sent, but for its time, which PostHog has corrected already and which is left
// to the caller to bound. An event that sets traits too becomes two.
//
// rejected is why it becomes none; its Reason is ReasonUnsupported, with the event's
// name as Detail, for what Weir does not keep. EINVALID is the error of what is not
// one JSON object. Nothing returned holds on to the text. It is safe for concurrent
// use.
func DecodeExported(event []byte, l wire.Limits) (in []weir.Incoming, rejected *weir.Rejection, err error) {
	p := decoders.Get().(*decoder)
	defer func() {
		if p.Close() {
			decoders.Put(p)
		}
	}()
	p.start(&wire.Request{Limits: l}, event)
	if p.Peek() != '{' {
		p.Fail("want an object")
	}
	if !p.Failed() {
		p.item()
	}
	if !p.End() {
		return nil, nil, p.Malformed()
	}
	events, ok := p.OwnTimes()
	switch {
	case !ok:
		return nil, &weir.Rejection{Reason: wire.ReasonTimeInvalid, Detail: "timestamp"}, nil
	case len(p.Rejected()) > 0: // an event is not stored without its traits
		return nil, &p.Rejected()[0], nil
	}
	return events, nil, nil
}
