package httpd

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// ProjectBody is a project as clients see one.
type ProjectBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Timezone string `json:"timezone" doc:"IANA name"`
	Role     string `json:"role" enum:"viewer,editor,admin" doc:"of who asks; of a token the role that may do no more than it"`

	RetentionDays int `json:"retention_days" doc:"days before today that events are kept for; 0 is for ever"`
	Limits

	Sites []string `json:"sites" nullable:"false" doc:"names of the project besides its write keys, for vendors' SDKs: a domain, an id. They are no secret"`

	URLRules weir.URLRules `json:"url_rules" doc:"which of its paths are one page"`

	AddressFilters []string `json:"address_filters,omitzero" nullable:"false" doc:"addresses and networks whose events are left out; only an admin of the project sees them"`

	BotEvents    string   `json:"bot_events" enum:"keep,drop" doc:"what happens to the events of bots: they are kept and marked, or left out"`
	BotAgents    []string `json:"bot_agents" nullable:"false" doc:"texts: a user agent that contains one is a bot's, in upper or lower case"`
	NotBotAgents []string `json:"not_bot_agents" nullable:"false" doc:"texts: a user agent that contains one is no bot's. They count before bot_agents and Weir's own list"`

	Counters CountersBody `json:"counters"`
}

// CountersBody says whether a project's counters are complete.
type CountersBody struct {
	State   string `json:"state" enum:"complete,rebuilding" doc:"rebuilding after the timezone changed: the hours and days of the overview, of stats/trend and of reports are counted again, the newest first"`
	Percent int    `json:"percent" doc:"of the days that are counted again; 100 when complete"`
}

// NewProjectBody is a project just made.
type NewProjectBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Timezone string `json:"timezone"`
	WriteKey string `json:"write_key" doc:"shown this once; a lost one is replaced by another"`

	RetentionDays int `json:"retention_days" doc:"days before today that events are kept for; 0 is for ever"`
}

// KeyBody is a write key, without itself.
type KeyBody struct {
	ID        string     `json:"id"`
	Last4     string     `json:"last4" doc:"the key's last characters"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" doc:"when it ended; or, if it was rotated, when it will: until then it is good"`
	Origins   []string   `json:"origins" nullable:"false" doc:"hosts whose pages may send with it; none: everybody who has it may"`
}

// NewKeyBody is a write key just made.
type NewKeyBody struct {
	KeyBody
	WriteKey string `json:"write_key" doc:"shown this once"`
}

// ProjectPath is a path within a project. It is exported for huma, which
// overlooks parameters in embedded types that are not.
type ProjectPath struct {
	ID string `path:"id" doc:"the project's id"`
}

type (
	projectsOutput struct {
		Body struct {
			Projects []ProjectBody `json:"projects" nullable:"false"`
		}
	}
	projectOutput struct{ Body ProjectBody }
	createInput   struct {
		Body struct {
			Name     string `json:"name" doc:"1 to 100 characters"`
			Timezone string `json:"timezone,omitempty" doc:"IANA name; UTC when missing"`
			StoreIP  bool   `json:"store_ip,omitempty" doc:"keep visitors' addresses in their events' properties"`

			RetentionDays int `json:"retention_days,omitempty" minimum:"0" maximum:"36500" doc:"days before today that events are kept for; 0 is for ever"`
		}
	}
	createOutput struct{ Body NewProjectBody }
	keysOutput   struct {
		Body struct {
			Keys []KeyBody `json:"keys" nullable:"false"`
		}
	}
	keyOrigins struct {
		Origins []string `json:"origins,omitempty" nullable:"false" maxItems:"100" doc:"hosts whose pages may send with the key: shop.example, *.shop.example (all below it), localhost:3000 (that port alone); all of them: others are taken from it. None: everybody who has the key may send. A request from elsewhere, or without an Origin header, is refused with 403"`
	}
	newKeyInput struct {
		ID   string `path:"id" doc:"the project's id"`
		Body *keyOrigins
	}
	newKeyOutput struct{ Body NewKeyBody }
	changeKey    struct {
		ID   string `path:"id"`
		Key  string `path:"key" doc:"the key's id"`
		Body keyOrigins
	}
	rotateKey struct {
		ID   string `path:"id"`
		Key  string `path:"key" doc:"the key's id"`
		Body struct {
			OverlapSeconds int64 `json:"overlap_seconds,omitempty" minimum:"0" maximum:"31622400" doc:"how long the key stays good; 0, or missing, ends it at once"`
		}
	}
	keyInput struct {
		ID  string `path:"id"`
		Key string `path:"key" doc:"the key's id"`
	}
)

func (s *Server) mountProjects() {
	handle(s, huma.Operation{
		OperationID: "list-projects", Method: "GET", Path: "/api/v1/projects", Summary: "The projects that you may see",
	}, s.listProjects)
	handle(s, huma.Operation{
		OperationID: "create-project", Method: "POST", Path: "/api/v1/projects", Summary: "Make a project and its first write key",
		DefaultStatus: http.StatusCreated,
	}, s.createProject)
	handle(s, huma.Operation{
		OperationID: "get-project", Method: "GET", Path: "/api/v1/projects/{id}", Summary: "A project",
	}, func(ctx context.Context, _ *ProjectPath) (*projectOutput, error) {
		return s.projectOutput(ctx, projectOf(ctx))
	})
	handle(s, huma.Operation{
		OperationID: "change-project", Method: "PATCH", Path: "/api/v1/projects/{id}", Summary: "Change a project's name and timezone, how long its events are kept, its limits, its sites and URL rules, whose events it leaves out and what a bot is",
		Description: "What is missing stays. Other nodes go by the change within a minute. A site that is another project's is a conflict (409), and nothing is changed.",
	}, s.changeProject)
	handle(s, huma.Operation{
		OperationID: "list-keys", Method: "GET", Path: "/api/v1/projects/{id}/keys", Summary: "A project's write keys, newest first",
	}, s.listKeys)
	handle(s, huma.Operation{
		OperationID: "create-key", Method: "POST", Path: "/api/v1/projects/{id}/keys", Summary: "Make one more write key",
		DefaultStatus: http.StatusCreated,
	}, s.createKey)
	handle(s, huma.Operation{
		OperationID: "change-key", Method: "PATCH", Path: "/api/v1/projects/{id}/keys/{key}", Summary: "Hold a write key to origins, or to none",
	}, func(ctx context.Context, in *changeKey) (*struct{}, error) {
		return nil, s.cfg.Directory.SetKeyOrigins(ctx, projectOf(ctx).ID, in.Key, in.Body.Origins)
	})
	handle(s, huma.Operation{
		OperationID: "rotate-key", Method: "POST", Path: "/api/v1/projects/{id}/keys/{key}/rotate", Summary: "Make a write key in the place of another, which stays good for a while",
		Description: "The new key has the same origins. Both are listed. When the overlap is over, the former one gets 401.", DefaultStatus: http.StatusCreated,
	}, s.rotateKey)
	handle(s, huma.Operation{
		OperationID: "revoke-key", Method: "DELETE", Path: "/api/v1/projects/{id}/keys/{key}", Summary: "Revoke a write key",
	}, func(ctx context.Context, in *keyInput) (*struct{}, error) {
		return nil, s.cfg.Directory.RevokeKey(ctx, projectOf(ctx).ID, in.Key)
	})
}

func (s *Server) listProjects(ctx context.Context, _ *struct{}) (*projectsOutput, error) {
	who := callOf(ctx).who
	all, err := s.visible(ctx, who)
	if err != nil {
		return nil, err
	}
	out := &projectsOutput{}
	out.Body.Projects = make([]ProjectBody, 0, len(all))
	for _, m := range all {
		body, err := s.projectBody(ctx, m.Project, m.Role)
		if err != nil {
			return nil, err
		}
		out.Body.Projects = append(out.Body.Projects, body)
	}
	return out, nil
}

// visible returns the projects that the caller may read.
func (s *Server) visible(ctx context.Context, who principal) ([]meta.Membership, error) {
	var all []meta.Membership
	switch t := who.token; {
	case t != nil && t.ProjectID != "":
		p, err := s.cfg.Directory.Project(ctx, t.ProjectID)
		if err != nil {
			return nil, err
		}
		all = []meta.Membership{{Project: p}}
	case who.server():
		projects, err := s.cfg.Directory.Projects(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range projects {
			all = append(all, meta.Membership{Project: p})
		}
	default:
		var err error
		if all, err = s.cfg.Directory.Memberships(ctx, who.user.ID); err != nil {
			return nil, err
		}
	}
	readable := all[:0]
	for _, m := range all {
		may, _, err := who.scopes(ctx, s.cfg.Directory, m.Project.ID)
		if err != nil {
			return nil, err
		}
		if may.Has(weir.ScopeRead) {
			readable = append(readable, meta.Membership{Project: m.Project, Role: may.Role()})
		}
	}
	return readable, nil
}

func (s *Server) createProject(ctx context.Context, in *createInput) (*createOutput, error) {
	n := meta.NewProject{Name: in.Body.Name, Timezone: in.Body.Timezone, StoreIP: in.Body.StoreIP, RetentionDays: in.Body.RetentionDays}
	if u := callOf(ctx).who.user; u != nil {
		n.AdminID = u.ID
	}
	p, key, err := s.cfg.Directory.CreateProject(ctx, n)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(p.ID, "name", p.Name)
	return &createOutput{NewProjectBody{ID: p.ID, Name: p.Name, Timezone: p.Timezone, WriteKey: key, RetentionDays: p.RetentionDays}}, nil
}

func (s *Server) listKeys(ctx context.Context, _ *ProjectPath) (*keysOutput, error) {
	keys, err := s.cfg.Directory.Keys(ctx, projectOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	out := &keysOutput{}
	out.Body.Keys = make([]KeyBody, 0, len(keys))
	for _, k := range keys {
		out.Body.Keys = append(out.Body.Keys, keyBody(&k, projectOf(ctx).Location()))
	}
	return out, nil
}

func (s *Server) createKey(ctx context.Context, in *newKeyInput) (*newKeyOutput, error) {
	var origins []string
	if in.Body != nil {
		origins = in.Body.Origins
	}
	k, key, err := s.cfg.Directory.CreateKey(ctx, projectOf(ctx).ID, origins...)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted(k.ID)
	return &newKeyOutput{NewKeyBody{KeyBody: keyBody(k, projectOf(ctx).Location()), WriteKey: key}}, nil
}

func (s *Server) rotateKey(ctx context.Context, in *rotateKey) (*newKeyOutput, error) {
	p := projectOf(ctx)
	k, key, err := s.cfg.Directory.RotateKey(ctx, p.ID, in.Key, time.Duration(in.Body.OverlapSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	callOf(ctx).acted("", "new", k.ID, "overlap_seconds", strconv.FormatInt(in.Body.OverlapSeconds, 10))
	return &newKeyOutput{NewKeyBody{KeyBody: keyBody(k, p.Location()), WriteKey: key}}, nil
}

// projectOutput returns a project as the caller's role may see it.
func (s *Server) projectOutput(ctx context.Context, p *weir.Project) (*projectOutput, error) {
	body, err := s.projectBody(ctx, p, callOf(ctx).may.Role())
	if err != nil {
		return nil, err
	}
	return &projectOutput{body}, nil
}

func (s *Server) projectBody(ctx context.Context, p *weir.Project, role weir.Role) (ProjectBody, error) {
	sites, err := s.cfg.Directory.Sites(ctx, p.ID)
	rules := p.URLRules
	if rules.Rules == nil {
		rules.Rules = []weir.URLRule{}
	}
	b := ProjectBody{
		ID: p.ID, Name: p.Name, Timezone: p.Timezone, Role: role.String(), RetentionDays: p.RetentionDays, Limits: limitsOf(p.Limits), Sites: sites, URLRules: rules,
		BotEvents: keepBots, BotAgents: append([]string{}, p.BotRules.Agents...), NotBotAgents: append([]string{}, p.BotRules.NotAgents...),
		Counters: countersOf(p.Recounting),
	}
	if p.BotRules.Drop {
		b.BotEvents = dropBots
	}
	if role == weir.RoleAdmin {
		b.AddressFilters = p.AddressFilters.Strings()
	}
	return b, err
}

// The words of bot_events.
const (
	keepBots = "keep"
	dropBots = "drop"
)

func countersOf(r weir.Recounting) CountersBody {
	if r.Running {
		return CountersBody{State: "rebuilding", Percent: r.Percent}
	}
	return CountersBody{State: "complete", Percent: 100}
}

func keyBody(k *meta.Key, loc *time.Location) KeyBody {
	b := KeyBody{ID: k.ID, Last4: k.Last4, CreatedAt: k.CreatedAt.In(loc), Origins: append([]string{}, k.Origins...)}
	if !k.RevokedAt.IsZero() {
		b.RevokedAt = new(k.RevokedAt.In(loc))
	}
	return b
}
