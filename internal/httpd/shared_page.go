package httpd

import (
	"context"
	"net/http"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// sharePath is before the secret in the address of a shared link.
const sharePath = "/share/"

// sharedSecret returns the secret in the path of a shared link's page.
func sharedSecret(path string) (secret string, ok bool) {
	secret, ok = strings.CutPrefix(path, sharePath)
	secret = strings.TrimSuffix(secret, "/")
	return secret, ok && secret != "" && !strings.Contains(secret, "/")
}

// sharedPage answers with the page of a shared link, which the link's origins may embed. The page of a
// link that has ended, or never was, is the same with the status 404. Errors: ERATELIMITED.
func (s *Server) sharedPage(w http.ResponseWriter, r *http.Request, secret string) error {
	ctx := r.Context()
	var origins []string
	err := s.guesses.checkSecret(ctx, "token", callOf(ctx).ip, func() error {
		x, err := s.shareOf(ctx, secret)
		if err == nil {
			origins = x.Origins
		}
		return err
	})
	status := http.StatusOK
	switch weir.ErrorCode(err) {
	case "":
	case weir.EUNAUTHORIZED:
		status = http.StatusNotFound
	default:
		return err
	}
	h := w.Header()
	s.ui.head(ctx, h, origins)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(s.ui.page()) // who does not read it is gone
	}
	return nil
}

// head sets the headers of the dashboard's page, which pages of the origins may embed.
func (u *ui) head(ctx context.Context, h http.Header, origins []string) {
	policy := pagePolicy
	if len(origins) > 0 {
		policy = strings.Replace(policy, noFrames, "frame-ancestors "+strings.Join(origins, " "), 1)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", permissions)
	if callOf(ctx).secure { // browsers take it with TLS only
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}
