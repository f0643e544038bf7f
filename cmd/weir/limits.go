package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// limiter returns the limiter of senders' rates, which also counts what it refuses; nil on
// a node that accepts no events.
func (s *server) limiter() *ingest.Limiter {
	s.overflows = ingest.NewOverflows(s.meta, s.log)
	if !s.cmd.has(roleIngest) {
		return nil
	}
	c := ingest.LimiterConfig{Logger: s.log, Registry: s.reg}
	if s.cmd.hot.Shared {
		c.Shared = &s.late.limiter
	}
	return ingest.NewLimiter(c)
}

// keepOverflows stores the counts of refused events until stop is called, which stores the
// last ones.
func (s *server) keepOverflows(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.overflows.Run(ctx) }) // it has no error
	return func() {
		cancel()
		wg.Wait()
	}
}

// usage answers how much of their limits projects have used.
func (s *server) usage() *ingest.Usages {
	return &ingest.Usages{Counters: s.hot, Overflows: s.overflows, LimitKey: s.cmd.LimitKey, LimitIP: s.cmd.LimitIP}
}

// limitFlags change the limits of a project. A flag that is not given changes nothing.
type limitFlags struct {
	LimitKey *string        `placeholder:"N/s" help:"Most events by one write key, such as 1000/s, 600/m or 5000/h; off for any number, empty for the server's."`
	LimitIP  *string        `name:"limit-ip" placeholder:"N/s" help:"Most requests from one address; off for any number, empty for the server's."`
	Quota    *int64         `placeholder:"N" help:"Most events of a calendar month in the project's timezone; 0 is any number."`
	Over     *weir.Overflow `enum:"refuse,sample,flag" placeholder:"POLICY" help:"What becomes of more: refuse, sample (those of a share of the devices are kept) or flag (all are kept, and marked)."`
	Sample   *int           `placeholder:"PERCENT" help:"Percent of the devices that --over sample keeps."`
}

// into adds what is given to the body of a change.
func (f *limitFlags) into(body map[string]any) {
	if f.LimitKey != nil {
		body["limit_key"] = *f.LimitKey
	}
	if f.LimitIP != nil {
		body["limit_ip"] = *f.LimitIP
	}
	if f.Quota != nil {
		body["quota"] = *f.Quota
	}
	if f.Over != nil {
		body["over"] = *f.Over
	}
	if f.Sample != nil {
		body["sample"] = *f.Sample
	}
}

// limitsBody is the server's answer about a project's limits.
type limitsBody struct {
	LimitKey string `json:"limit_key"`
	LimitIP  string `json:"limit_ip"`
	Quota    int64  `json:"quota"`
	Over     string `json:"over"`
	Sample   int    `json:"sample"`
}

// String returns a line for each.
func (b limitsBody) String() string {
	rate := func(s, what string) string {
		switch s {
		case "":
			return "the server's"
		case "off":
			return "any number of " + what
		}
		return s + " " + what
	}
	quota := "none"
	if b.Quota > 0 {
		quota = fmt.Sprintf("%d events a month, then %s", b.Quota, b.Over)
		if b.Over == string(weir.OverSample) {
			quota += fmt.Sprintf(" %d %% of the devices", b.Sample)
		}
	}
	return strings.Join([]string{"limit of a key       " + rate(b.LimitKey, "events"), "limit of an address  " + rate(b.LimitIP, "requests"), "quota                " + quota}, "\n") + "\n"
}
