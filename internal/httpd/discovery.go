package httpd

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/meta"
)

// Discovery returns what there is to ask about. *insight.Engine does. freshness is how old an
// answer may be. Error: EINVALID.
type Discovery interface {
	Names(ctx context.Context, p *weir.Project, q insight.Discovery, freshness time.Duration) (*insight.Names, error)
	Columns(ctx context.Context, p *weir.Project, q insight.Discovery, freshness time.Duration) (*insight.Columns, error)
	ColumnValues(ctx context.Context, p *weir.Project, column string, q insight.Discovery, freshness time.Duration) (*insight.ColumnValues, error)
}

// discoveredDays is how many days an answer is of when the query names no range.
const discoveredDays = 30

type (
	// DiscoveryParams are what all discovery takes. They are exported for huma, as ProjectPath is.
	DiscoveryParams struct {
		From      string `query:"from" doc:"inclusive; as in a query. When missing: the last 30 days, today among them"`
		To        string `query:"to" doc:"exclusive, but a bare date counts to its end"`
		Q         string `query:"q" maxLength:"8192" doc:"part of the name or value; case counts"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		Freshness string `query:"freshness" doc:"how stale the answer may be, in seconds or as 1m30s"`
	}
	namesInput struct {
		ProjectPath
		DiscoveryParams
		Hidden bool `query:"hidden" doc:"also names that are hidden"`
	}
	columnsInput struct {
		ProjectPath
		DiscoveryParams
		Event  string `query:"event" doc:"properties of the events of this name"`
		Hidden bool   `query:"hidden" doc:"also columns that are hidden"`
	}
	valuesInput struct {
		ProjectPath
		DiscoveryParams
		Column string `path:"column" maxLength:"8192" doc:"a column, properties.NAME or traits.NAME, percent-encoded"`
		Event  string `query:"event" doc:"values of the events of this name"`
	}
	describeNameInput struct {
		ProjectPath
		Name string `path:"name" maxLength:"8192" doc:"the events' name, percent-encoded"`
		Body DescribeBody
	}
	describeColumnInput struct {
		ProjectPath
		Column string `path:"column" maxLength:"8192" doc:"a column, properties.NAME or traits.NAME, percent-encoded"`
		Body   DescribeBody
	}
	describedOutput struct{ Body DescribedBody }
)

// DescribeBody changes what is said about an event or a column.
type DescribeBody struct {
	Description *string `json:"description,omitempty" nullable:"false" maxLength:"1000" doc:"in words; empty for none"`
	Hidden      *bool   `json:"hidden,omitempty" nullable:"false" doc:"left out of lists unless they are asked for with hidden=true. Questions may name it all the same"`
}

// DescribedBody is what is said about an event or a column.
type DescribedBody struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Hidden      bool   `json:"hidden"`
}

func (s *Server) mountDiscovery() {
	const names, columns = "/api/v1/projects/{id}/names", "/api/v1/projects/{id}/columns"
	handle(s, huma.Operation{
		OperationID: "list-names", Method: "GET", Path: names, Summary: "The names of events, with counts, the most frequent first",
		Description: "Counts are exact.",
	}, s.names)
	handle(s, huma.Operation{
		OperationID: "list-columns", Method: "GET", Path: columns, Summary: "What a question may name: columns, properties and traits",
		Description: "Properties are found in the newest 5,000 events of the range, or of those with the name event. With approximate: true there are more events. Traits are listed for those who may see people.",
	}, s.columns)
	handle(s, huma.Operation{
		OperationID: "list-values", Method: "GET", Path: columns + "/{column}/values", Summary: "The most frequent values of a column",
		Description: "Counts of name, method, route and status are exact if the range has whole quarters of an hour; those of other columns are of the newest 50,000 events of the range. With approximate: true there are more. Values of over 200 characters are left out. Ids of persons, devices and visits, and traits, are for those who may see people.",
	}, s.values)
	handle(s, huma.Operation{
		OperationID: "describe-name", Method: "PATCH", Path: names + "/{name}", Summary: "Describe or hide the events of a name",
	}, func(ctx context.Context, in *describeNameInput) (*describedOutput, error) {
		return s.describeThing(ctx, meta.DescribedEvent, in.Name, &in.Body)
	})
	handle(s, huma.Operation{
		OperationID: "describe-column", Method: "PATCH", Path: columns + "/{column}", Summary: "Describe or hide a column, a property or a trait",
	}, func(ctx context.Context, in *describeColumnInput) (*describedOutput, error) {
		if err := insight.CheckColumn(in.Column); err != nil {
			return nil, err
		}
		return s.describeThing(ctx, meta.DescribedColumn, in.Column, &in.Body)
	})
}

// discovery returns the query that the parameters ask for.
func (s *Server) discovery(p *weir.Project, in *DiscoveryParams) (q insight.Discovery, fresh time.Duration, err error) {
	if fresh, err = freshnessOf(in.Freshness); err != nil {
		return q, 0, err
	}
	now := s.cfg.Clock.Now()
	q = insight.Discovery{Contains: in.Q, Limit: in.Limit}
	if q.From, q.To, err = weir.ParseRange(in.From, in.To, now, p.Location()); err != nil {
		return q, 0, err
	}
	if q.To.IsZero() {
		q.To = weir.EndOfNow(now, weir.Day, p.Location())
	}
	if q.From.IsZero() {
		y, m, d := weir.CalendarDate(q.To.Add(-1), p.Location())
		q.From = weir.Midnight(y, m, d-discoveredDays+1, p.Location())
	}
	return q, fresh, nil
}

// seesPeople says whether the caller may see people.
func seesPeople(ctx context.Context) bool { return callOf(ctx).may.Has(weir.ScopePersons) }

// described returns what is said about the project's events or columns, by name, and those
// that are hidden: none if all are asked for.
func (s *Server) described(ctx context.Context, kind meta.DescribedKind, all bool) (of map[string]insight.Described, hidden map[string]bool, err error) {
	list, err := s.cfg.Directory.Descriptions(ctx, projectOf(ctx).ID, kind)
	if err != nil {
		return nil, nil, err
	}
	of, hidden = map[string]insight.Described{}, map[string]bool{}
	for _, d := range list {
		of[d.Name] = insight.Described{Description: d.Text, Hidden: d.Hidden}
		if d.Hidden && !all {
			hidden[d.Name] = true
		}
	}
	return of, hidden, nil
}

func (s *Server) names(ctx context.Context, in *namesInput) (*output[insight.Names], error) {
	p := projectOf(ctx)
	q, fresh, err := s.discovery(p, &in.DiscoveryParams)
	if err != nil {
		return nil, err
	}
	described, hidden, err := s.described(ctx, meta.DescribedEvent, in.Hidden)
	if err != nil {
		return nil, err
	}
	q.Hidden = hidden
	a, err := s.cfg.Insights.Names(ctx, p, q, fresh)
	if err != nil {
		return nil, err
	}
	for i := range a.Names {
		a.Names[i].Described = described[a.Names[i].Name]
	}
	return passOn(a, nil)
}

func (s *Server) columns(ctx context.Context, in *columnsInput) (*output[insight.Columns], error) {
	p := projectOf(ctx)
	q, fresh, err := s.discovery(p, &in.DiscoveryParams)
	if err != nil {
		return nil, err
	}
	described, hidden, err := s.described(ctx, meta.DescribedColumn, in.Hidden)
	if err != nil {
		return nil, err
	}
	q.Event, q.Hidden, q.People = in.Event, hidden, seesPeople(ctx)
	a, err := s.cfg.Insights.Columns(ctx, p, q, fresh)
	if err != nil {
		return nil, err
	}
	for i := range a.Columns {
		a.Columns[i].Described = described[a.Columns[i].Name]
	}
	return passOn(a, nil)
}

func (s *Server) values(ctx context.Context, in *valuesInput) (*output[insight.ColumnValues], error) {
	p := projectOf(ctx)
	if insight.IdentifiesPeople(in.Column) && !seesPeople(ctx) {
		return nil, weir.Errorf(weir.EFORBIDDEN, "the values of %s are for those who may see people", in.Column)
	}
	q, fresh, err := s.discovery(p, &in.DiscoveryParams)
	if err != nil {
		return nil, err
	}
	q.Event = in.Event
	return passOn(s.cfg.Insights.ColumnValues(ctx, p, in.Column, q, fresh))
}

// describeThing changes what is said about an event or a column.
func (s *Server) describeThing(ctx context.Context, kind meta.DescribedKind, name string, b *DescribeBody) (*describedOutput, error) {
	if b.Description == nil && b.Hidden == nil {
		return nil, weir.Errorf(weir.EINVALID, "say what to change: description or hidden")
	}
	d, err := s.cfg.Directory.Describe(ctx, projectOf(ctx).ID, kind, name, func(d *meta.Description) {
		if b.Description != nil {
			d.Text = *b.Description
		}
		if b.Hidden != nil {
			d.Hidden = *b.Hidden
		}
	})
	if err != nil {
		return nil, err
	}
	return &describedOutput{DescribedBody{Name: d.Name, Description: d.Text, Hidden: d.Hidden}}, nil
}
