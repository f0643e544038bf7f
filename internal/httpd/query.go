package httpd

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// QueryBody asks for an insight.
type QueryBody struct {
	Kind      string          `json:"kind" enum:"trend,pages,calls,growth"`
	From      string          `json:"from" doc:"inclusive: RFC 3339, a date in the project's timezone, or a time ago such as -30d"`
	To        string          `json:"to,omitempty" doc:"exclusive, but a bare date counts to its end; up to now when missing"`
	Interval  string          `json:"interval,omitempty" enum:"minute,hour,day,week,month" doc:"of a trend or growth (day, week or month); day when missing. Calls have points only when it is given"`
	Series    []SeriesBody    `json:"series,omitempty" maxItems:"20" doc:"of a trend: the total of all events when missing; of growth: one, the event that is a signup"`
	Breakdown string          `json:"breakdown,omitempty" doc:"of a trend or calls: a column or properties.NAME; of calls also status_class, and route when missing"`
	Filter    []ConditionBody `json:"filter,omitempty" maxItems:"50" doc:"all must hold"`
	Compare   string          `json:"compare,omitempty" enum:"previous,year" doc:"answer for the stretch before too, or for the same a year ago"`
	Freshness Freshness       `json:"freshness,omitempty" doc:"how stale the answer may be, in seconds or as 1m30s; 0, or missing, sees all that was acknowledged"`
	Limit     int             `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"groups of a breakdown, or pages"`
	Bots      bool            `json:"bots,omitempty" doc:"pages and growth: count bots too"`
	Sort      string          `json:"sort,omitempty" enum:"calls,errors,error_rate,latency" doc:"calls: what the groups are ranked by, most first; by calls when missing, latency is the 95th percentile"`
}

// SeriesBody is one line of a trend.
type SeriesBody struct {
	Event    string `json:"event,omitempty" doc:"an event's name; any when missing"`
	Math     string `json:"math,omitempty" enum:"total,unique,sum,avg,min,max,median,p90,p95,p99" doc:"total when missing"`
	Property string `json:"property,omitempty" doc:"for sum, avg, …: a numeric column or properties.NAME"`
}

// ConditionBody is one test of a filter.
type ConditionBody struct {
	Column string   `json:"column" doc:"a column or properties.NAME"`
	Op     string   `json:"op" enum:"=,!=,in,contains,>,<"`
	Value  *Scalar  `json:"value,omitempty"`
	Values []Scalar `json:"values,omitempty" maxItems:"1000" doc:"with in"`
}

// Scalar is a string, a number or a boolean, as text.
type Scalar string

// Schema is its JSON schema.
func (Scalar) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString}, {Type: huma.TypeNumber}, {Type: huma.TypeBoolean},
	}}
}

// UnmarshalJSON takes numbers and booleans as they are written.
func (s *Scalar) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	*s = Scalar(b)
	return nil
}

// Freshness is a duration, in JSON a number of seconds or text such as 1m30s.
type Freshness time.Duration

// maxFreshness is as stale as anybody may want an answer.
const maxFreshness = Freshness(24 * time.Hour)

// Schema is its JSON schema.
func (Freshness) Schema(huma.Registry) *huma.Schema {
	zero := 0.0
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeNumber, Minimum: &zero}, {Type: huma.TypeString},
	}}
}

// UnmarshalJSON reads either form. Errors: EINVALID.
func (f *Freshness) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	var err error
	*f, err = parseFreshness(text)
	return err
}

func parseFreshness(text string) (Freshness, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds >= 0) || math.IsInf(seconds, 0) { // NaN too
			return 0, weir.Errorf(weir.EINVALID, "freshness: 0 or more")
		}
		return Freshness(math.Min(seconds, time.Duration(maxFreshness).Seconds()) * float64(time.Second)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, weir.Errorf(weir.EINVALID, "freshness: a number of seconds, or a duration such as 1m30s")
	}
	return min(Freshness(d), maxFreshness), nil
}

// query is the body as the domain has it. Whether columns and maths fit is the
// insight's to say. Errors: EINVALID.
func (b *QueryBody) query(now time.Time, loc *time.Location) (weir.Query, error) {
	q := weir.Query{
		Kind: weir.Kind(b.Kind), Interval: weir.Interval(b.Interval), Breakdown: b.Breakdown,
		Compare: weir.Compare(b.Compare), Limit: b.Limit, Bots: b.Bots, Sort: b.Sort,
	}
	if q.Interval == "" && q.Kind != weir.KindCalls {
		q.Interval = weir.Day
	}
	var err error
	if q.From, err = parseInstant(b.From, now, loc, false); err != nil {
		return q, weir.Wrap(err, weir.EINVALID, "from: %s", weir.ErrorMessage(err))
	}
	if b.To == "" {
		q.To = endOfNow(now, q.Interval, loc)
	} else if q.To, err = parseInstant(b.To, now, loc, true); err != nil {
		return q, weir.Wrap(err, weir.EINVALID, "to: %s", weir.ErrorMessage(err))
	}
	if !q.From.Before(q.To) {
		return q, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	for _, s := range b.Series {
		q.Series = append(q.Series, weir.Series{Event: s.Event, Math: orTotal(s.Math), Property: s.Property})
	}
	if len(q.Series) == 0 && q.Kind == weir.KindTrend {
		q.Series = []weir.Series{{Math: weir.MathTotal}}
	}
	for i, c := range b.Filter {
		cond, err := c.condition(i)
		if err != nil {
			return q, err
		}
		q.Filter = append(q.Filter, cond)
	}
	return q, nil
}

func orTotal(math string) weir.Math {
	if math == "" {
		return weir.MathTotal
	}
	return weir.Math(math)
}

func (c *ConditionBody) condition(i int) (weir.Condition, error) {
	out := weir.Condition{Column: c.Column, Op: c.Op}
	switch {
	case c.Value != nil && c.Values == nil:
		out.Values = []string{string(*c.Value)}
	case c.Value == nil && len(c.Values) > 0:
		for _, v := range c.Values {
			out.Values = append(out.Values, string(v))
		}
	default:
		return out, weir.Errorf(weir.EINVALID, "filter[%d]: give either value or values", i)
	}
	switch c.Op {
	case "in":
	case "=", "!=", "contains", ">", "<":
		if len(out.Values) != 1 {
			return out, weir.Errorf(weir.EINVALID, "filter[%d]: %s takes one value", i, c.Op)
		}
	default:
		return out, weir.Errorf(weir.EINVALID, "filter[%d]: unknown op %q: use =, !=, in, contains, > or <", i, clip(c.Op))
	}
	return out, nil
}
