package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// The second demo project is an API that does not exist: an access log says nothing of
// latencies, consumers or users.
const (
	demoAPIProject = "Demo API"
	demoAPIKey     = "wk_demoapidemoapi"
	demoAPIDays    = 8      // of the past
	demoAPICalls   = 12_000 // of a day that is busy all the time
	demoAPIUsers   = 60
)

// demoRoute is a route of it. Latencies are log-normal.
type demoRoute struct {
	method, route string
	weight        float64
	median        float64 // milliseconds
	failing       float64 // share of its calls
	status        int     // of those
}

var demoRoutes = []demoRoute{
	{"GET", "/v1/orders", 28, 18, 0.002, 500},
	{"GET", "/v1/orders/{id}", 24, 9, 0.03, 404},
	{"POST", "/v1/orders", 12, 65, 0.02, 422},
	{"GET", "/v1/products", 16, 24, 0, 0},
	{"GET", "/v1/search", 9, 140, 0.004, 503},
	{"POST", "/v1/payments", 6, 310, 0.045, 402},
	{"PATCH", "/v1/customers/{id}", 3, 38, 0.01, 409},
	{"GET", "/v1/reports/{month}", 2, 1400, 0.08, 504},
}

var demoConsumers = []string{"acme", "globex", "initech", "umbrella", "hooli"}

// demoAPI fills the project once, then calls go on.
func (s *server) demoAPI(ctx context.Context) error {
	p, fill, err := s.demoProject(ctx, demoAPIProject, demoAPIKey)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if fill {
		if err := s.fillDemoAPI(ctx, p); err != nil && ctx.Err() == nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for ctx.Err() == nil {
		mean := float64(24*time.Hour/demoAPICalls) / busyness(time.Now())
		if err := waitFor(ctx, time.Duration(min(r.ExpFloat64(), 5)*mean)); err != nil {
			break
		}
		in := []weir.Incoming{demoCall(r, time.Now(), "")}
		if _, err := s.ingest.Accept(ctx, p, in, ingest.Remote{}); err != nil && ctx.Err() == nil {
			s.log.Warn("demo: event was not taken", "error", err)
		}
	}
	return nil
}

// fillDemoAPI stores the past, under ids that make it the same each time.
func (s *server) fillDemoAPI(ctx context.Context, p *weir.Project) error {
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	var in []weir.Incoming
	for i := range demoAPIUsers {
		in = append(in, demoUser(i, now.Add(-time.Duration(r.Float64()*demoAPIDays*24)*time.Hour)))
	}
	for i := range demoAPIDays * demoAPICalls {
		ago := time.Duration(r.Float64() * demoAPIDays * float64(24*time.Hour))
		if at := now.Add(-ago); r.Float64() < busyness(at) {
			in = append(in, demoCall(r, at, fmt.Sprintf("demo-call-%d", i)))
		}
		if len(in) >= 1000 || i == demoAPIDays*demoAPICalls-1 {
			if _, err := s.ingest.Accept(ctx, p, in, ingest.Remote{}); err != nil {
				return err
			}
			in = in[:0]
		}
	}
	return nil
}

// busyness is how busy the API is at a time, 0 to 1: by day more than at night.
func busyness(at time.Time) float64 {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	return 0.6 + 0.4*math.Sin((hour-8)/12*math.Pi) // never 0
}

func demoUser(i int, at time.Time) weir.Incoming {
	traits, _ := json.Marshal(map[string]any{ // of strings alone: it does not fail
		"name": fmt.Sprintf("User %02d", i), "plan": [...]string{"free", "free", "pro", "team"}[i%4], "company": demoConsumers[i%len(demoConsumers)],
	})
	return weir.Incoming{
		Event: weir.Event{
			ID: fmt.Sprintf("demo-user-%d", i), Name: weir.NameIdentify, Time: at.UTC().Truncate(time.Microsecond),
			ProfileID: fmt.Sprintf("user-%02d", i), Properties: traits,
		},
		Source: weir.Source{Reported: true},
	}
}

func demoCall(r *rand.Rand, at time.Time, id string) weir.Incoming {
	all := 0.0
	for _, x := range demoRoutes {
		all += x.weight
	}
	pick, route := r.Float64()*all, demoRoutes[0]
	for _, x := range demoRoutes {
		if pick -= x.weight; pick < 0 {
			route = x
			break
		}
	}
	status := 200
	if r.Float64() < route.failing {
		status = route.status
	}
	// The first users call the most.
	user := int(demoAPIUsers * math.Pow(r.Float64(), 2))
	latency := route.median * math.Exp(0.55*r.NormFloat64())
	return weir.Incoming{
		Event: weir.Event{
			ID: id, Name: weir.NameCall, Time: at.UTC().Truncate(time.Microsecond), ProfileID: fmt.Sprintf("user-%02d", user),
			Call: &weir.Call{
				Method: route.method, Route: route.route, Status: status,
				LatencyMS: math.Round(latency*100) / 100, Consumer: demoConsumers[user%len(demoConsumers)],
			},
		},
		Source: weir.Source{Reported: true},
	}
}
