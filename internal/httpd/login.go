package httpd

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/meta"
)

const (
	sessionCookie = "weir_session"
	// hostPrefix makes a browser take a cookie only over TLS, for this host and all its
	// paths (RFC 6265bis, section 4.1.3.2): no other host of the domain can set it.
	hostPrefix = "__Host-"
)

// secureFor says whether the browser speaks TLS, so that its cookies need it too: to us, to a
// trusted proxy that says so, or at the public address.
func (s *Server) secureFor(r *http.Request) bool {
	u := s.cfg.PublicURL
	return callOf(r.Context()).secure || u != nil && u.Scheme == "https" && strings.EqualFold(r.Host, u.Host)
}

func sessionCookieName(secure bool) string {
	if secure {
		return hostPrefix + sessionCookie
	}
	return sessionCookie
}

// sessionSecret returns the secret in the request's cookie, or "".
func (s *Server) sessionSecret(r *http.Request) string {
	c, err := r.Cookie(sessionCookieName(s.secureFor(r)))
	if err != nil {
		return ""
	}
	return c.Value
}

// place describes where a request comes from. The address is shortened, so that it shows a
// provider or a company but no person.
func (s *Server) place(r *http.Request) meta.Place {
	ip := callOf(r.Context()).ip
	at := meta.Place{Network: shortened(ip)}
	if s.cfg.Place != nil {
		at.Device, at.Country = s.cfg.Place(ip, r.UserAgent())
	}
	return at
}

// shortened returns the network of an address: the first 24 bits of IPv4, 48 of IPv6.
func shortened(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 48
	if a = a.Unmap(); a.Is4() {
		bits = 24
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// beginSession signs a user in, under a new secret: one that was known before says nothing
// after it.
func (s *Server) beginSession(ctx context.Context, userID string, by meta.Method) (http.Cookie, error) {
	r := callOf(ctx).request
	secret, err := s.cfg.Directory.BeginSession(ctx, userID, by, s.place(r), s.sessionSecret(r))
	if err != nil {
		return http.Cookie{}, err
	}
	c := s.cookie(r, secret)
	c.Expires, c.MaxAge = s.cfg.Clock.Now().Add(meta.SessionFor), int(meta.SessionFor/time.Second)
	return c, nil
}

// noSession returns the cookie that takes a session's place.
func (s *Server) noSession(ctx context.Context) http.Cookie {
	c := s.cookie(callOf(ctx).request, "")
	c.Expires, c.MaxAge = time.Unix(1, 0), -1
	return c
}

func (s *Server) cookie(r *http.Request, value string) http.Cookie {
	secure := s.secureFor(r)
	return http.Cookie{
		Name: sessionCookieName(secure), Value: value, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure,
	}
}
