package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/meta"
)

// Audit is the log of administrative acts. *meta.Store is one.
type Audit interface {
	AddAudit(ctx context.Context, e meta.AuditEntry) error
	Audit(ctx context.Context, q meta.AuditQuery) (entries []meta.AuditEntry, next string, err error)
}

// What is stored of the address from which an act came.
const (
	AddressFull    = "full"
	AddressNetwork = "network" // without its end; the default
	AddressOff     = "off"
)

// refusals bounds the refused acts that are logged: of each user and token, and of all
// strangers together.
var refusals = fleet.Limit{Every: time.Minute, Burst: 60}

// auditWithin bounds how long an act may take to be logged.
const auditWithin = 10 * time.Second

// act is what a running request adds to its entry in the audit log.
type act struct {
	account *meta.Account // whose sign-in it is
	target  string
	detail  map[string]string
	others  []meta.AuditEntry // acts that it did besides, which are done whatever its answer is: see alsoDid
}

// alsoDid notes another act of a request.
func (c *call) alsoDid(e meta.AuditEntry) { c.act.others = append(c.act.others, e) }

// acted notes what a request acted on, and more about it in pairs of name and value. Values
// are no secrets. A target in the route's path is noted without it.
func (c *call) acted(target string, detail ...string) {
	if target != "" {
		c.act.target = target
	}
	if c.act.detail == nil {
		c.act.detail = map[string]string{}
	}
	for i := 0; i < len(detail); i += 2 {
		c.act.detail[detail[i]] = detail[i+1]
	}
}

// signingIn notes for the audit log whose account a sign-in is for, also if it will be
// refused. An address without an account is not noted: people also type passwords there.
func (s *Server) signingIn(ctx context.Context, email string) {
	if u, err := s.cfg.Directory.UserByEmail(ctx, account(email)); err == nil {
		callOf(ctx).act.account = u
	}
}

// audit logs a request that its rule names an act of: if it was done, and if somebody was
// refused to do it.
func (s *Server) audit(w http.ResponseWriter, r *http.Request, rule Rule) {
	answer, ok := w.(*recorder) // that of serve, on the routes with acts
	if rule.Act == "" || !ok {
		return
	}
	status := answer.code()
	c := callOf(r.Context())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditWithin)
	defer cancel()
	for _, other := range c.act.others {
		e := s.auditEntry(rule, r, c)
		e.Act, e.ProjectID, e.Target, e.Detail = other.Act, other.ProjectID, other.Target, other.Detail
		s.storeAudit(ctx, e)
	}
	refused := false
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		if rule.Need != Session && !c.who.known() {
			return // somebody who is nobody
		}
		refused = true
	default:
		if status >= 400 {
			return // it was a mistake, or failed
		}
	}
	if refused {
		wait, _, err := s.guesses.own.Take(ctx, "audit:"+c.who.name(), refusals, 1)
		if err != nil || wait > 0 {
			s.metrics.auditSkipped.Inc()
			return
		}
	}
	e := s.auditEntry(rule, r, c)
	e.Refused = refused
	s.storeAudit(ctx, e)
}

// storeAudit logs and stores an entry.
func (s *Server) storeAudit(ctx context.Context, e meta.AuditEntry) {
	s.log.LogAttrs(ctx, slog.LevelInfo, "audit", slog.String("act", e.Act), slog.Bool("refused", e.Refused), slog.String("user", e.UserID), slog.String("token", e.TokenID),
		slog.String("project", e.ProjectID), slog.String("target", e.Target), slog.Any("detail", e.Detail), slog.String("request_id", e.RequestID))
	if err := s.cfg.Directory.AddAudit(ctx, e); err != nil {
		s.metrics.auditFailed.Inc()
		s.log.ErrorContext(ctx, "an act was not stored in the audit log; this log has it in the line before", "request_id", e.RequestID, "error", err)
	}
}

func (s *Server) auditEntry(rule Rule, r *http.Request, c *call) meta.AuditEntry {
	e := meta.AuditEntry{
		At: s.cfg.Clock.Now(), Act: rule.Act, RequestID: c.id, Target: c.act.target, Detail: c.act.detail, Via: "api",
	}
	if t := c.who.token; t != nil {
		e.TokenID, e.Name = t.ID, t.Name
	}
	if c.who.share != nil {
		e.Name = c.who.name()
	}
	user := c.who.user
	if c.act.account != nil {
		user = c.act.account
	}
	if user != nil {
		e.UserID, e.Name = user.ID, user.Email
	}
	if c.project != nil {
		e.ProjectID = c.project.ID
	}
	switch {
	case strings.HasPrefix(r.UserAgent(), "weir-cli/"):
		e.Via = "cli"
	case c.who.session != nil || rule.Need == Session && c.act.account != nil:
		e.Via = "page"
	}
	if e.Target == "" {
		e.Target = targetOf(rule, r)
	}
	switch s.cfg.AuditAddress {
	case AddressFull:
		e.Address = c.ip
	case AddressOff:
	default:
		e.Address = shortened(c.ip)
	}
	return e
}

// targetOf returns the last value of a route's path that is no project. A profile's id is left
// out: the log lasts longer than a person who is erased.
func targetOf(rule Rule, r *http.Request) (target string) {
	for part := range strings.SplitSeq(rule.Path, "/") {
		name := strings.Trim(part, "{}")
		if name != part && name != "id" && name != "$" && name != "profile" {
			target = r.PathValue(name)
		}
	}
	return target
}

// AuditBody is an administrative act.
type AuditBody struct {
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Act       string            `json:"act" doc:"what was done, such as key.revoke; docs/security.md lists them"`
	Refused   bool              `json:"refused" doc:"it was not done: who called may not, or their password was wrong"`
	User      string            `json:"user,omitempty" doc:"the id of who did it; of a refused sign-in, of the account"`
	Token     string            `json:"token,omitempty" doc:"the id of the token by which they did it"`
	Name      string            `json:"name,omitempty" doc:"the user's address or the token's name at the time"`
	Via       string            `json:"via" enum:"cli,page,api"`
	Project   string            `json:"project,omitempty" doc:"the id of the project to which it was done"`
	Target    string            `json:"target,omitempty" doc:"the id of what it was done to"`
	Detail    map[string]string `json:"detail,omitempty"`
	Address   string            `json:"address,omitempty" doc:"from where, as --audit-address says"`
	RequestID string            `json:"request_id"`
}

type (
	// AuditParams are exported for huma, as ProjectPath is.
	AuditParams struct {
		From    string `query:"from" doc:"inclusive; as in a query"`
		To      string `query:"to" doc:"exclusive, but a bare date counts to its end"`
		User    string `query:"user" doc:"the id of who did it"`
		Act     string `query:"act" doc:"all of it, or what stands before its point: key for key.create, key.revoke …"`
		Refused string `query:"refused" enum:"true,false" doc:"only what was refused, or only what was done"`
		Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Cursor  string `query:"cursor" maxLength:"100" doc:"next_cursor of the page before"`
	}
	auditOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Entries    []AuditBody `json:"entries" nullable:"false" doc:"newest first"`
			NextCursor string      `json:"next_cursor,omitempty"`
		}
	}
	projectAuditInput struct {
		ProjectPath
		AuditParams
	}
)

func (s *Server) mountAudit() {
	handle(s, huma.Operation{
		OperationID: "audit", Method: "GET", Path: "/api/v1/audit", Summary: "Administrative acts on the server, newest first",
	}, func(ctx context.Context, in *AuditParams) (*auditOutput, error) {
		return s.listAudit(ctx, in, meta.AuditQuery{}, time.UTC)
	})
	handle(s, huma.Operation{
		OperationID: "project-audit", Method: "GET", Path: "/api/v1/projects/{id}/audit", Summary: "Administrative acts on a project, newest first",
	}, func(ctx context.Context, in *projectAuditInput) (*auditOutput, error) {
		p := projectOf(ctx)
		return s.listAudit(ctx, &in.AuditParams, meta.AuditQuery{ProjectID: p.ID}, p.Location())
	})
}

func (s *Server) listAudit(ctx context.Context, in *AuditParams, q meta.AuditQuery, loc *time.Location) (*auditOutput, error) {
	var err error
	if q.From, q.To, err = weir.ParseRange(in.From, in.To, s.cfg.Clock.Now(), loc); err != nil {
		return nil, err
	}
	q.UserID, q.Act, q.Limit, q.Cursor = in.User, in.Act, in.Limit, in.Cursor
	if in.Refused != "" {
		q.Refused = new(in.Refused == "true")
	}
	entries, next, err := s.cfg.Directory.Audit(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &auditOutput{CacheControl: "no-store"}
	out.Body.Entries, out.Body.NextCursor = make([]AuditBody, len(entries)), next
	for i, e := range entries {
		out.Body.Entries[i] = AuditBody{
			ID: e.ID, At: e.At.In(loc), Act: e.Act, Refused: e.Refused, User: e.UserID, Token: e.TokenID, Name: e.Name, Via: e.Via,
			Project: e.ProjectID, Target: e.Target, Detail: e.Detail, Address: e.Address, RequestID: e.RequestID,
		}
	}
	return out, nil
}
