package httpd

import (
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
)

// ForwardedFor is forwardedFor.
func ForwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	return forwardedFor(values, peer, trusted)
}

// Sharer is sharer.
func Sharer(a netip.Addr) netip.Addr { return sharer(a) }

// Document is what the server serves as its OpenAPI document.
func Document(s *Server) *huma.OpenAPI { return s.api.OpenAPI() }

// IsDashboardRoute is isDashboardRoute.
func IsDashboardRoute(path string) bool { return isDashboardRoute(path) }
