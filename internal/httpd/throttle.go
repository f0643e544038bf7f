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

// throttle slows down guessing at passwords and other secrets. It counts attempts in
// several buckets: by account and address, by address alone (which more people share), by
// IPv6 networks of two sizes (one customer may have a whole network), and by account alone
// (against guessing from many places). The bucket of the account is large, because an
// attacker who empties it also locks out the account's owner. A browser that has signed in
// before has a bucket of its own, so its owner is not locked out.
type throttle struct {
	pair, addr, net56, net48, account fleet.Limit

	metrics *metrics

	limiter fleet.Limiter // shared by all nodes; nil for a single node
	own     fleet.Limiter // of this node. It is asked first, to spare the shared one, and it goes on alone if the shared one fails
	log     *slog.Logger
	failed  rate.Sometimes // logs failures of the shared limiter
}

// newThrottle makes a throttle that allows a few guesses at once, and then slowly more.
// limiter may be nil: then there is only this node.
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

// bucket is a token bucket of attempts; by says what the attempts have in common.
type bucket struct {
	by, key string
	limit   fleet.Limit
}

// places returns the buckets of a client's address, the narrow ones first: an attempt that
// a narrow bucket refuses takes nothing from the wider ones, which neighbours share.
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

// guess counts one attempt at an account's password. device identifies the browser, "" if
// it has not signed in to the account before. Errors: ERATELIMITED, with the seconds to
// wait.
func (t *throttle) guess(ctx context.Context, email, ip, device string) error {
	if b, wait := t.take(ctx, t.attempt(email, ip, device)); wait > 0 {
		return t.refuse(b.by, wait)
	}
	return nil
}

// attempt returns the buckets of an attempt at an account's password.
func (t *throttle) attempt(email, ip, device string) []bucket {
	if device != "" {
		return []bucket{{"device", deviceKey(device), t.pair}}
	}
	return append(t.places("login:", ip),
		bucket{"account_and_address", pairKey(email, fleet.Customer(ip)), t.pair},
		bucket{"account", accountKey(email), t.account})
}

// refund gives the tokens of one attempt back. A sign-in with a second factor is two requests: the
// first has no code yet, the second has it. Each takes tokens. When the code is right, those of one
// request come back, so that the sign-in counts as one attempt.
func (t *throttle) refund(ctx context.Context, email, ip, device string) {
	for _, l := range []fleet.Limiter{t.limiter, t.own} {
		if l == nil {
			continue
		}
		for _, b := range t.attempt(email, ip, device) {
			if err := l.Return(ctx, b.key, b.limit, 1); err != nil {
				t.fail(ctx, err)
			}
		}
	}
}

// checkSecret checks a token or a code of the kind by calling look, whose error is EUNAUTHORIZED
// for a wrong one. Each address and network may send a few wrong ones. A right one always
// passes: it is random and cannot be guessed, and somebody who sends wrong ones from the
// same network, such as an office, must not lock out the others. The limit shows guessing
// in the metrics and bounds its cost. Errors: ERATELIMITED, and those of look.
func (t *throttle) checkSecret(ctx context.Context, kind, ip string, look func() error) error {
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

// take takes one token of each bucket. It stops at the first empty bucket, and returns it
// with the time to wait. It takes all tokens of this node's limiter before it asks the
// shared one. So a flood makes no more buckets in the shared store than attempts that pass.
func (t *throttle) take(ctx context.Context, buckets []bucket) (bucket, time.Duration) {
	for _, x := range []fleet.Limiter{t.own, t.limiter} {
		if x == nil {
			continue
		}
		for _, b := range buckets {
			wait, _, err := x.Take(ctx, b.key, b.limit, 1)
			if err != nil {
				t.fail(ctx, err) // the shared one: this node's never fails
				break
			}
			if wait > 0 {
				return b, wait
			}
		}
	}
	return bucket{}, 0
}

// right removes the guesses at an account after its owner has signed in.
func (t *throttle) right(ctx context.Context, email, ip, device string) {
	key := pairKey(email, fleet.Customer(ip))
	if device != "" {
		key = deviceKey(device)
	}
	t.forget(ctx, key)
}

// forget makes a bucket full.
func (t *throttle) forget(ctx context.Context, key string) {
	for _, l := range []fleet.Limiter{t.limiter, t.own} {
		if l == nil {
			continue
		}
		if err := l.Forget(ctx, key); err != nil {
			t.fail(ctx, err)
		}
	}
}

// fail logs an error of the shared limiter, unless the client has left.
func (t *throttle) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the client has left; no store has failed
	}
	t.failed.Do(func() {
		t.log.WarnContext(ctx, "the shared limiter failed: this node counts attempts to sign in alone", "error", err)
	})
}

// The names of buckets are digests: nobody should read addresses in a shared store.

func deviceKey(id string) string { return "login:device:" + fleet.Digest(id) }

func pairKey(email, addr string) string {
	return "login:pair:" + fleet.Digest(account(email)+"\x00"+addr)
}

func accountKey(email string) string { return "login:account:" + fleet.Digest(account(email)) }

func account(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
