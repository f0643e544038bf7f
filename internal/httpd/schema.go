package httpd

import (
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// schemasAt is where the document has its schemas.
const schemasAt = "#/components/schemas/"

// newSchemas is where the schemas of the OpenAPI document are gathered. Those of
// answers come from the types of the packages that answer, which know nothing of
// huma: what their JSON does not follow from is said here.
func newSchemas() huma.Registry {
	r := huma.NewMapRegistry(schemasAt, schemaName)
	r.RegisterTypeAlias(reflect.TypeFor[insight.Group](), reflect.TypeFor[group]())
	r.RegisterTypeAlias(reflect.TypeFor[weir.Filter](), reflect.TypeFor[[]ConditionBody]())
	return r
}

// schemaName keeps the types of the packages apart, as both stats and insight
// have a Trend: those from elsewhere bear the name of their package.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "", reflect.TypeFor[Server]().PkgPath(), reflect.TypeFor[weir.Event]().PkgPath():
		return huma.DefaultSchemaNamer(t, hint)
	}
	pkg := path.Base(t.PkgPath())
	return strings.ToUpper(pkg[:1]) + pkg[1:] + huma.DefaultSchemaNamer(t, hint)
}

// completeSchemas says what the schemas of structs lack, for which huma has no tag:
// a pointer to a struct that is not left out is null when it is nil, and the
// properties of an event are an object.
func completeSchemas(r huma.Registry) {
	for name, s := range r.Map() {
		t := r.TypeFromRef(schemasAt + name)
		if t == nil {
			continue // of no type: see QuestionBody
		}
		for _, f := range reflect.VisibleFields(t) {
			key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property := s.Properties[key]
			switch {
			case property == nil:
			case property.Ref != "" && f.Type.Kind() == reflect.Pointer && options == "":
				description := property.Description
				property.Description = ""
				s.Properties[key] = &huma.Schema{AnyOf: []*huma.Schema{property, {Type: "null"}}, Description: description}
			case key == "properties":
				property.Type, property.AdditionalProperties = huma.TypeObject, true
			}
		}
	}
}

// describeMeasures says which values of which insights an alert can measure.
func describeMeasures(r huma.Registry) {
	measure := r.SchemaFromRef(schemasAt + "MeasureBody").Properties
	kinds, values := []string{string(weir.KindTrend)}, []string{}
	for _, kind := range insight.MeasuredKinds() {
		var names []string
		for _, m := range insight.Measures(kind) {
			names = append(names, string(m.Name))
		}
		kinds, values = append(kinds, string(kind)), append(values, "insight "+string(kind)+": "+strings.Join(names, ", "))
	}
	measure["insight"].Description = "insight: one of " + strings.Join(kinds, ", ") + "; trend when missing"
	measure["value"].Description = strings.Join(values, "; ") + "; as in the totals of the insight. rate is calls per second"
}

// group stands for insight.Group.
type group struct{}

// Schema is its JSON schema.
func (group) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: "null"}}}
}
