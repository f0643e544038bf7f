package httpd

import (
	"context"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Status is what the process reports about itself: the server cannot find it out alone.
type Status struct {
	Roles []string // what the process does: ingest, drain, query, jobs
	// Hot is how the hot tier is. It is marshalled to JSON as an object with
	// "kind", and holds no secrets.
	Hot   any
	Drain DrainStatus
}

// DrainStatus is how far the drain is behind. What is nil is not known.
type DrainStatus struct {
	BehindEvents *uint64  `json:"behind_events" doc:"accepted events that are not in the cold tier yet; null when the hot tier does not tell"`
	LagSeconds   *float64 `json:"lag_seconds" doc:"age of the time up to which the cold tier is complete; null before the first look at every shard"`
}

// StatusBody is how the server is, for those who run it.
type StatusBody struct {
	Version string      `json:"version"`
	Uptime  float64     `json:"uptime" doc:"seconds since the server was made"`
	Roles   []string    `json:"roles" nullable:"false" doc:"what this process does: ingest, drain, query, jobs"`
	Checks  []CheckBody `json:"checks" nullable:"false"`
	Hot     any         `json:"hot" doc:"the hot tier: its kind, pebble or redis; of Redis its url and the health of its servers and shards; null when it is not known"`
	Drain   DrainStatus `json:"drain"`
}

// TransformSchema describes what the status of each hot tier has in common.
func (StatusBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["hot"].AnyOf = []*huma.Schema{
		{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"kind": {Type: huma.TypeString}}, Required: []string{"kind"}, AdditionalProperties: true},
		{Type: "null"},
	}
	return s
}

// CheckBody is whether a part works.
type CheckBody struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty" doc:"why it does not"`
}

type statusOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         StatusBody
}

func (s *Server) mountStatus() {
	handle(s, huma.Operation{
		OperationID: "status", Method: "GET", Path: "/api/admin/status", Summary: "How the server and its stores are",
		Description: "For the server's administrator. It answers 200 whatever does not work, and says why it does not.",
	}, s.status)
}

func (s *Server) status(ctx context.Context, _ *struct{}) (*statusOutput, error) {
	var own Status
	var err error
	var wg sync.WaitGroup
	if s.cfg.Status != nil {
		wg.Go(func() { own, err = s.cfg.Status(ctx) })
	}
	errs := s.probe(ctx)
	wg.Wait()
	if err != nil {
		return nil, err
	}
	out := &statusOutput{CacheControl: "no-store", Body: StatusBody{
		Version: s.cfg.Version, Uptime: s.cfg.Clock.Now().Sub(s.began).Round(time.Millisecond).Seconds(),
		Roles: own.Roles, Checks: []CheckBody{}, Hot: own.Hot, Drain: own.Drain,
	}}
	if out.Body.Roles == nil {
		out.Body.Roles = []string{}
	}
	for i, c := range s.cfg.Checks {
		check := CheckBody{Name: c.Name, OK: errs[i] == nil}
		if errs[i] != nil {
			check.Error = errs[i].Error()
		}
		out.Body.Checks = append(out.Body.Checks, check)
	}
	return out, nil
}

// probe runs all checks at once, within probeWithin, and returns what each said.
func (s *Server) probe(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	errs := make([]error, len(s.cfg.Checks))
	var wg sync.WaitGroup
	for i, c := range s.cfg.Checks {
		wg.Go(func() { errs[i] = c.Probe(ctx) })
	}
	wg.Wait()
	return errs
}
