package httpd

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// remote is the client's address and whether it speaks TLS. A proxy's word
// counts only when the proxy is trusted.
func (s *Server) remote(r *http.Request) (ip string, secure bool) {
	secure = r.TLS != nil
	peer, ok := parseAddr(r.RemoteAddr)
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

// forwardedFor walks X-Forwarded-For from its end, where each proxy appends
// whom it heard from, to the first address that no trusted proxy has. It stops
// at what is no address, as nothing before it can be believed.
func forwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	hops := strings.Split(strings.Join(values, ","), ",")
	client := peer
	for _, hop := range slices.Backward(hops) {
		a, ok := parseAddr(strings.TrimSpace(hop))
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

// parseAddr reads an address with or without a port and brackets. IPv4 in IPv6
// becomes IPv4, and zones are dropped.
func parseAddr(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap().WithZone(""), true
}
