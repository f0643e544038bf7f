package receive

import (
	"context"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/wire"
)

// find sets the project that a name stands for, and the key that its rate counts against.
// Errors: EUNAUTHORIZED, EFORBIDDEN for a key that is not for the page, and those of the
// directory.
func (s *sender) find(ctx context.Context, name string) error {
	missing := "the project is not named: use its write key where the SDK wants a token, a site or a domain"
	unknown := "no project is known by this key or name"
	if s.request.Route.Project == wire.KeyInHead {
		missing, unknown = "send the project's write key as Authorization: Bearer", "unknown write key"
	}
	s.project = nil
	if name == "" {
		s.metrics.refused.WithLabelValues(reasonMissing).Inc()
		return weir.Errorf(weir.EUNAUTHORIZED, "%s", missing)
	}
	p, err := s.lookUp(ctx, name)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		s.metrics.refused.WithLabelValues(reasonUnknown).Inc()
		return weir.Errorf(weir.EUNAUTHORIZED, "%s", unknown)
	}
	if err != nil {
		return err
	}
	s.project = p
	if err := checkOrigin(s.request.Header, p.KeyOrigins); err != nil {
		s.metrics.refused.WithLabelValues(reasonOrigin).Inc()
		return err
	}
	if s.rates.limiter != nil {
		if !s.isKey(name) {
			name = "site:" + p.ID // a site has many spellings
		}
		s.key = fleet.Digest(name)
	}
	return nil
}

// lookUp returns the project of a write key or a site. Error: ENOTFOUND.
func (s *sender) lookUp(ctx context.Context, name string) (*weir.Project, error) {
	if s.isKey(name) {
		return s.directory.ProjectByKey(ctx, name)
	}
	return s.directory.ProjectBySite(ctx, name)
}

func (s *sender) isKey(name string) bool {
	return s.request.Route.Project == wire.KeyInHead || strings.HasPrefix(name, weir.KeyPrefix)
}

// maxGuesses bounds how many names of one text are looked up.
const maxGuesses = 8

// namesKnownProject reports whether the request, as far as its text has arrived, names a
// known project. This is only a guess (see wire.Protocol.ProjectNames), so it counts
// nothing in the metrics.
func (s *sender) namesKnownProject(ctx context.Context, text []byte) bool {
	names := s.protocol.ProjectNames(s.request, text)
	for _, name := range names[:min(len(names), maxGuesses)] {
		if name == "" {
			continue
		}
		if _, err := s.lookUp(ctx, name); err == nil {
			return true
		}
	}
	return false
}
