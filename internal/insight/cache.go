package insight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"golang.org/x/sync/singleflight"
)

const (
	// ttlOpen is the time to live of an answer whose range has not ended, or ended
	// less than ttlOpen before. ttlClosed is that of any other answer, and the longest
	// freshness that an asker may accept.
	ttlOpen   = 10 * time.Minute
	ttlClosed = 24 * time.Hour

	maxEntryBytes = 4 << 20 // of JSON; a larger entry would evict many others
	// answerFormat must grow whenever the content or form of answers changes: nodes of
	// two versions may share a cache.
	answerFormat = 2
)

// cache stores answers for askers who accept older ones. Askers who ask the same question
// at the same time share one computation. DESIGN.md has the rules.
type cache struct {
	answers  fleet.Cache
	locks    fleet.Locks // of the nodes that share the answers; nil: this one is alone
	owner    string      // this engine, among those
	flights  singleflight.Group
	requests atomic.Uint64 // tells the flights of this engine apart

	hits, misses, exact, joined, failures atomic.Uint64
}

// cacheEntry is an answer in the cache. It contains the question, so that a wrong key
// cannot give the rows of one project to another.
type cacheEntry[T any] struct {
	Question string `json:"question"`
	Answer   *T     `json:"answer"`
}

// CacheStats counts questions by how they were answered.
type CacheStats struct {
	Hits   uint64 // from the cache
	Misses uint64 // the asker accepted an older answer, but none was cached
	Joined uint64 // misses that got the answer of another asker's computation, on this or another node
	Exact  uint64 // the asker accepted no older answer
	// Failures counts errors of the cache and its locks. The questions did not fail.
	Failures uint64
}

// CacheStats counts since the engine was made.
func (e *Engine) CacheStats() CacheStats {
	c := &e.cache
	return CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load(), Joined: c.joined.Load(), Exact: c.exact.Load(), Failures: c.failures.Load()}
}

// request is one asker's request for an answer of type T.
type request[T any] struct {
	e         *Engine
	project   string
	question  string    // all that the answer depends on but the events
	until     time.Time // where the question's range ends
	began     time.Time
	freshness time.Duration
	meta      func(*T) *Meta
	ask       func() (*T, error)
}

// cached returns a cached answer to the same question, in any spelling, if it is fresh
// enough. Otherwise it calls ask and caches the result. A range that ends now may be
// shortened first, see upToNow; ask gets the shortened query. Several askers may share an
// answer, so nobody may change it.
func cached[T any](ctx context.Context, e *Engine, kind weir.Kind, p *weir.Project, q weir.Query, freshness time.Duration, meta func(*T) *Meta, ask func(weir.Query) (*T, error)) (*T, error) {
	q = upToNow(q, e.clock.Now(), freshness)
	question, err := json.Marshal([]any{answerFormat, kind, p.ID, p.Timezone, canonical(e.d, kind, q)})
	if err != nil {
		return ask(q) // a time out of range; ask returns the error
	}
	x := &request[T]{e: e, project: p.ID, question: string(question), until: q.To, began: e.clock.Now(), freshness: freshness, meta: meta, ask: func() (*T, error) { return ask(q) }}
	if freshness <= 0 {
		e.cache.exact.Add(1)
		return x.compute(ctx)
	}
	if a := x.lookup(ctx); a != nil {
		e.cache.hits.Add(1)
		return a, nil
	}
	e.cache.misses.Add(1)
	return x.computeOnce(ctx)
}

func (x *request[T]) fresh(a *T) bool { return x.began.Sub(x.meta(a).AsOf) <= x.freshness }

func (x *request[T]) elapsed(a *T) {
	x.meta(a).ElapsedMS = x.e.clock.Now().Sub(x.began).Milliseconds()
}

// key returns the hash of the question. Questions can be long, and an operator who lists
// keys should not read them.
func (x *request[T]) key() string {
	sum := sha256.Sum256([]byte(x.question))
	return "insight:" + hex.EncodeToString(sum[:])
}

// lookup returns the cached answer, or nil if there is none that is fresh enough, or if
// the cache fails.
func (x *request[T]) lookup(ctx context.Context) *T {
	b, ok, err := x.e.cache.answers.Get(ctx, x.key())
	if err != nil {
		x.e.cache.failed(ctx)
	}
	if err != nil || !ok {
		return nil
	}
	var k cacheEntry[T]
	if json.Unmarshal(b, &k) != nil || k.Question != x.question || k.Answer == nil || !x.fresh(k.Answer) {
		return nil
	}
	if erased, err := x.e.cache.erased(ctx, x.project); err != nil || !x.meta(k.Answer).AsOf.After(erased) {
		return nil
	}
	x.meta(k.Answer).Cached = true
	x.elapsed(k.Answer)
	return k.Answer
}

// erasedKey is where a cache has when somebody of a project was erased last.
func erasedKey(project string) string {
	sum := sha256.Sum256([]byte(project))
	return "insight:erased:" + hex.EncodeToString(sum[:])
}

// forget makes answers of a project worthless that are complete up to a time, or earlier:
// somebody was erased, who may be in them. Where the cache fails they are kept until they expire.
func (c *cache) forget(ctx context.Context, project string, upTo time.Time) {
	text, err := upTo.MarshalText()
	if err == nil {
		err = c.answers.Set(ctx, erasedKey(project), text, ttlClosed)
	}
	if err != nil {
		c.failed(ctx)
	}
}

// erased is up to when answers of a project are worthless; zero if no such time is known.
func (c *cache) erased(ctx context.Context, project string) (upTo time.Time, err error) {
	text, ok, err := c.answers.Get(ctx, erasedKey(project))
	if err == nil && ok {
		err = upTo.UnmarshalText(text)
	}
	if err != nil {
		c.failed(ctx)
	}
	return upTo, err
}

func (x *request[T]) compute(ctx context.Context) (*T, error) {
	a, err := x.ask()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(cacheEntry[T]{x.question, a})
	if err != nil || len(b) > maxEntryBytes {
		return a, nil // it is not cached; the next asker computes it again
	}
	if err := x.e.cache.answers.Set(ctx, x.key(), b, x.ttl(a)); err != nil {
		x.e.cache.failed(ctx)
	}
	return a, nil
}

// ttl returns how long to cache an answer. It does not decide who may get it: late events
// may change any answer, and each asker says which age it accepts.
func (x *request[T]) ttl(a *T) time.Duration {
	if x.until.Add(ttlOpen).After(x.meta(a).AsOf) {
		return ttlOpen
	}
	return ttlClosed
}

// failed counts a failure of the cache, unless the asker is gone.
func (c *cache) failed(ctx context.Context) {
	if ctx.Err() == nil {
		c.failures.Add(1)
	}
}

// abandonedError is the error of an asker that was gone before the answer came.
type abandonedError struct{ error }

func (e abandonedError) Unwrap() error { return e.error }

// computeOnce joins all askers of this engine with the same question and freshness: one
// of them calls computeOnceAcrossNodes, the others wait for its result.
func (x *request[T]) computeOnce(ctx context.Context) (*T, error) {
	flight := x.question + x.freshness.String()
	for later := false; ; later = true {
		own := false
		v, err, _ := x.e.cache.flights.Do(flight, func() (any, error) {
			own = true
			a, err := x.computeOnceAcrossNodes(ctx)
			if err != nil && ctx.Err() != nil {
				err = abandonedError{err}
			}
			return a, err
		})
		a, _ := v.(*T)
		if own {
			return a, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, left := err.(abandonedError); left { //nolint:errorlint // it is never wrapped
			continue
		}
		if err != nil {
			return nil, err
		}
		// The first computation began before this request, so its answer may be too
		// old. A later one began after it, and is as good as an own computation.
		if !later && !x.fresh(a) {
			continue
		}
		x.e.cache.joined.Add(1)
		mine := *a
		x.elapsed(&mine)
		return &mine, nil
	}
}
