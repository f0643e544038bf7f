package receive

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// checkOrigin refuses a request with a write key that is restricted to origins, if it is not from
// a page of one of these. Browsers say in Origin where a page is from. Other senders may send
// any Origin. So this stops other sites from using the key, but it does not stop an attacker.
// Error: EFORBIDDEN.
func checkOrigin(h http.Header, origins []string) error {
	if len(origins) == 0 {
		return nil
	}
	origin := h.Get("Origin")
	if origin == "" {
		return weir.Errorf(weir.EFORBIDDEN, "this write key is only for pages of its origins, and the request has no Origin header: use another key outside of browsers")
	}
	if u, err := url.Parse(origin); err == nil && u.Host != "" {
		for _, o := range origins {
			if isOf(u, o) {
				return nil
			}
		}
	}
	return weir.Errorf(weir.EFORBIDDEN, "this write key is not for pages of %s: add it to the key's origins, or use another key", shortened(origin))
}

// isOf says whether a page's origin is one that a key names: a host, a host with a port,
// or *.host for all below a host. A host without a port is for every port.
func isOf(page *url.URL, origin string) bool {
	host := strings.ToLower(page.Hostname())
	if below, ok := strings.CutPrefix(origin, "*"); ok {
		return len(host) > len(below) && strings.HasSuffix(host, below)
	}
	return origin == host || origin == strings.ToLower(page.Host)
}

func shortened(s string) string { return s[:min(len(s), 100)] }

// Preflight says whether a page may send the request that a browser asks about. It may, unless
// the request's address names a write key that is restricted to other origins. A preflight has neither
// the headers nor the body of the request. Most SDKs put the key there: then the request itself is
// refused.
// Errors: EFORBIDDEN; those of the directory.
func (c *Receiver) Preflight(ctx context.Context, p wire.Protocol, r *wire.Request) error {
	s := &sender{Receiver: c, protocol: p, request: r}
	names := p.ProjectNames(r, nil)
	for _, name := range names[:min(len(names), maxGuesses)] {
		if name == "" || !s.isKey(name) {
			continue
		}
		project, err := s.lookUp(ctx, name)
		switch {
		case weir.ErrorCode(err) == weir.ENOTFOUND: // the request itself is refused
		case err != nil:
			return err
		default:
			if err := checkOrigin(r.Header, project.KeyOrigins); err != nil {
				return err
			}
		}
	}
	return nil
}
