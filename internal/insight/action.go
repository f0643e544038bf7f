package insight

import (
	"context"
	"fmt"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Actions has the actions of projects. *meta.Store is one.
type Actions interface {
	Actions(ctx context.Context, projectID string) ([]weir.Action, error)
}

// resolve fills in the actions that a question names. Error: EINVALID if there is none of an id.
func (e *Engine) resolve(ctx context.Context, p *weir.Project, q weir.Question) (weir.Question, error) {
	ids := q.Actions()
	if len(ids) == 0 {
		return q, nil
	}
	base := q.Base()
	base.Resolved = map[string]weir.ActionSpec{}
	if e.o.Actions != nil {
		all, err := e.o.Actions.Actions(ctx, p.ID)
		if err != nil {
			return nil, fmt.Errorf("insight: actions: %w", err)
		}
		for _, a := range all {
			if slices.Contains(ids, a.ID) {
				base.Resolved[a.ID] = a.ActionSpec
			}
		}
	}
	return q.WithBase(base), nil
}

// anyOf is a condition that an event passes one of several filters, or with not that it passes
// none of them.
type anyOf struct {
	filters []filter
	not     bool
}

func (a anyOf) sources() (names []string) {
	for _, f := range a.filters {
		names = append(names, f.sources...)
	}
	return names
}

func (a anyOf) tallied() bool {
	return !slices.ContainsFunc(a.filters, func(f filter) bool { return !f.tallied })
}

// filter returns the filter that is this condition alone.
func (a anyOf) filter() filter {
	return filter{actions: []anyOf{a}, sources: a.sources(), tallied: a.tallied()}
}

// isAction is the condition in SQL.
func (r *reader) isAction(a anyOf) fragment {
	parts := make([]fragment, len(a.filters))
	for i, f := range a.filters {
		parts[i] = sql("(@)", r.passes(f))
	}
	is := sql("(@)", list(parts, " OR "))
	if a.not {
		return sql("(COALESCE(@, FALSE) = FALSE)", is) // a property without a value makes it NULL
	}
	return is
}

// CheckAction refuses an action that no question could name. Error: EINVALID.
func (e *Engine) CheckAction(p *weir.Project, spec weir.ActionSpec) error {
	_, err := checkAction(e.d, p, spec)
	return err
}

// checkActions checks a condition on actions. Error: EINVALID.
func checkActions(d cold.Dialect, p *weir.Project, c weir.Condition, actions map[string]weir.ActionSpec) (anyOf, error) {
	a := anyOf{not: c.Op == "!="}
	if c.Op != "=" && c.Op != "!=" && c.Op != "in" {
		return a, badOp(c, "=", "!=", "in")
	}
	for _, id := range c.Values {
		of, err := actionNamed(d, p, id, actions)
		if err != nil {
			return a, err
		}
		a.filters = append(a.filters, of.filters...)
	}
	return a, nil
}

// actionNamed returns the condition that an event is one of an action. Error: EINVALID if there
// is no such action.
func actionNamed(d cold.Dialect, p *weir.Project, id string, actions map[string]weir.ActionSpec) (anyOf, error) {
	spec, ok := actions[id]
	if !ok {
		return anyOf{}, weir.Errorf(weir.EINVALID, "there is no action with the id %.40q", id)
	}
	return checkAction(d, p, spec)
}

func checkAction(d cold.Dialect, p *weir.Project, spec weir.ActionSpec) (anyOf, error) {
	var a anyOf
	for i, of := range spec.Any {
		f, err := checkFilter(d, p, of.Filter, nil)
		if err != nil {
			return a, weir.Errorf(weir.EINVALID, "any[%d]: %s", i, weir.ErrorMessage(err))
		}
		if name := of.Name(); name != "" {
			f.events = all(sql("name = @", bind(name)), f.events)
		}
		page := pageOf(d, p, "path")
		if pattern, ok := of.PathPattern(); ok {
			f.events = all(f.events, fragment{sql: d.Matches(page.sql, "?"), args: append(slices.Clip(page.args), pattern)})
		} else if of.Path != "" {
			f.events = all(f.events, sql("@ = @", page, bind(of.Path)))
		}
		f.empty, f.tallied = false, f.tallied && of.Path == ""
		a.filters = append(a.filters, f)
	}
	return a, nil
}
