package receive

import (
	"cmp"
	"context"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
)

// deliver stores the events of each part. It returns the state of the last key's rate. It
// returns an error only if no part was stored: the error of the first part. An unknown
// project is not an error with wire.AnswerUnknown.
func (s *sender) deliver(ctx context.Context, decoded *wire.Decoded) (key *ingest.Standing, first error) {
	stored := 0
	for i := range decoded.Parts {
		part := &decoded.Parts[i]
		var standing *ingest.Standing
		standing, part.Err = s.deliverPart(ctx, decoded, part)
		key = cmp.Or(standing, key)
		switch {
		case part.Err == nil:
			stored++
			continue
		case weir.ErrorCode(part.Err) == weir.EFORBIDDEN:
			s.ingest.Refused(part.Err)
		case weir.ErrorCode(part.Err) == weir.EUNAUTHORIZED:
			s.ingest.Refused(part.Err)
			if decoded.Unknown == wire.AnswerUnknown {
				continue
			}
		}
		if first == nil {
			first = part.Err
		}
	}
	if stored > 0 {
		first = nil
	}
	return key, first
}

// deliverPart stores the events of one part. With wire.PartsRepeat a project gets the
// events of its first part; the others have the same result.
func (s *sender) deliverPart(ctx context.Context, decoded *wire.Decoded, part *wire.Part) (*ingest.Standing, error) {
	if s.request.Route.Project == wire.InRequest {
		err := s.find(ctx, part.Project)
		if err = s.address.hold(ctx, s.project, err); err != nil {
			return nil, err
		}
	}
	if decoded.Parted == wire.PartsDiffer {
		return s.store(ctx, decoded, part)
	}
	if result, ok := s.results[s.project.ID]; ok {
		return nil, result
	}
	standing, err := s.store(ctx, decoded, part)
	if s.results == nil {
		s.results = map[string]error{}
	}
	s.results[s.project.ID] = err
	return standing, err
}

// store stores the events of one part in s.project, and completes the part for the answer.
func (s *sender) store(ctx context.Context, decoded *wire.Decoded, part *wire.Part) (*ingest.Standing, error) {
	reply, err := s.ingest.Deliver(ctx, s.project, part.Events, part.Rejected, s.remote(decoded.From))
	if err != nil {
		return reply.Standing, err
	}
	part.Accepted, part.Duplicates, part.Rejected = reply.Accepted, reply.Duplicates, reply.Rejected
	if v := part.Visitor; v != nil {
		part.Device, err = s.ingest.Device(ctx, s.project, ingest.Remote{IP: cmp.Or(v.IP, s.request.IP), UserAgent: cmp.Or(v.UserAgent, s.request.UserAgent)})
	}
	return reply.Standing, err
}

// remote describes the sender to ingest.
func (s *sender) remote(from wire.From) ingest.Remote {
	return ingest.Remote{
		IP: s.request.IP, UserAgent: s.request.UserAgent, Key: s.key,
		Historical: from == wire.FromLog, Page: from == wire.FromPage,
	}
}
