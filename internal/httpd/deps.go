package httpd

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/stats"
)

// Directory has the accounts, projects, keys, tokens and roles. *meta.Store is one. Projects
// that it returns are shared and not changed.
type Directory interface {
	SetupRequired(ctx context.Context) (bool, error)
	Setup(ctx context.Context, email, name, password string) (*meta.Account, error)
	Authenticate(ctx context.Context, email, password string) (*meta.Account, error)
	SetPassword(ctx context.Context, userID, password string) error
	User(ctx context.Context, id string) (*meta.Account, error)
	UserByEmail(ctx context.Context, email string) (*meta.Account, error)
	Users(ctx context.Context) ([]meta.Account, error)
	SetActive(ctx context.Context, userID string, active bool) error
	CreateReset(ctx context.Context, userID string) (secret string, until time.Time, err error)
	ResetPassword(ctx context.Context, secret, password string) (*meta.Account, error)
	// Forget empties the caches: another process has changed something.
	Forget()

	BeginSession(ctx context.Context, userID string, by meta.Method, at meta.Place, before string) (secret string, err error)
	Session(ctx context.Context, secret string) (*meta.Session, *meta.Account, error)
	UseSession(ctx context.Context, x *meta.Session, at meta.Place) error
	Sessions(ctx context.Context, userID string) ([]meta.Session, error)
	EndSession(ctx context.Context, userID, id string) error
	EndSessions(ctx context.Context, userID string) error

	StartTOTP(ctx context.Context, userID string) (secret string, err error)
	ConfirmTOTP(ctx context.Context, userID, code string) (recovery []string, err error)
	CheckTOTP(ctx context.Context, userID, code string) error
	NewRecoveryCodes(ctx context.Context, userID string) (all []string, err error)
	RemoveTOTP(ctx context.Context, userID string) error
	SignIn(ctx context.Context) (*meta.SignIn, error)
	ChangeSignIn(ctx context.Context, change func(*meta.SignIn) error) (*meta.SignIn, error)

	SignInWith(ctx context.Context, who meta.Identity) (*meta.SignedIn, error)
	Unlink(ctx context.Context, userID string) error
	BeginFlow(ctx context.Context, f meta.Flow) error
	TakeFlow(ctx context.Context, state string) (meta.Flow, error)

	Invite(ctx context.Context, n meta.Invitation) (i *meta.Invitation, secret string, err error)
	Invitation(ctx context.Context, secret string) (i *meta.Invitation, account bool, err error)
	Invitations(ctx context.Context, projectID string) ([]meta.Invitation, error)
	Withdraw(ctx context.Context, projectID, id string) error
	AcceptNew(ctx context.Context, secret, name, password string) (*meta.Account, error)
	AcceptAs(ctx context.Context, secret string, a *meta.Account) error

	Token(ctx context.Context, secret string) (*meta.Token, error)

	Project(ctx context.Context, id string) (*weir.Project, error)
	ProjectByKey(ctx context.Context, writeKey string) (*weir.Project, error)
	ProjectBySite(ctx context.Context, site string) (*weir.Project, error)
	Projects(ctx context.Context) ([]*weir.Project, error)
	Memberships(ctx context.Context, userID string) ([]meta.Membership, error)
	Role(ctx context.Context, userID, projectID string) (weir.Role, error)
	OnChange(tell func())
	DeleteProject(ctx context.Context, id, name string) (*meta.ProjectDeletion, error)
	ProjectDeletions(ctx context.Context) ([]meta.ProjectDeletion, error)
	Audit

	CreateToken(ctx context.Context, n meta.NewToken) (t *meta.Token, secret string, err error)
	UserTokens(ctx context.Context, userID string) ([]meta.Token, error)
	ProjectTokens(ctx context.Context, projectID string) ([]meta.Token, error)
	RevokeUserToken(ctx context.Context, userID, id string) error
	RevokeProjectToken(ctx context.Context, projectID, id string) error

	CreateShare(ctx context.Context, n meta.NewShare) (*meta.Share, error)
	ChangeShare(ctx context.Context, projectID, id string, c meta.ShareChange) (*meta.Share, error)
	EndShare(ctx context.Context, projectID, id string) error
	Shares(ctx context.Context, projectID string) ([]meta.Share, error)
	Share(ctx context.Context, secret string) (*meta.Share, error)
	OpenShare(ctx context.Context, x *meta.Share, password string) error

	Members(ctx context.Context, projectID string) ([]meta.Member, error)
	AddMember(ctx context.Context, projectID, email string, role weir.Role) (*meta.Member, error)
	ChangeMember(ctx context.Context, projectID, userID string, role weir.Role, leaveNone bool) (*meta.Member, error)
	RemoveMember(ctx context.Context, projectID, userID string, leaveNone bool) error
	Admins(ctx context.Context) ([]meta.Admin, error)
	AddAdmin(ctx context.Context, email string) (*meta.Admin, error)
	RemoveAdmin(ctx context.Context, userID string) error
	HandOver(ctx context.Context, by, userID string) error

	Sites(ctx context.Context, projectID string) ([]string, error)
	SetSites(ctx context.Context, projectID string, sites []string) error
	Descriptions(ctx context.Context, projectID string, kind meta.DescribedKind) ([]meta.Description, error)
	Describe(ctx context.Context, projectID string, kind meta.DescribedKind, name string, change func(*meta.Description)) (meta.Description, error)
	SetTimezone(ctx context.Context, id, timezone string) error
	SetURLRules(ctx context.Context, id string, rules weir.URLRules) error
	SetAddressFilters(ctx context.Context, id string, filters weir.AddressFilters) error
	ChangeBotRules(ctx context.Context, id string, change func(*weir.BotRules)) (weir.BotRules, error)
	Actions(ctx context.Context, projectID string) ([]weir.Action, error)
	Action(ctx context.Context, projectID, id string) (*weir.Action, error)
	CreateAction(ctx context.Context, projectID string, spec weir.ActionSpec) (*weir.Action, error)
	ChangeAction(ctx context.Context, projectID, id string, change func(*weir.ActionSpec) error) (*weir.Action, error)
	DeleteAction(ctx context.Context, projectID, id string) error
	SetRetention(ctx context.Context, projectID string, days int) error
	ChangeLimits(ctx context.Context, projectID string, change func(*weir.Limits) error) (weir.Limits, error)
	CreateProject(ctx context.Context, n meta.NewProject) (p *weir.Project, writeKey string, err error)

	Keys(ctx context.Context, projectID string) ([]meta.Key, error)
	CreateKey(ctx context.Context, projectID string, origins ...string) (k *meta.Key, writeKey string, err error)
	SetKeyOrigins(ctx context.Context, projectID, keyID string, origins []string) error
	RotateKey(ctx context.Context, projectID, keyID string, overlap time.Duration) (k *meta.Key, writeKey string, err error)
	Rename(ctx context.Context, id, name string) error
	RevokeKey(ctx context.Context, projectID, keyID string) error
}

// Stats answers from counters. *stats.Stats is one.
type Stats interface {
	Overview(ctx context.Context, p *weir.Project) (*stats.Overview, error)
	// Trend is the counts of the last 60 minutes, 24 hours or 30 days. Error:
	// EINVALID for a query that asks for none of these.
	Trend(ctx context.Context, p *weir.Project, q stats.TrendQuery) (*stats.Trend, error)
}

// Insights answers from the cold tier. *insight.Engine is one. freshness is how
// stale an answer may be; 0 sees all that was acknowledged.
type Insights interface {
	insight.Asker
	Discovery
	Statements
	// CheckAction refuses an action that no question could name. Error: EINVALID.
	CheckAction(p *weir.Project, spec weir.ActionSpec) error
	Events(ctx context.Context, p *weir.Project, q insight.EventsQuery, freshness time.Duration) (*insight.EventPage, error)
}

// Live streams what happens in a project. *live.Feed is one.
type Live interface {
	// Subscribe opens a stream that ends with ctx. Its buffer is bounded: a reader that is
	// too slow misses events.
	Subscribe(ctx context.Context, p *weir.Project) (<-chan live.Event, error)
}

// Check is a part that must work for the server to be ready.
type Check struct {
	Name  string
	Probe func(ctx context.Context) error
}
