package httpd

import (
	"context"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// Ask asks for an insight past the schema, which knows the kinds too.
func Ask(i Insights, q weir.Query) (any, error) {
	s := &Server{cfg: Config{Insights: i}}
	return s.ask(context.Background(), &weir.Project{}, q, 0)
}

// ParseInstant is parseInstant.
func ParseInstant(s string, now time.Time, loc *time.Location, end bool) (time.Time, error) {
	return parseInstant(s, now, loc, end)
}

// ForwardedFor is forwardedFor.
func ForwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	return forwardedFor(values, peer, trusted)
}

// Sharer is sharer.
func Sharer(a netip.Addr) netip.Addr { return sharer(a) }

// Document is what the server serves as its OpenAPI document.
func Document(s *Server) *huma.OpenAPI { return s.api.OpenAPI() }
