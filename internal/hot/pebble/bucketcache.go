package pebble

import (
	"container/list"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// bucketCache caches the counters and sketches of recently used buckets. A bucket is read
// from the store once. After that the commit loop updates it, after each batch was applied.
//
// Counts and ranks only grow, and an update only raises them. So an update may arrive
// while a bucket is being read, or contain what the bucket has already. Everything is also
// in the store, so the cache may drop a bucket at any time. At its bound in bytes it drops
// the least recently used projects.
type bucketCache struct {
	mu       sync.Mutex
	projects map[string]*projectBuckets // by project
	used     list.List                  // of *shelf, the last used first
	bytes    int                        // of all of them, about
	most     int
	open     atomic.Bool // whether there is any
}

// projectBuckets are the cached buckets of one project.
type projectBuckets struct {
	project  string
	at       *list.Element
	bytes    int
	names    *hot.MemberNumbers
	buckets  map[hot.Bucket]*cachedBucket
	sketches map[hot.Bucket]*registersOf
}

// cachedBucket has the counts of a bucket: only those of fixed dimensions, or all.
type cachedBucket struct {
	hot.BucketCounts
	whole bool // open dimensions too
	read  bool // it was read from the store, with open dimensions if whole
	used  time.Time
}

const (
	unusedFor   = 15 * time.Minute // after it a page is dropped
	bucketBytes = 300              // of one without members
	sketchBytes = 18 << 10
)

func newBucketCache(most int) *bucketCache {
	return &bucketCache{projects: map[string]*projectBuckets{}, most: most}
}

// applied updates the cached buckets after a batch was applied. The commit loop calls it
// before it acknowledges the batch.
func (b *bucketCache) applied(counts changes, ranks []rankChange) {
	if !b.open.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range counts.buckets {
		if sh := b.projects[c.project]; sh != nil {
			if p := sh.buckets[c.Bucket]; p != nil {
				before := sh.names.Bytes() + 8*p.Slots()
				for _, v := range counts.values[:c.n] {
					p.raise(sh.names, v.Fact, int64(v.value))
				}
				grown := sh.names.Bytes() + 8*p.Slots() - before
				sh.bytes += grown
				b.bytes += grown
			}
		}
		counts.values = counts.values[c.n:]
	}
	for i := range ranks {
		c := &ranks[i]
		if sh := b.projects[c.project]; sh != nil {
			if r := sh.sketches[c.Bucket]; r != nil {
				r.raise(c.register, c.rank)
			}
		}
	}
	b.shrink()
}

// measure updates the size of a project's buckets.
func (b *bucketCache) measure(sh *projectBuckets) {
	if b.projects[sh.project] != sh {
		return // it was dropped meanwhile
	}
	n := 500 + sh.names.Bytes() + len(sh.sketches)*sketchBytes + len(sh.buckets)*bucketBytes
	for _, p := range sh.buckets {
		n += 8 * p.Slots()
	}
	b.bytes += n - sh.bytes
	sh.bytes = n
}

// fit measures a project after its buckets were read, and drops others if the cache is
// over its bound.
func (b *bucketCache) fit(sh *projectBuckets) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.measure(sh)
	b.shrink()
}

// shrink drops the least recently used projects until the rest fits. An inquiry that
// uses a dropped project goes on with its copy.
func (b *bucketCache) shrink() {
	for b.bytes > b.most && b.used.Len() > 0 {
		b.drop(b.used.Back().Value.(*projectBuckets))
	}
}

func (b *bucketCache) drop(sh *projectBuckets) {
	b.used.Remove(sh.at)
	delete(b.projects, sh.project)
	b.bytes -= sh.bytes
	b.open.Store(len(b.projects) > 0)
}

// forget drops a project's buckets.
func (b *bucketCache) forget(project string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if sh := b.projects[project]; sh != nil {
		b.drop(sh)
	}
}

func (p *cachedBucket) raise(n *hot.MemberNumbers, f hot.Fact, count int64) {
	if _, open := (f.Dimension &^ 0x80).OpenIndex(); open && !p.whole {
		return
	}
	p.Raise(n, f, count)
}

// project returns the project's buckets, and adds the project if it is not cached.
func (b *bucketCache) project(project string) *projectBuckets {
	sh := b.projects[project]
	if sh == nil {
		sh = &projectBuckets{project: strings.Clone(project), names: hot.NewMemberNumbers(), buckets: map[hot.Bucket]*cachedBucket{}, sketches: map[hot.Bucket]*registersOf{}}
		sh.at = b.used.PushFront(sh)
		b.projects[sh.project] = sh
		b.open.Store(true)
	}
	b.used.MoveToFront(sh.at)
	return sh
}

// sweep drops buckets that were not used for unusedFor, or that are past retention.
func (b *bucketCache) sweep(now, horizon time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(k hot.Bucket, used time.Time) bool {
		return now.Sub(used) >= unusedFor || k.Start < horizon.Add(-k.Grain.Kept()-sweepSlack).Unix()
	}
	for _, sh := range b.projects {
		maps.DeleteFunc(sh.buckets, func(k hot.Bucket, p *cachedBucket) bool { return gone(k, p.used) })
		maps.DeleteFunc(sh.sketches, func(k hot.Bucket, r *registersOf) bool { return gone(k, r.used) })
		if b.measure(sh); len(sh.buckets)+len(sh.sketches) == 0 {
			b.drop(sh)
		}
	}
}
