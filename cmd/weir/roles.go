package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deletion"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
)

// Roles of a node.
const (
	roleIngest = "ingest" // takes events
	roleDrain  = "drain"  // moves them to the cold tier
	roleQuery  = "query"  // answers questions to the cold tier
	roleJobs   = "jobs"   // does scheduled work
)

var allRoles = []string{roleIngest, roleDrain, roleQuery, roleJobs}

func (c *serveCmd) has(role string) bool { return slices.Contains(c.Roles, role) }

// usesCold says whether the node opens the cold tier.
func (c *serveCmd) usesCold() bool { return c.has(roleDrain) || c.has(roleQuery) }

func (c *serveCmd) checkRoles() error {
	if len(c.Roles) == 0 {
		return fmt.Errorf("--roles: name one at least of %s", strings.Join(allRoles, ", "))
	}
	for _, r := range c.Roles {
		if !slices.Contains(allRoles, r) {
			return fmt.Errorf("--roles: there is no %q; there are %s", r, strings.Join(allRoles, ", "))
		}
	}
	if !c.cold.Shared && c.has(roleDrain) != c.has(roleQuery) {
		return fmt.Errorf("--roles: a DuckDB file has one owner, so that drain and query go together, not %s", strings.Join(c.Roles, ","))
	}
	if !c.hot.Shared {
		for _, r := range allRoles[:3] {
			if !c.has(r) {
				return fmt.Errorf("--roles without %s needs a hot tier that other nodes reach: --hot redis://…", r)
			}
		}
	}
	return nil
}

// missingRole stands in for a part that this node does not have.
type missingRole struct{ roles []string }

func (e missingRole) err(what string) error {
	return weir.Errorf(weir.EUNAVAILABLE, "this node does not %s: its roles are %s", what, strings.Join(e.roles, ", "))
}

func (e missingRole) Deliver(context.Context, *weir.Project, []weir.Incoming, []weir.Rejection, ingest.Remote) (ingest.Reply, error) {
	return ingest.Reply{}, e.err("take events")
}

func (e missingRole) Device(context.Context, *weir.Project, ingest.Remote) (string, error) {
	return "", e.err("take events")
}

// Refused counts nothing.
func (e missingRole) Refused(error) {}

// Ask refuses.
func (e missingRole) Ask(context.Context, *weir.Project, weir.Question, time.Duration) (insight.Answer, error) {
	return nil, e.err("answer questions")
}

func (e missingRole) Events(context.Context, *weir.Project, insight.EventsQuery, time.Duration) (*insight.EventPage, error) {
	return nil, e.err("answer questions")
}

// CheckAction refuses.
func (e missingRole) CheckAction(*weir.Project, weir.ActionSpec) error {
	return e.err("answer questions")
}

// Names refuses.
func (e missingRole) Names(context.Context, *weir.Project, insight.Discovery, time.Duration) (*insight.Names, error) {
	return nil, e.err("answer questions")
}

// Columns refuses.
func (e missingRole) Columns(context.Context, *weir.Project, insight.Discovery, time.Duration) (*insight.Columns, error) {
	return nil, e.err("answer questions")
}

// ColumnValues refuses.
func (e missingRole) ColumnValues(context.Context, *weir.Project, string, insight.Discovery, time.Duration) (*insight.ColumnValues, error) {
	return nil, e.err("answer questions")
}

// Run refuses.
func (e missingRole) Run(context.Context, *weir.Project, insight.Statement) (*insight.StatementAnswer, error) {
	return nil, e.err("answer questions")
}

// StatementSchema refuses.
func (e missingRole) StatementSchema(*weir.Project, bool) (*insight.StatementSchema, error) {
	return nil, e.err("answer questions")
}

func (e missingRole) Profiles(context.Context, *weir.Project, insight.ProfilesQuery, time.Duration) (*insight.ProfilePage, error) {
	return nil, e.err("answer questions")
}

func (e missingRole) Profile(context.Context, *weir.Project, string, time.Duration) (*insight.Profile, error) {
	return nil, e.err("answer questions")
}

func (e missingRole) Export(context.Context, *weir.Project, string, io.Writer) error {
	return e.err("answer questions")
}

// Dry refuses.
func (e missingRole) Dry(context.Context, *weir.Project, deletion.Spec) (deletion.Numbers, error) {
	return deletion.Numbers{}, e.err("delete events")
}

// Begin refuses.
func (e missingRole) Begin(context.Context, *weir.Project, deletion.Spec, int64, string) (*deletion.Deletion, error) {
	return nil, e.err("delete events")
}

// List refuses.
func (e missingRole) List(context.Context, *weir.Project) ([]*deletion.Deletion, error) {
	return nil, e.err("list deletions")
}

// Get refuses.
func (e missingRole) Get(context.Context, *weir.Project, string) (*deletion.Deletion, error) {
	return nil, e.err("show deletions")
}

// Cancel refuses.
func (e missingRole) Cancel(context.Context, *weir.Project, string) (*deletion.Deletion, error) {
	return nil, e.err("cancel deletions")
}

func (e missingRole) Erase(context.Context, *weir.Project, string, string) (*insight.Erased, error) {
	return nil, e.err("erase profiles")
}
