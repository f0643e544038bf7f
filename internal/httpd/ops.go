package httpd

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	weir "github.com/weir-analytics/weir"
)

// probeWithin is how long all checks may take together.
const probeWithin = 2 * time.Second

type (
	healthOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         struct {
			Status string `json:"status"`
		}
	}
	readyOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         ReadyBody
	}
)

// ReadyBody names the parts that work.
type ReadyBody struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

func (s *Server) mountOps() {
	handle(s, huma.Operation{
		OperationID: "healthz", Method: "GET", Path: "/healthz", Summary: "Whether the process runs",
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		out := &healthOutput{CacheControl: "no-store"}
		out.Body.Status = "ok"
		return out, nil
	})
	handle(s, huma.Operation{
		OperationID: "readyz", Method: "GET", Path: "/readyz", Summary: "Whether all parts work",
		Description: "503 names those that do not.",
	}, s.ready)
	metrics := promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{})
	s.mux.HandleFunc("GET /metrics", metrics.ServeHTTP)
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Summary: "Metrics for Prometheus",
		Security:    securityOf(Rule{Need: Scraper}),
		Description: "A server takes no token that runs with --open-metrics, or on loopback without --public-url.",
		Responses: map[string]*huma.Response{"200": {
			Description: "OK",
			Content:     map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
		}, "default": s.errorResponse()},
	})
}

func (s *Server) ready(ctx context.Context, _ *struct{}) (*readyOutput, error) {
	select {
	case <-s.stopping:
		return nil, weir.Errorf(weir.EUNAVAILABLE, "stopping")
	default:
	}
	errs := s.probe(ctx)
	checks := make(map[string]string, len(errs))
	ready := true
	for i, c := range s.cfg.Checks {
		checks[c.Name] = "ok"
		if errs[i] != nil {
			ready = false
			checks[c.Name] = "unavailable" // why is for the log
			s.notReady[i].Down(errs[i], "check", c.Name)
		} else {
			s.notReady[i].Up("check", c.Name)
		}
	}
	if !ready {
		e := weir.Errorf(weir.EUNAVAILABLE, "not all parts work")
		e.Details = checks
		return nil, e
	}
	return &readyOutput{CacheControl: "no-store", Body: ReadyBody{Status: "ready", Checks: checks}}, nil
}
