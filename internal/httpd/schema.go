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
		for _, f := range reflect.VisibleFields(r.TypeFromRef(schemasAt + name)) {
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

// group stands for insight.Group.
type group struct{}

// Schema is its JSON schema.
func (group) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: "null"}}}
}
