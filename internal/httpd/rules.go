package httpd

import (
	"fmt"
	"net/http"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// Need is what a route asks of its caller.
type Need uint8

// The needs.
const (
	// Public asks for nothing and looks at no credential.
	Public Need = iota
	// Session asks for nothing, but identifies the caller.
	Session
	// WriteKey asks for a project's write key, which no other need takes. Package receive
	// checks it.
	WriteKey
	// Sender asks for what WriteKey does, or a name that the project was given,
	// where the protocol of a vendor's SDKs has it: in the body, maybe. Package receive
	// checks it.
	Sender
	// SignedIn asks for a user or a token.
	SignedIn
	// User asks for a user who signed in: a token is refused.
	User
	// InProject asks for a user or token with Rule.Scope in the project
	// that the path's {id}, or else the query's project, names.
	InProject
	// Scraper asks for nothing while Config.OpenMetrics is set, and otherwise for an admin of the
	// server, or a token of one that may read. Any host name does: a page of another site has no token.
	Scraper
	// Instance asks for a user or token that is admin of the whole server.
	Instance
	// Reader asks for the secret of a shared link, with its password or not yet.
	Reader
)

// Rule says what a route asks for. Method and Path are as in http.ServeMux.
type Rule struct {
	Method, Path string
	Need         Need
	// Scope is what the caller must be allowed: with InProject in the project, otherwise, if
	// the caller is a token, anywhere.
	Scope weir.Scopes
	// Act is what the audit log calls a call of the route that was done or refused. Each route
	// that changes something has one.
	Act string
	// Shown are the shared links whose readers may call it too, in the link's project: with
	// InProject. Whoever has a link is a reader, so none of these routes may show people.
	Shown []meta.Shown
	// Anywhere says that pages of any site may call it: it has CORS.
	Anywhere bool
}

func (r Rule) pattern() string { return r.Method + " " + r.Path }

// What the page of each shared link asks.
var (
	shownNow      = []meta.Shown{meta.ShowsOverview, meta.ShowsLive}
	shownOverTime = []meta.Shown{meta.ShowsOverview}
)

// Rules lists every route. A refusal is 401 when it is not known who calls;
// 404 when they have no role in the project, the same as when there is no such
// project, so that nobody learns of others' projects; 403 when they are known
// and their role, scope or kind of credential does not suffice.
func Rules() []Rule {
	return append(senderRules(), []Rule{
		{Method: "GET", Path: "/healthz", Need: Public},
		{Method: "GET", Path: "/readyz", Need: Public},
		{Method: "GET", Path: "/metrics", Need: Scraper, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/openapi.json", Need: Public},
		{Method: "GET", Path: "/weir.js", Need: Public},

		{Method: "GET", Path: "/api/v1/session", Need: Session},
		{Method: "POST", Path: "/api/v1/setup", Need: Session, Act: "server.setup"},
		{Method: "POST", Path: "/api/v1/login", Need: Session, Act: "sign-in"},
		{Method: "POST", Path: "/api/v1/logout", Need: Session, Act: "sign-out"},
		{Method: "POST", Path: "/api/v1/password/forgotten", Need: Session, Act: "password.forgotten"},
		{Method: "POST", Path: "/api/v1/password/reset", Need: Session, Act: "password.reset"},
		{Method: "POST", Path: "/api/v1/invitation", Need: Session},
		{Method: "POST", Path: "/api/v1/invitation/accept", Need: Session, Act: "invitation.accept"},

		{Method: "GET", Path: "/api/v1/oidc/begin", Need: Session},
		{Method: "GET", Path: "/api/v1/oidc/callback", Need: Session, Act: "sign-in"},

		{Method: "PUT", Path: "/api/v1/account/password", Need: User, Act: "password.change"},
		{Method: "POST", Path: "/api/v1/account/totp", Need: User, Act: "second-factor.start"},
		{Method: "POST", Path: "/api/v1/account/totp/confirm", Need: User, Act: "second-factor.on"},
		{Method: "POST", Path: "/api/v1/account/totp/remove", Need: User, Act: "second-factor.off"},
		{Method: "POST", Path: "/api/v1/account/totp/recovery-codes", Need: User, Act: "second-factor.codes"},
		{Method: "GET", Path: "/api/v1/account/sessions", Need: User},
		{Method: "DELETE", Path: "/api/v1/account/sessions", Need: User, Act: "session.end"},
		{Method: "DELETE", Path: "/api/v1/account/sessions/{session}", Need: User, Act: "session.end"},

		{Method: "GET", Path: "/api/v1/projects", Need: SignedIn, Scope: weir.ScopeRead},
		{Method: "POST", Path: "/api/v1/projects", Need: Instance, Scope: weir.ScopeAdmin, Act: "project.create"},
		{Method: "GET", Path: "/api/v1/projects/{id}", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PATCH", Path: "/api/v1/projects/{id}", Need: InProject, Scope: weir.ScopeAdmin, Act: "project.change"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}", Need: InProject, Scope: weir.ScopeAdmin, Act: "project.delete"},
		{Method: "GET", Path: "/api/v1/project-deletions", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "GET", Path: "/api/v1/projects/{id}/usage", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/keys", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/projects/{id}/keys", Need: InProject, Scope: weir.ScopeAdmin, Act: "key.create"},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/keys/{key}", Need: InProject, Scope: weir.ScopeAdmin, Act: "key.change"},
		{Method: "POST", Path: "/api/v1/projects/{id}/keys/{key}/rotate", Need: InProject, Scope: weir.ScopeAdmin, Act: "key.rotate"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/keys/{key}", Need: InProject, Scope: weir.ScopeAdmin, Act: "key.revoke"},

		{Method: "GET", Path: "/api/v1/projects/{id}/tokens", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/projects/{id}/tokens", Need: InProject, Scope: weir.ScopeAdmin, Act: "token.create"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/tokens/{token}", Need: InProject, Scope: weir.ScopeAdmin, Act: "token.revoke"},
		{Method: "GET", Path: "/api/v1/tokens", Need: SignedIn, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/tokens", Need: SignedIn, Scope: weir.ScopeAdmin, Act: "token.create"},
		{Method: "DELETE", Path: "/api/v1/tokens/{token}", Need: SignedIn, Scope: weir.ScopeAdmin, Act: "token.revoke"},
		{Method: "GET", Path: "/api/v1/audit", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "GET", Path: "/api/v1/projects/{id}/audit", Need: InProject, Scope: weir.ScopeAdmin},

		{Method: "GET", Path: "/api/v1/projects/{id}/members", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/projects/{id}/members", Need: InProject, Scope: weir.ScopeAdmin, Act: "member.add"},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/members/{user}", Need: InProject, Scope: weir.ScopeAdmin, Act: "member.change"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/members/{user}", Need: InProject, Scope: weir.ScopeAdmin, Act: "member.remove"},
		{Method: "GET", Path: "/api/v1/projects/{id}/invitations", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/projects/{id}/invitations", Need: InProject, Scope: weir.ScopeAdmin, Act: "invitation.create"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/invitations/{invitation}", Need: InProject, Scope: weir.ScopeAdmin, Act: "invitation.withdraw"},

		{Method: "GET", Path: "/api/v1/projects/{id}/shares", Need: InProject, Scope: weir.ScopeWrite},
		{Method: "POST", Path: "/api/v1/projects/{id}/shares", Need: InProject, Scope: weir.ScopeWrite, Act: "share.create"},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/shares/{share}", Need: InProject, Scope: weir.ScopeWrite, Act: "share.change"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/shares/{share}", Need: InProject, Scope: weir.ScopeWrite, Act: "share.end"},
		{Method: "GET", Path: "/api/v1/share", Need: Reader},
		{Method: "POST", Path: "/api/v1/share/open", Need: Reader},

		{Method: "GET", Path: "/api/v1/projects/{id}/stats/overview", Need: InProject, Scope: weir.ScopeRead, Shown: shownNow},
		{Method: "GET", Path: "/api/v1/projects/{id}/stats/trend", Need: InProject, Scope: weir.ScopeRead, Shown: shownNow},
		{Method: "GET", Path: "/api/admin/stats/overview", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/admin/stats/trend", Need: InProject, Scope: weir.ScopeRead},
		{Method: "POST", Path: "/api/v1/projects/{id}/query", Need: InProject, Scope: weir.ScopeRead, Shown: shownOverTime},
		{Method: "POST", Path: "/api/v1/projects/{id}/sql", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/sql/schema", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/events", Need: InProject, Scope: weir.ScopePersons},
		{Method: "GET", Path: "/api/v1/projects/{id}/names", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/names/{name}", Need: InProject, Scope: weir.ScopeWrite, Act: "event.describe"},
		{Method: "GET", Path: "/api/v1/projects/{id}/columns", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/columns/{column}/values", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/columns/{column}", Need: InProject, Scope: weir.ScopeWrite, Act: "column.describe"},
		{Method: "GET", Path: "/api/v1/projects/{id}/actions", Need: InProject, Scope: weir.ScopeRead},
		{Method: "POST", Path: "/api/v1/projects/{id}/actions", Need: InProject, Scope: weir.ScopeWrite, Act: "action.create"},
		{Method: "GET", Path: "/api/v1/projects/{id}/actions/{action}", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/actions/{action}", Need: InProject, Scope: weir.ScopeWrite, Act: "action.change"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/actions/{action}", Need: InProject, Scope: weir.ScopeWrite, Act: "action.delete"},
		{Method: "GET", Path: "/api/v1/projects/{id}/alerts", Need: InProject, Scope: weir.ScopeRead},
		{Method: "POST", Path: "/api/v1/projects/{id}/alerts", Need: InProject, Scope: weir.ScopeWrite, Act: "alert.create"},
		{Method: "GET", Path: "/api/v1/projects/{id}/alerts/{alert}", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PATCH", Path: "/api/v1/projects/{id}/alerts/{alert}", Need: InProject, Scope: weir.ScopeWrite, Act: "alert.change"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/alerts/{alert}", Need: InProject, Scope: weir.ScopeWrite, Act: "alert.delete"},
		{Method: "POST", Path: "/api/v1/projects/{id}/alerts/{alert}/silence", Need: InProject, Scope: weir.ScopeWrite, Act: "alert.silence"},
		{Method: "POST", Path: "/api/v1/projects/{id}/alerts/{alert}/test", Need: InProject, Scope: weir.ScopeWrite, Act: "alert.test"},
		{Method: "GET", Path: "/api/v1/projects/{id}/alerts/{alert}/history", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/profiles", Need: InProject, Scope: weir.ScopePersons},
		{Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}", Need: InProject, Scope: weir.ScopePersons},
		{Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}/events", Need: InProject, Scope: weir.ScopePersons},
		{Method: "GET", Path: "/api/v1/projects/{id}/profiles/{profile}/export", Need: InProject, Scope: weir.ScopePersons, Act: "profile.export"},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/profiles/{profile}", Need: InProject, Scope: weir.ScopeAdmin, Act: "profile.erase"},
		{Method: "POST", Path: "/api/v1/projects/{id}/deletions", Need: InProject, Scope: weir.ScopeAdmin, Act: "events.delete"},
		{Method: "GET", Path: "/api/v1/projects/{id}/deletions", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "GET", Path: "/api/v1/projects/{id}/deletions/{deletion}", Need: InProject, Scope: weir.ScopeAdmin},
		{Method: "DELETE", Path: "/api/v1/projects/{id}/deletions/{deletion}", Need: InProject, Scope: weir.ScopeAdmin, Act: "deletion.cancel"},
		{Method: "GET", Path: "/api/v1/projects/{id}/live", Need: InProject, Scope: weir.ScopeRead, Shown: shownNow},

		{Method: "GET", Path: "/api/v1/projects/{id}/reports/daily", Need: InProject, Scope: weir.ScopeRead},
		{Method: "GET", Path: "/api/v1/projects/{id}/reports/daily/{date}", Need: InProject, Scope: weir.ScopeRead},
		{Method: "POST", Path: "/api/v1/projects/{id}/reports/daily/{date}", Need: InProject, Scope: weir.ScopeWrite, Act: "report.compute"},
		{Method: "GET", Path: "/api/v1/projects/{id}/reports/schedule", Need: InProject, Scope: weir.ScopeRead},
		{Method: "PUT", Path: "/api/v1/projects/{id}/reports/schedule", Need: InProject, Scope: weir.ScopeAdmin, Act: "report.schedule"},

		{Method: "GET", Path: "/api/v1/admins", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/v1/admins", Need: Instance, Scope: weir.ScopeAdmin, Act: "admin.add"},
		{Method: "DELETE", Path: "/api/v1/admins/{user}", Need: Instance, Scope: weir.ScopeAdmin, Act: "admin.remove"},
		{Method: "POST", Path: "/api/v1/admins/{user}/owner", Need: Instance, Scope: weir.ScopeAdmin, Act: "server.hand-over"},
		{Method: "GET", Path: "/api/admin/status", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "GET", Path: "/api/admin/users", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "GET", Path: "/api/admin/users/{user}", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "PATCH", Path: "/api/admin/users/{user}", Need: Instance, Scope: weir.ScopeAdmin, Act: "user.change"},
		{Method: "POST", Path: "/api/admin/users/{user}/reset", Need: Instance, Scope: weir.ScopeAdmin, Act: "user.reset"},
		{Method: "DELETE", Path: "/api/admin/users/{user}/sessions", Need: Instance, Scope: weir.ScopeAdmin, Act: "user.sign-out"},
		{Method: "DELETE", Path: "/api/admin/users/{user}/identity", Need: Instance, Scope: weir.ScopeAdmin, Act: "user.unlink"},
		{Method: "DELETE", Path: "/api/admin/users/{user}/totp", Need: Instance, Scope: weir.ScopeAdmin, Act: "user.reset-totp"},
		{Method: "GET", Path: "/api/admin/sign-in", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "PATCH", Path: "/api/admin/sign-in", Need: Instance, Scope: weir.ScopeAdmin, Act: "server.sign-in"},
		{Method: "GET", Path: "/api/admin/invitations", Need: Instance, Scope: weir.ScopeAdmin},
		{Method: "POST", Path: "/api/admin/invitations", Need: Instance, Scope: weir.ScopeAdmin, Act: "invitation.create"},
		{Method: "DELETE", Path: "/api/admin/invitations/{invitation}", Need: Instance, Scope: weir.ScopeAdmin, Act: "invitation.withdraw"},
	}...)
}

// guardedMux is a mux that takes no handler without its rule and lets nobody
// past it whom the rule refuses.
type guardedMux struct {
	*http.ServeMux
	server *Server
	rules  map[string]Rule // by pattern; a mounted one is taken out
	// refusers write the errors of routes that have a form of their own for them.
	refusers map[string]func(http.ResponseWriter, *http.Request, *Error)
}

func newGuardedMux(s *Server) *guardedMux {
	m := &guardedMux{
		ServeMux: http.NewServeMux(), server: s, rules: map[string]Rule{},
		refusers: map[string]func(http.ResponseWriter, *http.Request, *Error){},
	}
	for _, r := range Rules() {
		m.rules[r.pattern()] = r
	}
	return m
}

// HandleFunc mounts a handler behind its rule. huma mounts through it too.
func (m *guardedMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	rule, ok := m.rules[pattern]
	if !ok {
		panic(fmt.Sprintf("httpd: route %q has no rule, or is mounted twice", pattern))
	}
	delete(m.rules, pattern)
	m.ServeMux.Handle(pattern, m.server.admitting(rule, http.HandlerFunc(h)))
}

func (m *guardedMux) complete() {
	for pattern := range m.rules {
		panic(fmt.Sprintf("httpd: rule %q has no route", pattern))
	}
}
