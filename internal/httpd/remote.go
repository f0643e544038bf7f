package httpd

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// remote returns the client's address, and whether the client uses TLS. What a proxy says
// counts only if the proxy is trusted.
func (s *Server) remote(r *http.Request) (ip string, secure bool) {
	secure = r.TLS != nil
	peer, ok := peerOf(r)
	if !ok {
		return "", secure
	}
	if !s.trusted(peer) {
		s.strangeProxy(r, peer)
		return peer.String(), secure
	}
	if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
		secure = strings.EqualFold(proto, "https")
	}
	if hops := r.Header.Values("X-Forwarded-For"); len(hops) > 0 {
		peer = forwardedFor(hops, peer, s.trusted)
	}
	return peer.String(), secure
}

// peerOf returns the address of who is connected; false if it has none, such as a socket's.
func peerOf(r *http.Request) (netip.Addr, bool) {
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil { // as net/http has it
		return a.Addr().Unmap().WithZone(""), true
	}
	return weir.ParseHop(r.RemoteAddr)
}

// strangeProxy counts a request that a proxy in the own network has passed on, if the proxy is not trusted: all its visitors have its
// address then. The log says so once. What comes from public addresses may be anybody's invention.
func (s *Server) strangeProxy(r *http.Request, peer netip.Addr) {
	if len(r.Header.Values("X-Forwarded-For")) == 0 || !peer.IsPrivate() && !peer.IsLoopback() && !peer.IsLinkLocalUnicast() {
		return
	}
	s.metrics.strangeProxies.Inc()
	s.strange.Do(func() {
		s.log.Warn("a private address sends X-Forwarded-For and is not a trusted proxy: all visitors who come through it count as one; if it is your proxy, name it in --trusted-proxies",
			"address", peer.String())
	})
}

// checkOrigin refuses a request that a browser sends for a page of another site. Programs send no Origin. A trusted
// proxy that does not pass the Host on says it in X-Forwarded-Host, which a page of another site cannot set.
func (s *Server) checkOrigin(r *http.Request) error {
	err := s.origin.Check(r)
	if err == nil || r.Header.Get("Sec-Fetch-Site") != "" {
		return err
	}
	peer, ok := peerOf(r)
	if !ok || !s.trusted(peer) {
		return err
	}
	hosts := strings.Split(strings.Join(r.Header.Values("X-Forwarded-Host"), ","), ",")
	origin, parseErr := url.Parse(r.Header.Get("Origin"))
	if parseErr == nil && origin.Host != "" && strings.EqualFold(origin.Host, strings.TrimSpace(hosts[len(hosts)-1])) {
		return nil
	}
	return err
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
