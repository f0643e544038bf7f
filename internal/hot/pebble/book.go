package pebble

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// book holds in memory the counters and sketches that were asked for lately. A
// page is read from the store once; after that the commit loop tells it what
// changes. Counts and ranks only grow, so a page may be told while it is being
// read, and of what it knows already. What the book says is in the store: it is
// told after a batch was applied, and may forget everything at any time.
type book struct {
	mu      sync.Mutex
	shelves map[string]*shelf // by project
	open    atomic.Bool       // whether there is any
}

// shelf is one project's pages.
type shelf struct {
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
	unusedFor = 15 * time.Minute // after it a page is dropped
	maxCells  = 1 << 22          // of a shelf, 8 bytes each; more are dropped whole
)

func newBook() *book { return &book{shelves: map[string]*shelf{}} }

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
				for _, v := range counts.values[:c.n] {
					p.raise(sh.names, v.Fact, int64(v.value))
				}
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
		sh = &shelf{hot.NewNames(), map[hot.Bucket]*page{}, map[hot.Bucket]*registersOf{}}
		b.shelves[string([]byte(project))] = sh
		b.open.Store(true)
	}
	return sh
}

// sweep drops what nobody has asked for lately, and what the store drops.
func (b *book) sweep(now, horizon time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(k hot.Bucket, used time.Time) bool {
		return now.Sub(used) >= unusedFor || k.Start < horizon.Add(-k.Grain.Kept()-sweepSlack).Unix()
	}
	for project, sh := range b.shelves {
		cells := sh.names.Len()
		for k, p := range sh.pages {
			if cells += p.Cells(); gone(k, p.used) {
				delete(sh.pages, k)
			}
		}
		for k, r := range sh.sketches {
			if gone(k, r.used) {
				delete(sh.sketches, k)
			}
		}
		if cells > maxCells || len(sh.pages)+len(sh.sketches) == 0 {
			delete(b.shelves, project)
		}
	}
	b.open.Store(len(b.shelves) > 0)
}
