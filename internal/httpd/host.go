package httpd

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// codeHost is for a request that names a host that this server is not.
const codeHost = "misdirected"

// maxHost is the longest name of DNS, in bytes.
const maxHost = 253

// checkHost refuses a request to a name that is not the server's own. A name can
// be made to lead to any address, that of a server on loopback too (DNS rebinding), and
// the browser takes the page that did it for one of this server's. X-Forwarded-Host
// does not count: such a page may set it.
func (s *Server) checkHost(r *http.Request) error {
	if s.cfg.AnyHost {
		return nil
	}
	host := hostName(r.Host)
	if loopbackName(host) || s.cfg.PublicURL != nil && host == hostName(s.cfg.PublicURL.Host) {
		return nil
	}
	return newError(codeHost, fmt.Sprintf("this server is not known as %q: start it with --public-url and the address at which people reach it, "+
		"such as https://weir.example.com; a proxy before it passes the Host on", host[:min(len(host), maxHost)]), nil, nil)
}

// basePath returns the path of the server's public address: "/weir", or "" for none.
func basePath(public *url.URL) string {
	if public == nil {
		return ""
	}
	return strings.TrimSuffix(public.Path, "/")
}

// belowBase takes the path of the public address off a request's path. A proxy may have taken it
// off before: then the request stays as it is.
func (s *Server) belowBase(r *http.Request) *http.Request {
	if s.base == "" {
		return r
	}
	rest, ok := strings.CutPrefix(r.URL.Path, s.base)
	if !ok || rest != "" && rest[0] != '/' {
		return r
	}
	u := *r.URL
	u.Path = "/" + strings.TrimPrefix(rest, "/")
	if u.RawPath != "" {
		// The base has no escapes (see --public-url), so it is as long in both forms.
		u.RawPath = "/" + strings.TrimPrefix(u.RawPath[min(len(s.base), len(u.RawPath)):], "/")
	}
	below := *r
	below.URL = &u
	return &below
}

// hostName is the name or address of a Host field, without port, brackets and the
// full stop of a whole name, in lower case.
func hostName(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// loopbackName says whether a name leads to the asker's own machine, whoever is
// asked (RFC 6761, section 6.3).
func loopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// ownOrigin returns a check of origins that also accepts the server's public address, since
// not every proxy passes the Host on as the browser sent it.
func ownOrigin(public *url.URL) *http.CrossOriginProtection {
	p := http.NewCrossOriginProtection()
	if public != nil {
		// Its only error is an address that is no origin, which no browser sends.
		_ = p.AddTrustedOrigin(public.Scheme + "://" + public.Host)
	}
	return p
}
