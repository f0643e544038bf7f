package httpd

import (
	"crypto/sha256"
	"math"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	weir "github.com/weir-analytics/weir"
	"golang.org/x/time/rate"
)

// Guesses at passwords: a few at once, then slowly. An address is shared by
// more people than an account at an address is.
const (
	pairBurst   = 5
	pairEvery   = 12 * time.Second
	addrBurst   = 30
	addrEvery   = 2 * time.Second
	maxLimiters = 10_000
)

// throttle slows guessing at passwords down, by account and client address and
// by client address alone. It holds a bounded number of the latest.
type throttle struct {
	clock weir.Clock

	mu    sync.Mutex
	pairs *lru.LRU[[32]byte, *rate.Limiter]
	addrs *lru.LRU[string, *rate.Limiter]
}

func newThrottle(clock weir.Clock) *throttle {
	// The constructor's only error is a size below 1.
	pairs, _ := lru.NewLRU[[32]byte, *rate.Limiter](maxLimiters, nil)
	addrs, _ := lru.NewLRU[string, *rate.Limiter](maxLimiters, nil)
	return &throttle{clock: clock, pairs: pairs, addrs: addrs}
}

// guess takes one attempt. Errors: ERATELIMITED, with the seconds to wait.
func (t *throttle) guess(email, ip string) error {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	addr := network(ip)
	of := limiter(t.addrs, addr, addrEvery, addrBurst)
	pair := limiter(t.pairs, pairKey(email, addr), pairEvery, pairBurst)
	for _, l := range []*rate.Limiter{of, pair} {
		res := l.ReserveN(now, 1)
		if wait := res.DelayFrom(now); wait > 0 {
			res.CancelAt(now)
			e := newError(weir.ERATELIMITED, "too many attempts: wait a little", nil, nil)
			e.retryAfter(int(math.Ceil(wait.Seconds())))
			return e
		}
	}
	return nil
}

// right forgets the guesses at an account whose owner has come.
func (t *throttle) right(email, ip string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pairs.Remove(pairKey(email, network(ip)))
}

func limiter[K comparable](l *lru.LRU[K, *rate.Limiter], key K, every time.Duration, burst int) *rate.Limiter {
	if lim, ok := l.Get(key); ok {
		return lim
	}
	lim := rate.NewLimiter(rate.Every(every), burst)
	l.Add(key, lim)
	return lim
}

func pairKey(email, addr string) [32]byte {
	return sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email)) + "\x00" + addr))
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
