package wire

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// PostHogExported reads one event as PostHog keeps and exports it: an object with
// event, distinct_id, timestamp (RFC 3339), properties and, where they are known,
// uuid, $set, $set_once and $unset. It becomes what it would have become if it had
// been sent, but for its time, which PostHog has corrected already and which is left
// to the caller to bound. An event that sets traits too becomes two.
//
// rejected is why it becomes none; its Reason is ReasonUnsupported, with the event's
// name as Detail, for what Weir does not keep. EINVALID is the error of what is not
// one JSON object. Nothing returned holds on to the text. It is safe for concurrent
// use.
func PostHogExported(event []byte, l Limits) (in []weir.Incoming, rejected *weir.Rejection, err error) {
	p := posthogs.Get().(*posthog)
	defer func() {
		if p.close() {
			posthogs.Put(p)
		}
	}()
	p.start(&Request{Limits: l}, event)
	if p.peek() != '{' {
		p.fail("want an object")
	}
	if p.fault == "" {
		p.item()
	}
	if p.space(); p.fault == "" && p.pos < len(p.data) {
		p.fail("want nothing after the value")
	}
	if p.fault != "" {
		return nil, nil, p.malformed()
	}
	for i := range p.in {
		s := p.stamps[i]
		if !s.given {
			return nil, &weir.Rejection{Reason: ReasonTimeInvalid, Detail: "timestamp"}, nil
		}
		p.in[i].Event.Time = time.UnixMicro(s.us).UTC()
	}
	if len(p.rejected) > 0 {
		// An event whose traits cannot be kept is refused with them.
		return nil, &p.rejected[0], nil
	}
	return p.in, nil, nil
}
