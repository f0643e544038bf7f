package httpd

import (
	"context"
	"log/slog"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"golang.org/x/time/rate"
)

// throttle slows guessing at passwords and other secrets down: by account and client
// address, by client address alone, which more people share, by the networks that
// one customer may have of IPv6, and by account alone, for those who guess from many
// places. That last one is wide, since who uses it up keeps the account's owner out
// too, unless the owner's browser has signed in before: it has attempts of its own.
type throttle struct {
	pair, addr, net56, net48, account fleet.Limit

	metrics *metrics

	limiter fleet.Limiter // of all nodes; nil without others
	own     fleet.Limiter // this node's, asked first: what it refuses costs the other nothing, and where the other fails it goes on alone
	log     *slog.Logger
	failed  rate.Sometimes // the log of that
}

// newThrottle lets through a few guesses at once, then slowly. limiter may be nil:
// then there is but this node.
func newThrottle(limiter fleet.Limiter, clock weir.Clock, log *slog.Logger, m *metrics) *throttle {
	return &throttle{
		pair:    fleet.Limit{Every: 12 * time.Second, Burst: 5},
		addr:    fleet.Limit{Every: 2 * time.Second, Burst: 30},
		net56:   fleet.Limit{Every: time.Second, Burst: 60},
		net48:   fleet.Limit{Every: time.Second / 2, Burst: 120},
		account: fleet.Limit{Every: time.Second, Burst: 600},
		metrics: m,
		limiter: limiter,
		own:     local.New(local.Options{Clock: clock}).Limiter,
		log:     log,
		failed:  rate.Sometimes{First: 3, Interval: 10 * time.Second},
	}
}

// bucket is where attempts are taken from, and what they have in common.
type bucket struct {
	by, key string
	limit   fleet.Limit
}

// places are the buckets of a client's address, the narrow ones first: who uses one
// up takes nothing from the neighbours.
func (t *throttle) places(prefix, ip string) []bucket {
	all := []bucket{{"address", prefix + "addr:" + fleet.Digest(fleet.Customer(ip)), t.addr}}
	if n := fleet.Network(ip, 56); n != "" {
		all = append(all, bucket{"network", prefix + "56:" + fleet.Digest(n), t.net56})
	}
	if n := fleet.Network(ip, 48); n != "" {
		all = append(all, bucket{"network", prefix + "48:" + fleet.Digest(n), t.net48})
	}
	return all
}

// guess takes one attempt at an account's password. device is the browser's, "" for
// one that has not signed in to the account before. Errors: ERATELIMITED, with the
// seconds to wait.
func (t *throttle) guess(ctx context.Context, email, ip, device string) error {
	buckets := []bucket{{"device", deviceKey(device), t.pair}}
	if device == "" {
		buckets = append(t.places("login:", ip),
			bucket{"account_and_address", pairKey(email, fleet.Customer(ip)), t.pair},
			bucket{"account", accountKey(email), t.account})
	}
	if b, wait := t.take(ctx, buckets); wait > 0 {
		return t.refuse(b.by, wait)
	}
	return nil
}

// secret lets look find out whether a token or a code, of the kind, is right. look's
// error is EUNAUTHORIZED for a wrong one, of which a client's network has a few. A right
// one is always taken: it is random and cannot be guessed, and who sends wrong ones from
// the same network, such as an office's, is to keep nobody out. The limit is there to
// be seen in the metrics, and for what guessing costs. Errors: ERATELIMITED, and those of
// look.
func (t *throttle) secret(ctx context.Context, kind, ip string, look func() error) error {
	err := look()
	if weir.ErrorCode(err) != weir.EUNAUTHORIZED {
		return err
	}
	t.wrong(kind)
	if _, wait := t.take(ctx, t.places("secret:", ip)); wait > 0 {
		return t.refuse(kind, wait)
	}
	return err
}

// wrong counts a secret that was wrong.
func (t *throttle) wrong(kind string) { t.metrics.wrong.WithLabelValues(kind).Inc() }

func (t *throttle) refuse(by string, wait time.Duration) error {
	t.metrics.guesses.WithLabelValues(by).Inc()
	e := newError(weir.ERATELIMITED, "too many attempts: wait a little", nil, nil)
	e.retryAfter(seconds(wait))
	return e
}

// take takes an attempt of each bucket, up to the first that has none, which it returns
// with the time to wait. All are taken of this node's limiter before the other is asked:
// so a flood makes no more buckets in a shared store than attempts that get through.
func (t *throttle) take(ctx context.Context, buckets []bucket) (bucket, time.Duration) {
	for _, x := range []fleet.Limiter{t.own, t.limiter} {
		if x == nil {
			continue
		}
		for _, b := range buckets {
			wait, _, err := x.Take(ctx, b.key, b.limit, 1)
			if err != nil {
				t.fail(ctx, err) // the other's: this node's never fails
				break
			}
			if wait > 0 {
				return b, wait
			}
		}
	}
	return bucket{}, 0
}

// right forgets the guesses at an account whose owner has come.
func (t *throttle) right(ctx context.Context, email, ip, device string) {
	key := pairKey(email, fleet.Customer(ip))
	if device != "" {
		key = deviceKey(device)
	}
	for _, l := range []fleet.Limiter{t.limiter, t.own} {
		if l == nil {
			continue
		}
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

func deviceKey(id string) string { return "login:device:" + fleet.Digest(id) }

func pairKey(email, addr string) string {
	return "login:pair:" + fleet.Digest(account(email)+"\x00"+addr)
}

func accountKey(email string) string { return "login:account:" + fleet.Digest(account(email)) }

func account(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
