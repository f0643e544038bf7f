package httpd

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
)

// ForwardedFor is forwardedFor.
func ForwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	return forwardedFor(values, peer, trusted)
}

// Sharer is sharer.
func Sharer(a netip.Addr) netip.Addr { return sharer(a) }

// Listener is listener.
func (c *Conns) Listener(l net.Listener) net.Listener { return c.listener(l, nil) }

// Room says whether add finds room for a connection from an address.
func (c *Conns) Room(from netip.Addr) bool {
	return c.add(&conn{Conn: &net.TCPConn{}, raw: &net.TCPConn{}, conns: c, from: from})
}

// State is state.
func (c *Conns) State(raw net.Conn, to http.ConnState) { c.state(raw, to) }

// Document is what the server serves as its OpenAPI document.
func Document(s *Server) *huma.OpenAPI { return s.api.OpenAPI() }

// IsDashboardRoute is isDashboardRoute.
func IsDashboardRoute(path string) bool { return isDashboardRoute(path) }

// Shown is get.
func Shown(c *Certificate) (*tls.Certificate, error) { return c.get(nil) }
