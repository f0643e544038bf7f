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
	answerFormat = 3
)

// cache stores answers for askers who accept older ones. Askers who ask the same question
// at the same time share one computation. DESIGN.md has the rules.
type cache struct {
	answers fleet.Cache
	locks   fleet.Locks // of the nodes that share the answers; nil: this one is alone
	flights singleflight.Group

	hits, misses, exact, joined, failures atomic.Uint64
}

// cacheEntry is an answer in the cache. It contains the question, so that a wrong key
// cannot give the rows of one project to another.
type cacheEntry struct {
	Question string `json:"question"`
	Answer   Answer `json:"answer"`
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

// request is one asker's request for an answer.
type request struct {
	e         *Engine
	kind      *kind
	project   string
	question  string    // all that the answer depends on but the events
	until     time.Time // where the question's range ends
	began     time.Time
	freshness time.Duration
	ask       func() (Answer, error)
}

// cached returns a cached answer to the same question, in any spelling, if it is fresh
// enough. Otherwise it calls ask and caches the result.
func (e *Engine) cached(ctx context.Context, k *kind, p *weir.Project, q weir.Question, freshness time.Duration, ask func() (Answer, error)) (Answer, error) {
	parts := []any{answerFormat, k.name, p.ID, p.Timezone, hashOf(&p.URLRules), q.Canonical()}
	if actions := q.Base().Resolved; len(actions) > 0 {
		parts = append(parts, actions) // one that is changed is another question
	}
	question, err := json.Marshal(parts)
	if err != nil {
		return ask() // a time out of range
	}
	x := &request{e: e, kind: k, project: p.ID, question: string(question), until: q.Base().To, began: e.clock.Now(), freshness: freshness, ask: ask}
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

func (x *request) fresh(a Answer) bool { return x.began.Sub(a.about().AsOf) <= x.freshness }

func (x *request) elapsed(a Answer) {
	a.about().ElapsedMS = x.e.clock.Now().Sub(x.began).Milliseconds()
}

// key returns the hash of the question. Questions can be long, and an operator who lists
// keys should not read them.
func (x *request) key() string {
	sum := sha256.Sum256([]byte(x.question))
	return "insight:" + hex.EncodeToString(sum[:])
}

// lookup returns the cached answer, or nil if there is none that is fresh enough, or if
// the cache fails.
func (x *request) lookup(ctx context.Context) Answer {
	b, ok, err := x.e.cache.answers.Get(ctx, x.key())
	if err != nil {
		x.e.cache.failed(ctx)
	}
	if err != nil || !ok {
		return nil
	}
	found := cacheEntry{Answer: x.kind.empty()}
	if json.Unmarshal(b, &found) != nil || found.Question != x.question || found.Answer == nil || !x.fresh(found.Answer) {
		return nil
	}
	if erased, err := x.e.cache.erased(ctx, x.project); err != nil || !found.Answer.about().AsOf.After(erased) {
		return nil
	}
	found.Answer.about().Cached = true
	x.elapsed(found.Answer)
	return found.Answer
}

// erasedKey is the key of the time of a project's last erasure.
func erasedKey(project string) string {
	sum := sha256.Sum256([]byte(project))
	return "insight:erased:" + hex.EncodeToString(sum[:])
}

// invalidate makes the answers of a project invalid that are complete up to a time, or
// earlier: somebody was erased who may be in them. If the cache fails, they stay until they
// expire.
func (c *cache) invalidate(ctx context.Context, project string, upTo time.Time) {
	text, err := upTo.MarshalText()
	if err == nil {
		err = c.answers.Set(ctx, erasedKey(project), text, ttlClosed)
	}
	if err != nil {
		c.failed(ctx)
	}
}

// erased returns the time up to which answers of a project are invalid; zero if there is none.
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

func (x *request) compute(ctx context.Context) (Answer, error) {
	a, err := x.ask()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(cacheEntry{x.question, a})
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
func (x *request) ttl(a Answer) time.Duration {
	if x.until.Add(ttlOpen).After(a.about().AsOf) {
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
func (x *request) computeOnce(ctx context.Context) (Answer, error) {
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
		a, _ := v.(Answer)
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
		mine := x.kind.copy(a)
		x.elapsed(mine)
		return mine, nil
	}
}
