package receive

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/ingest"
)

// rates limits the requests of each address.
type rates struct {
	limiter *ingest.Limiter // nil: no rates
	server  weir.Rate       // for projects without a rate of their own
	refused *prometheus.CounterVec
}

// addressRate is the rate that one request counts against.
type addressRate struct {
	*rates
	ip       string
	bucket   string // that a token was taken of; "" for none
	standing *ingest.Standing
}

func (x *rates) open(ip string) addressRate { return addressRate{rates: x, ip: ip} }

// hold counts the request against the rate of its address: the project's own, or the
// server's if the project is unknown or has none. err is why the request is refused
// already, or nil: a sender that tries keys is limited too. A request counts once. If it
// counted against the server's rate before its project was known, that token is given
// back.
//
// Errors: an *ingest.Refusal over the rate; otherwise err.
func (a *addressRate) hold(ctx context.Context, project *weir.Project, err error) error {
	if a.limiter == nil || a.ip == "" {
		return err
	}
	limit, scope := a.server, ""
	if project != nil && project.Limits.IP.N != 0 {
		limit, scope = project.Limits.IP, project.ID+":"
	}
	bucket := ""
	if limit.Limited() {
		bucket = "ip:" + scope + fleet.Digest(fleet.Customer(a.ip))
	}
	if bucket == a.bucket {
		return err
	}
	if a.bucket != "" {
		a.limiter.Return(a.bucket, 1)
		a.bucket, a.standing = "", nil
	}
	if bucket == "" {
		return err
	}
	standing, wait := a.limiter.Take(ctx, bucket, limit, 1)
	standing.Policy = ingest.PolicyIP
	if wait > 0 {
		a.refused.WithLabelValues(reasonLimited).Inc()
		return ingest.Limited(standing, wait)
	}
	a.bucket, a.standing = bucket, &standing
	return err
}
