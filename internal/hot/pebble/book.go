package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
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

// registersOf is a sketch, with its registers counted by rank: enough for the
// estimate, and kept up without a look at all of them.
type registersOf struct {
	ranks  [registers]byte
	byRank [64]int
	read   bool
	used   time.Time
}

const (
	unusedFor = 15 * time.Minute // after it a page is dropped
	maxCells  = 1 << 22          // of a shelf, 8 bytes each; more are dropped whole
)

// rankChange is a register's new rank.
type rankChange struct {
	bucketOf
	register uint16
	rank     byte
}

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

func (r *registersOf) raise(register uint16, rank byte) {
	if old := r.ranks[register]; rank > old {
		r.ranks[register] = rank
		r.byRank[old]--
		r.byRank[rank]++
	}
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
func (b *book) sweep(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := func(k hot.Bucket, used time.Time) bool {
		return now.Sub(used) >= unusedFor || k.Start < now.Add(-k.Grain.Kept()-sweepSlack).Unix()
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

// Inquire implements hot.Counters.
func (s *Store) Inquire(ctx context.Context, project string, in hot.Inquiry) (hot.Findings, error) {
	var f hot.Findings
	if err := errors.Join(ctx.Err(), s.usable()); err != nil {
		return f, err
	}
	now := s.opt.Clock.Now()
	b := s.book
	b.mu.Lock()
	sh := b.shelf(project)
	pages := map[hot.Bucket]*page{}
	for _, q := range in.Tables {
		_, whole := q.Dimension.Open()
		for _, start := range q.Starts {
			k := hot.Bucket{Grain: q.Grain, Start: start.Unix()}
			p := sh.pages[k]
			if p == nil {
				p = &page{}
				sh.pages[k] = p
			}
			if whole && !p.whole {
				p.whole, p.read = true, false
			}
			p.used, pages[k] = now, p
		}
	}
	var unread []hot.Bucket // only now: a later question may have asked for more of a page than an earlier one
	for k, p := range pages {
		if !p.read {
			unread = append(unread, k)
		}
	}
	sketches := make([]*registersOf, len(in.Devices))
	for i, k := range in.Devices {
		r := sh.sketches[k]
		if r == nil {
			r = &registersOf{}
			r.byRank[0] = registers
			sh.sketches[k] = r
		}
		r.used, sketches[i] = now, r
	}
	b.mu.Unlock()

	if err := s.readPages(ctx, project, sh, pages, unread); err != nil {
		return f, fmt.Errorf("hot: read counters: %w", err)
	}
	for i, k := range in.Devices {
		if err := s.readSketch(project, k, sketches[i]); err != nil {
			return f, fmt.Errorf("hot: read uniques: %w", err)
		}
	}
	if !in.Live.IsZero() {
		f.Live = s.presence.live.count(project, in.Live)
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range in.Tables {
		of := make([][]*hot.Page, len(q.Starts))
		for i, start := range q.Starts {
			of[i] = []*hot.Page{&pages[hot.Bucket{Grain: q.Grain, Start: start.Unix()}].Page}
		}
		f.Tables = append(f.Tables, sh.names.Table(q, of))
	}
	for _, r := range sketches {
		f.Devices = append(f.Devices, estimate(&r.byRank))
	}
	return f, nil
}

// readPages reads pages from the store. Meanwhile the commit loop tells them what
// changes.
func (s *Store) readPages(ctx context.Context, project string, sh *shelf, pages map[hot.Bucket]*page, unread []hot.Bucket) error {
	if len(unread) == 0 {
		return nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{
		LowerBound: projectKey(nil, tagCount, project),
		UpperBound: after(projectKey(nil, tagCount, project)),
	})
	if err != nil {
		return err
	}
	defer it.Close()
	var facts []hot.Fact
	var counts []int64
	for _, k := range unread {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := pages[k]
		prefix := bucketKey(nil, tagCount, project, k.Grain, k.Start)
		facts, counts = facts[:0], counts[:0]
		take := func(from, to []byte) error {
			for ok := it.SeekGE(from); ok && string(it.Key()) < string(to); ok = it.Next() {
				n, err := count(it)
				if err != nil {
					return err
				}
				rest := it.Key()[len(prefix):]
				facts = append(facts, hot.Fact{Dimension: hot.Dimension(rest[0]), Member: string(rest[1:])})
				counts = append(counts, n)
			}
			return it.Error()
		}
		s.book.mu.Lock()
		whole := p.whole
		s.book.mu.Unlock()
		if whole {
			err = take(prefix, after(prefix))
		} else {
			dim := func(d hot.Dimension) []byte { return append(slices.Clip(prefix), byte(d)) }
			err = errors.Join(take(dim(hot.Calls), after(dim(hot.Calls))), take(dim(hot.Status), after(dim(hot.Status))), take(dim(hot.Total), after(dim(hot.Total))))
		}
		if err != nil {
			return err
		}
		s.book.mu.Lock()
		for i, f := range facts {
			p.raise(sh.names, f, counts[i])
		}
		p.read = p.read || whole || !p.whole
		s.book.mu.Unlock()
	}
	return nil
}

// readSketch reads a sketch from the store, unless that was done.
func (s *Store) readSketch(project string, k hot.Bucket, r *registersOf) error {
	s.book.mu.Lock()
	read := r.read
	s.book.mu.Unlock()
	if read {
		return nil
	}
	prefix := bucketKey(nil, tagUnique, project, k.Grain, k.Start)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	var ranks [registers]byte
	for ok := it.First(); ok; ok = it.Next() {
		register, rank, err := register(it, len(prefix))
		if err != nil {
			it.Close()
			return err
		}
		ranks[register] = rank
	}
	if err := it.Close(); err != nil {
		return err
	}
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	for i, rank := range ranks {
		if rank > 0 {
			r.raise(uint16(i), rank)
		}
	}
	r.read = true
	return nil
}

// register takes a key and value of a sketch apart.
func register(it *pebble.Iterator, prefix int) (number uint16, rank byte, err error) {
	k, v := it.Key()[prefix:], it.Value()
	if len(k) != 2 || len(v) != 1 || v[0] > 63 {
		return 0, 0, fmt.Errorf("register at %q is corrupt", it.Key())
	}
	return binary.BigEndian.Uint16(k), v[0], nil
}

// estimate is the HyperLogLog estimate of a sketch that has so many registers of
// each rank (Flajolet et al. 2007, with linear counting below 2.5 m; a 64-bit
// hash needs no correction above).
func estimate(byRank *[64]int) int64 {
	const m = float64(registers)
	var sum float64
	for rank, n := range byRank {
		sum += float64(n) / float64(uint64(1)<<rank)
	}
	e := 0.7213 / (1 + 1.079/m) * m * m / sum
	if zeros := byRank[0]; e <= 2.5*m && zeros > 0 {
		e = m * math.Log(m/float64(zeros))
	}
	return int64(math.Round(e))
}
