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

// CheckAction refuses an action that no question could name. Error: EINVALID.
func (e *Engine) CheckAction(p *weir.Project, spec weir.ActionSpec) error {
	_, err := checkAction(e.d, p, spec)
	return err
}

// checkActions checks a condition on actions. Error: EINVALID.
func checkActions(d cold.Dialect, p *weir.Project, c weir.Condition, actions map[string]weir.ActionSpec) (filter, error) {
	if c.Op != "=" && c.Op != "in" {
		return everything, badOp(c, []string{"=", "in"})
	}
	alternatives := make([]filter, len(c.Values))
	for i, id := range c.Values {
		var err error
		if alternatives[i], err = actionNamed(d, p, id, actions); err != nil {
			return everything, err
		}
	}
	return anyOf(alternatives), nil
}

// actionNamed returns the filter for the events of an action. Error: EINVALID if there is no
// such action.
func actionNamed(d cold.Dialect, p *weir.Project, id string, actions map[string]weir.ActionSpec) (filter, error) {
	spec, ok := actions[id]
	if !ok {
		return everything, weir.Errorf(weir.EINVALID, "there is no action with the id %.40q", id)
	}
	return checkAction(d, p, spec)
}

func checkAction(d cold.Dialect, p *weir.Project, spec weir.ActionSpec) (filter, error) {
	var alternatives []filter
	for i, of := range spec.Any {
		f, err := checkFilter(d, p, of.Filter, nil)
		if err != nil {
			return everything, weir.Within(fmt.Sprintf("any[%d]", i), err)
		}
		if name := of.Name(); name != "" {
			f = ofName(name).and(f)
		}
		page := pageOf(d, p, "path")
		if pattern, ok := of.PathPattern(); ok {
			f = f.and(onEvents(fragment{sql: d.Matches(page.sql, "?"), args: append(slices.Clip(page.args), pattern)}))
		} else if of.Path != "" {
			f = f.and(onEvents(sql("@ = @", page, bind(of.Path))))
		}
		f.empty = false
		alternatives = append(alternatives, f)
	}
	return anyOf(alternatives), nil
}
