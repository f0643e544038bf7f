package httpd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"golang.org/x/time/rate"
)

// throttle slows guessing at passwords down: by account and client address, by
// client address alone, which more people share, and by account alone, for those who
// guess from many addresses. That last one is wide, since who uses it up keeps the
// account's owner out too: it takes a dozen addresses at their full pace.
type throttle struct {
	pair, addr, account fleet.Limit

	refused *prometheus.CounterVec // attempts, by what they were refused for

	limiter fleet.Limiter // of all nodes
	own     fleet.Limiter // this node's, where the other fails: an outage neither locks people out nor lets guessers in
	log     *slog.Logger
	failed  rate.Sometimes // the log of that
}

// newThrottle lets through a few guesses at once, then slowly. limiter may be nil:
// then there is but this node.
func newThrottle(limiter fleet.Limiter, clock weir.Clock, log *slog.Logger, refused *prometheus.CounterVec) *throttle {
	own := local.New(local.Options{Clock: clock}).Limiter
	if limiter == nil {
		limiter = own
	}
	return &throttle{
		pair:    fleet.Limit{Every: 12 * time.Second, Burst: 5},
		addr:    fleet.Limit{Every: 2 * time.Second, Burst: 30},
		account: fleet.Limit{Every: time.Second, Burst: 600},
		refused: refused,
		limiter: limiter,
		own:     own,
		log:     log,
		failed:  rate.Sometimes{First: 3, Interval: 10 * time.Second},
	}
}

// guess takes one attempt. Errors: ERATELIMITED, with the seconds to wait.
func (t *throttle) guess(ctx context.Context, email, ip string) error {
	addr := network(ip)
	for _, l := range []struct {
		by, key string
		limit   fleet.Limit
	}{
		{"address", addrKey(addr), t.addr},
		{"account_and_address", pairKey(email, addr), t.pair},
		{"account", accountKey(email), t.account},
	} {
		wait := t.take(ctx, l.key, l.limit)
		if wait == 0 {
			continue
		}
		t.refused.WithLabelValues(l.by).Inc()
		e := newError(weir.ERATELIMITED, "too many attempts: wait a little", nil, nil)
		e.retryAfter(seconds(wait))
		return e
	}
	return nil
}

func (t *throttle) take(ctx context.Context, key string, l fleet.Limit) time.Duration {
	wait, _, err := t.limiter.Take(ctx, key, l, 1)
	if err == nil {
		return wait
	}
	t.fail(ctx, err)
	if wait, _, err = t.own.Take(ctx, key, l, 1); err != nil {
		t.fail(ctx, err) // it never does
	}
	return wait
}

// right forgets the guesses at an account whose owner has come.
func (t *throttle) right(ctx context.Context, email, ip string) {
	key := pairKey(email, network(ip))
	for _, l := range []fleet.Limiter{t.limiter, t.own} {
		if err := l.Forget(ctx, key); err != nil {
			t.fail(ctx, err)
		}
	}
}

func (t *throttle) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the client has gone, no store has failed
	}
	t.failed.Do(func() {
		t.log.WarnContext(ctx, "attempts to sign in are counted by this node alone", "error", err)
	})
}

// The keys are sums, as addresses are nobody's to read in a store.

func addrKey(addr string) string { return "login:addr:" + digest(addr) }

func pairKey(email, addr string) string { return "login:pair:" + digest(account(email)+"\x00"+addr) }

func accountKey(email string) string { return "login:account:" + digest(account(email)) }

func account(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	var text [2 * len(sum)]byte
	return string(hex.AppendEncode(text[:0], sum[:]))
}

// network is an address, or of IPv6 the /64 that one customer has to choose
// addresses from.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() {
		return ip
	}
	p, err := a.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
