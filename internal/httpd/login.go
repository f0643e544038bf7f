package httpd

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

const (
	sessionCookie = "weir_session"
	sessionFor    = 14 * 24 * time.Hour
	sessionUser   = "user" // in the session: the user's id
)

// logins are login sessions, by cookie. Sessions are written at login and
// logout alone, so they are not scs's middleware's to save.
type logins struct{ m *scs.SessionManager }

// managing is what all are copies of: each scs.New starts a goroutine, for a store
// that nobody uses, which never ends.
var managing = scs.New()

func newLogins(store scs.Store) *logins {
	m := *managing
	m.Store = store
	m.Lifetime = sessionFor
	return &logins{&m}
}

// load puts the request's session into its context.
func (l *logins) load(r *http.Request) (context.Context, error) {
	var token string
	if c, err := r.Cookie(sessionCookie); err == nil {
		token = c.Value
	}
	ctx, err := l.m.Load(r.Context(), token)
	if err != nil {
		return nil, fmt.Errorf("httpd: load session: %w", err)
	}
	return ctx, nil
}

// userID is who is signed in, or "".
func (l *logins) userID(ctx context.Context) string { return l.m.GetString(ctx, sessionUser) }

// begin signs a user in, under a new token: one that was known before the login
// says nothing after it.
func (l *logins) begin(ctx context.Context, userID string) (http.Cookie, error) {
	if err := l.m.RenewToken(ctx); err != nil {
		return http.Cookie{}, fmt.Errorf("httpd: begin session: %w", err)
	}
	l.m.Put(ctx, sessionUser, userID)
	token, expiry, err := l.m.Commit(ctx)
	if err != nil {
		return http.Cookie{}, fmt.Errorf("httpd: begin session: %w", err)
	}
	c := cookie(ctx, token)
	c.Expires, c.MaxAge = expiry, int(sessionFor/time.Second)
	return c, nil
}

// end signs out.
func (l *logins) end(ctx context.Context) (http.Cookie, error) {
	if err := l.m.Destroy(ctx); err != nil {
		return http.Cookie{}, fmt.Errorf("httpd: end session: %w", err)
	}
	c := cookie(ctx, "")
	c.Expires, c.MaxAge = time.Unix(1, 0), -1
	return c, nil
}

func cookie(ctx context.Context, value string) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: value, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: callOf(ctx).secure,
	}
}
