package httpd

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// QuestionBody is a question of any kind. Its schema and what reads it follow from the
// kinds of insight.
type QuestionBody struct{ raw json.RawMessage }

// UnmarshalJSON keeps the JSON.
func (b *QuestionBody) UnmarshalJSON(raw []byte) error {
	b.raw = append(b.raw[:0], raw...)
	return nil
}

// questionHead is what a question of each kind has in the API, beside the members of its
// type. From and To are not times there.
type questionHead struct {
	Kind      string    `json:"kind"`
	From      string    `json:"from" doc:"inclusive: RFC 3339, a date in the project's timezone, a time ago such as -30d, whole days such as -7d/d, or today, yesterday, this_week, last_week, this_month, last_month, which without to are their whole period"`
	To        string    `json:"to,omitempty" doc:"exclusive, but a date, a word or whole days such as -1d/d count to their end; up to now, or to the end of the period that from names, when missing"`
	Freshness Freshness `json:"freshness,omitempty" doc:"how stale the answer may be, in seconds or as 1m30s; 0, or missing, sees all that was acknowledged"`
}

// Schema is its JSON schema: one of those of the kinds, which the member kind tells apart.
func (QuestionBody) Schema(r huma.Registry) *huma.Schema {
	return oneOfKinds(func(shape insight.Shape) string {
		head, own := huma.SchemaFromType(r, reflect.TypeFor[questionHead]()), huma.SchemaFromType(r, shape.Question)
		maps.Copy(own.Properties, head.Properties)
		own.Required = head.Required
		own.Properties["kind"], own.Properties["bots"] = only(shape), botsSchema()
		own.PrecomputeMessages()
		r.Map()[questionName(shape.Kind)] = own
		return schemasAt + questionName(shape.Kind)
	})
}

// botsSchema is the JSON schema of weir.Bots.
func botsSchema() *huma.Schema {
	s := &huma.Schema{
		OneOf:       []*huma.Schema{{Type: huma.TypeBoolean}, {Type: huma.TypeString, Enum: []any{string(weir.BotsOnly)}}},
		Description: "whether events of bots count, or they alone. When missing, numbers of people leave bots out, and numbers of events and calls count everything",
	}
	for _, one := range s.OneOf {
		one.PrecomputeMessages()
	}
	return s
}

// questionName is the name of the schema of a kind's questions.
func questionName(kind weir.Kind) string {
	return strings.ToUpper(string(kind[:1])) + string(kind[1:]) + "Question"
}

// answerSchema is the JSON schema of an answer of any kind.
func answerSchema(r huma.Registry) *huma.Schema {
	return oneOfKinds(func(shape insight.Shape) string {
		ref := r.Schema(shape.Answer, true, shape.Answer.Name()).Ref
		kind := only(shape)
		kind.Description = r.SchemaFromRef(ref).Properties["kind"].Description
		r.SchemaFromRef(ref).Properties["kind"] = kind
		return ref
	})
}

// oneOfKinds is the schema of what each kind has one of, by the reference of each.
func oneOfKinds(ref func(insight.Shape) string) *huma.Schema {
	s := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "kind", Mapping: map[string]string{}}}
	for _, shape := range insight.Shapes() {
		to := ref(shape)
		s.OneOf = append(s.OneOf, &huma.Schema{Ref: to})
		s.Discriminator.Mapping[string(shape.Kind)] = to
	}
	return s
}

// only is the schema of the member kind.
func only(shapes ...insight.Shape) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, shape := range shapes {
		s.Enum = append(s.Enum, string(shape.Kind))
	}
	s.PrecomputeMessages()
	return s
}

// checkQuestion checks a question by the schema of its kind. huma itself would try all of
// them, and say only that none fits.
func (s *Server) checkQuestion(b *QuestionBody) error {
	var body any
	if err := json.Unmarshal(b.raw, &body); err != nil {
		return schemaError(http.StatusUnprocessableEntity, "validation failed", err)
	}
	r := s.api.OpenAPI().Components.Schemas
	schema := &huma.Schema{
		Type: huma.TypeObject, Properties: map[string]*huma.Schema{"kind": only(insight.Shapes()...)}, Required: []string{"kind"}, AdditionalProperties: true,
	}
	schema.PrecomputeMessages()
	if members, ok := body.(map[string]any); ok {
		kind, _ := members["kind"].(string)
		for _, shape := range insight.Shapes() {
			if string(shape.Kind) == kind {
				schema = r.SchemaFromRef(schemasAt + questionName(shape.Kind))
			}
		}
	}
	res := &huma.ValidateResult{}
	body = withoutFilters(body)
	at := huma.NewPathBuffer(nil, 0)
	huma.Validate(r, schema, at, huma.ModeWriteToServer, body, res)
	if len(res.Errors) > 0 {
		return schemaError(http.StatusUnprocessableEntity, "validation failed", res.Errors...)
	}
	return nil
}

// ConditionBody is one test of a filter: of a column, or a group of tests. It describes
// weir.Condition, which reads itself.
type ConditionBody struct {
	Column string          `json:"column,omitempty" doc:"a column, properties.NAME, traits.NAME or groups.TYPE"`
	Op     string          `json:"op,omitempty" enum:"=,!=,in,not in,contains,not contains,starts with,matches,not matches,>,>=,<,<=,is set,is not set" doc:"matches takes a regular expression (RE2)"`
	Value  *Scalar         `json:"value,omitempty"`
	Values []Scalar        `json:"values,omitempty" maxItems:"1000" doc:"with in and not in"`
	All    []ConditionBody `json:"all,omitempty" doc:"in place of a column: conditions that must all hold"`
	Any    []ConditionBody `json:"any,omitempty" doc:"conditions of which one must hold"`
	Not    *ConditionBody  `json:"not,omitempty" doc:"a condition that must not hold"`
}

// withoutFilters is JSON without the members named filter. A filter says itself what is wrong with
// it, and better than its schema, which takes a tree of conditions as well as a list.
func withoutFilters(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "filter")
		for name, member := range v {
			v[name] = withoutFilters(member)
		}
	case []any:
		for i, element := range v {
			v[i] = withoutFilters(element)
		}
	}
	return v
}

// Scalar is a string, a number or a boolean.
type Scalar string

// Schema is its JSON schema.
func (Scalar) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		{Type: huma.TypeString}, {Type: huma.TypeNumber}, {Type: huma.TypeBoolean},
	}}
}
