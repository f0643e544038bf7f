package demo

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
	apiProject = "Demo API"
	apiDays    = 8      // of the past
	apiCalls   = 12_000 // of a day that is busy all the time
	apiUsers   = 60
)

// route is a route of it. Latencies are log-normal.
type route struct {
	method, route string
	weight        float64
	median        float64 // milliseconds
	failing       float64 // share of its calls
	status        int     // of those
}

var routes = []route{
	{"GET", "/v1/orders", 28, 18, 0.002, 500},
	{"GET", "/v1/orders/{id}", 24, 9, 0.03, 404},
	{"POST", "/v1/orders", 12, 65, 0.02, 422},
	{"GET", "/v1/products", 16, 24, 0, 0},
	{"GET", "/v1/search", 9, 140, 0.004, 503},
	{"POST", "/v1/payments", 6, 310, 0.045, 402},
	{"PATCH", "/v1/customers/{id}", 3, 38, 0.01, 409},
	{"GET", "/v1/reports/{month}", 2, 1400, 0.08, 504},
}

var consumers = []string{"acme", "globex", "initech", "umbrella", "hooli"}

// runAPI fills the project once, then calls go on.
func (d *Demo) runAPI(ctx context.Context) error {
	p, fill, err := d.project(ctx, apiProject, apiKey)
	if err != nil {
		return err
	}
	if fill {
		if err := d.fillAPI(ctx, p); err != nil && ctx.Err() == nil {
			return err
		}
	}
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for ctx.Err() == nil {
		mean := float64(24*time.Hour/apiCalls) / busyness(time.Now())
		if err := pause(ctx, time.Duration(min(r.ExpFloat64(), 5)*mean)); err != nil {
			break
		}
		in := []weir.Incoming{call(r, time.Now(), "")}
		if _, err := d.Ingest.Accept(ctx, p, in, ingest.Remote{}); err != nil && ctx.Err() == nil {
			d.Log.Warn("demo: an event was refused", "error", err)
		}
	}
	return nil
}

// fillAPI stores the past, under ids that make it the same each time.
func (d *Demo) fillAPI(ctx context.Context, p *weir.Project) error {
	r := rand.New(rand.NewPCG(1, 2))
	now := time.Now()
	var in []weir.Incoming
	for i := range apiUsers {
		in = append(in, user(i, now.Add(-time.Duration(r.Float64()*apiDays*24)*time.Hour)))
	}
	for i := range apiDays * apiCalls {
		ago := time.Duration(r.Float64() * apiDays * float64(24*time.Hour))
		if at := now.Add(-ago); r.Float64() < busyness(at) {
			in = append(in, call(r, at, fmt.Sprintf("demo-call-%d", i)))
		}
		if len(in) >= 1000 || i == apiDays*apiCalls-1 {
			if _, err := d.Ingest.Accept(ctx, p, in, ingest.Remote{}); err != nil {
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

func user(i int, at time.Time) weir.Incoming {
	traits, _ := json.Marshal(map[string]any{ // of strings alone: it does not fail
		"name": fmt.Sprintf("User %02d", i), "plan": [...]string{"free", "free", "pro", "team"}[i%4], "company": consumers[i%len(consumers)],
	})
	return weir.Incoming{
		Event: weir.Event{
			ID: fmt.Sprintf("demo-user-%d", i), Name: weir.NameIdentify, Time: at.UTC().Truncate(time.Microsecond),
			ProfileID: fmt.Sprintf("user-%02d", i), Properties: traits,
		},
		Source: weir.Source{Reported: true},
	}
}

func call(r *rand.Rand, at time.Time, id string) weir.Incoming {
	all := 0.0
	for _, x := range routes {
		all += x.weight
	}
	pick, route := r.Float64()*all, routes[0]
	for _, x := range routes {
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
	user := int(apiUsers * math.Pow(r.Float64(), 2))
	latency := route.median * math.Exp(0.55*r.NormFloat64())
	return weir.Incoming{
		Event: weir.Event{
			ID: id, Name: weir.NameCall, Time: at.UTC().Truncate(time.Microsecond), ProfileID: fmt.Sprintf("user-%02d", user),
			Call: &weir.Call{
				Method: route.method, Route: route.route, Status: status,
				LatencyMS: weir.Known(math.Round(latency*100) / 100), Consumer: consumers[user%len(consumers)],
			},
		},
		Source: weir.Source{Reported: true},
	}
}
