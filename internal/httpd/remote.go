package httpd

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// remote returns the client's address, and whether the client uses TLS. What a proxy says
// counts only if the proxy is trusted.
func (s *Server) remote(r *http.Request) (ip string, secure bool) {
	secure = r.TLS != nil
	peer, ok := weir.ParseHop(r.RemoteAddr)
	if !ok {
		return "", secure
	}
	if !s.trusted(peer) {
		return peer.String(), secure
	}
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	return forwardedFor(r.Header.Values("X-Forwarded-For"), peer, s.trusted).String(), secure
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// forwardedFor returns the last address in X-Forwarded-For that is not a trusted proxy's.
// Each proxy appends the address that it got the request from, so the walk starts at the
// end. It stops at a text that is no address: nothing before it can be trusted.
func forwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	hops := strings.Split(strings.Join(values, ","), ",")
	client := peer
	for _, hop := range slices.Backward(hops) {
		a, ok := weir.ParseHop(hop)
		if !ok {
			break
		}
		client = a
		if !trusted(a) {
			break
		}
	}
	return client
}
