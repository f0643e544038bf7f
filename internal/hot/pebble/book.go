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

// book holds in memory the counters and sketches that were asked for lately. A
// page is read from the store once; after that the commit loop tells it what
// changes. Counts and ranks only grow, so a page may be told while it is being
// read, and of what it knows already. What the book says is in the store: it is
// told after a batch was applied, and may forget everything at any time: when its
// bound in bytes is reached, the projects that were not asked for longest go first.
type book struct {
	mu      sync.Mutex
	shelves map[string]*shelf // by project
	used    list.List         // of *shelf, the last used first
	bytes   int               // of all of them, about
	most    int
	open    atomic.Bool // whether there is any
}

// shelf is one project's pages.
type shelf struct {
	project  string
	at       *list.Element
	bytes    int
	names    *hot.Names
	pages    map[hot.Bucket]*page
	sketches map[hot.Bucket]*registersOf
}

// page is the counts of a bucket: those of Fixed alone, or all.
type page struct {
	hot.Page
	whole bool // the members of open dimensions too
	read  bool // from the store, to that extent
	used  time.Time
}

const (
	unusedFor   = 15 * time.Minute // after it a page is dropped
	pageBytes   = 300              // of one without members
	sketchBytes = 18 << 10
)

func newBook(most int) *book { return &book{shelves: map[string]*shelf{}, most: most} }

// tell takes in what an applied batch has changed. The commit loop calls it
// before anybody is told that the batch is durable.
func (b *book) tell(counts changes, ranks []rankChange) {
	if !b.open.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range counts.buckets {
		if sh := b.shelves[c.project]; sh != nil {
			if p := sh.pages[c.Bucket]; p != nil {
				before := sh.names.Bytes() + 8*p.Cells()
				for _, v := range counts.values[:c.n] {
					p.raise(sh.names, v.Fact, int64(v.value))
				}
				grown := sh.names.Bytes() + 8*p.Cells() - before
				sh.bytes += grown
				b.bytes += grown
			}
		}
		counts.values = counts.values[c.n:]
	}
	for i := range ranks {
		c := &ranks[i]
		if sh := b.shelves[c.project]; sh != nil {
			if r := sh.sketches[c.Bucket]; r != nil {
				r.raise(c.register, c.rank)
			}
		}
	}
	b.shrink()
}

// count says again what a shelf takes.
func (b *book) count(sh *shelf) {
	if b.shelves[sh.project] != sh {
		return // dropped meanwhile
	}
	n := 500 + sh.names.Bytes() + len(sh.sketches)*sketchBytes + len(sh.pages)*pageBytes
	for _, p := range sh.pages {
		n += 8 * p.Cells()
	}
	b.bytes += n - sh.bytes
	sh.bytes = n
}

// settle counts a shelf that was read, and keeps to the bound.
func (b *book) settle(sh *shelf) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count(sh)
	b.shrink()
}

// shrink drops shelves until the others fit. Whoever is reading one goes on with
// what is in it.
func (b *book) shrink() {
	for b.bytes > b.most && b.used.Len() > 0 {
		b.drop(b.used.Back().Value.(*shelf))
	}
}

func (b *book) drop(sh *shelf) {
	b.used.Remove(sh.at)
	delete(b.shelves, sh.project)
	b.bytes -= sh.bytes
	b.open.Store(len(b.shelves) > 0)
}

// forget drops a project's pages.
func (b *book) forget(project string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if sh := b.shelves[project]; sh != nil {
		b.drop(sh)
	}
}

func (p *page) raise(n *hot.Names, f hot.Fact, count int64) {
	if _, open := (f.Dimension &^ 0x80).Open(); open && !p.whole {
		return
	}
	p.Raise(n, f, count)
}

// shelf is the project's, a new one if it has none.
func (b *book) shelf(project string) *shelf {
	sh := b.shelves[project]
	if sh == nil {
		sh = &shelf{project: strings.Clone(project), names: hot.NewNames(), pages: map[hot.Bucket]*page{}, sketches: map[hot.Bucket]*registersOf{}}
		sh.at = b.used.PushFront(sh)
		b.shelves[sh.project] = sh
		b.open.Store(true)
	}
	b.used.MoveToFront(sh.at)
	return sh
}

// sweep drops what nobody has asked for lately, and what the store drops.
func (b *book) sweep(now, horizon time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(k hot.Bucket, used time.Time) bool {
		return now.Sub(used) >= unusedFor || k.Start < horizon.Add(-k.Grain.Kept()-sweepSlack).Unix()
	}
	for _, sh := range b.shelves {
		maps.DeleteFunc(sh.pages, func(k hot.Bucket, p *page) bool { return gone(k, p.used) })
		maps.DeleteFunc(sh.sketches, func(k hot.Bucket, r *registersOf) bool { return gone(k, r.used) })
		if b.count(sh); len(sh.pages)+len(sh.sketches) == 0 {
			b.drop(sh)
		}
	}
}
