package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// Names of the ways to say who calls, in the OpenAPI document.
const (
	byToken    = "token"
	bySession  = "session"
	byWriteKey = "write_key"
	byShare    = "shared_link"
)

// openAPIConfig leaves out what huma would mount by itself: its documents are
// built while they are asked for, unlocked, and its pages load scripts from
// elsewhere.
func openAPIConfig(version string) huma.Config {
	c := huma.DefaultConfig("Weir", version)
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.CreateHooks = nil
	c.Components.Schemas = newSchemas()
	c.Info.Description = "Real-time product and API analytics."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		byToken:    {Type: "http", Scheme: "bearer", Description: "an API token, wt_…"},
		bySession:  {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "over HTTPS it is named " + hostPrefix + sessionCookie},
		byShare:    {Type: "http", Scheme: "bearer", Description: "the end of a shared link, wl_…"},
		byWriteKey: {Type: "http", Scheme: "bearer", Description: "a project's write key, wk_…; also as X-Weir-Key or ?key="},
	}
	return c
}

// securityOf is a rule in OpenAPI's words.
func securityOf(rule Rule) []map[string][]string {
	switch rule.Need {
	case Reader:
		return []map[string][]string{{byShare: {}}}
	case WriteKey:
		return []map[string][]string{{byWriteKey: {}}}
	case User:
		return []map[string][]string{{bySession: {}}}
	case SignedIn, InProject, Instance, Scraper:
		ways := []map[string][]string{{byToken: {}}, {bySession: {}}}
		if len(rule.Shown) > 0 {
			ways = append(ways, map[string][]string{byShare: {}})
		}
		return ways
	}
	return nil
}

// strangersBody bounds a body, in bytes, that is read of whoever sends it; all others
// are read after the route's rule has let the sender in.
const strangersBody = 8 << 10

// handle mounts a typed route.
func handle[I, O any](s *Server, op huma.Operation, h func(ctx context.Context, in *I) (*O, error)) {
	s.describe(&op)
	op.MaxBodyBytes = s.cfg.MaxBody
	if need := s.mux.rules[op.Method+" "+op.Path].Need; need == Public || need == Session || need == Reader {
		op.MaxBodyBytes = strangersBody
	}
	op.Middlewares = append(op.Middlewares, asJSON)
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			e := asError(err)
			s.logFailure(ctx, e)
			return nil, e
		}
		return out, nil
	})
}

// describe fills in what follows from the route's rule.
func (s *Server) describe(op *huma.Operation) {
	rule := s.mux.rules[op.Method+" "+op.Path]
	op.Security = securityOf(rule)
	if rule.Need == InProject {
		op.Description += fmt.Sprintf(" Takes the role %s in the project, or a token with the scope %s.", weir.LeastRole(rule.Scope), rule.Scope)
		if len(rule.Shown) > 0 {
			op.Description += " Shared links (docs/sharing.md) take a part of it."
		}
	}
}

// asJSON reads a body as JSON whatever its Content-Type says, as curl -d says
// it is a form's. The check of the request's origin does not rest on the type.
func asJSON(ctx huma.Context, next func(huma.Context)) { next(jsonContext{ctx}) }

type humaContext = huma.Context // embedded as huma.Context it would hide its own method Context

type jsonContext struct{ humaContext }

func (c jsonContext) Header(name string) string {
	if http.CanonicalHeaderKey(name) == "Content-Type" {
		return "application/json"
	}
	return c.humaContext.Header(name)
}

// Unwrap lets huma's adapter find its own context.
func (c jsonContext) Unwrap() huma.Context { return c.humaContext }

// answering documents the body of a 200 that does not follow from the type of a handler.
func (s *Server) answering(op huma.Operation, body reflect.Type) huma.Operation {
	return s.answeringWith(op, s.schema(body))
}

func (s *Server) answeringWith(op huma.Operation, body *huma.Schema) huma.Operation {
	op.Responses = map[string]*huma.Response{
		"200":     {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: body}}},
		"default": s.errorResponse(),
	}
	return op
}

func (s *Server) schema(t reflect.Type) *huma.Schema {
	return s.api.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

func (s *Server) errorResponse() *huma.Response {
	return &huma.Response{
		Description: "Error",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: s.schema(reflect.TypeFor[Error]())}},
	}
}

// mountOpenAPI serves the document of what was mounted before it.
func (s *Server) mountOpenAPI() {
	completeSchemas(s.api.OpenAPI().Components.Schemas)
	describeMeasures(s.api.OpenAPI().Components.Schemas)
	// Made when it is first asked for: a start needs none, and it takes as long as all routes together.
	document := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		doc, err := document()
		if err != nil {
			s.fail(w, r, fmt.Errorf("httpd: OpenAPI document: %w", err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(doc)
	})
}

// projectOf is the project that admit let the request to.
func projectOf(ctx context.Context) *weir.Project { return callOf(ctx).project }
