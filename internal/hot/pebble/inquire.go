package pebble

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

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
	defer b.settle(sh)

	if err := s.readPages(ctx, project, sh, pages, unread); err != nil {
		return f, fmt.Errorf("hot: read counters: %w", err)
	}
	for i, k := range in.Devices {
		if err := s.readSketch(project, k, sketches[i]); err != nil {
			return f, fmt.Errorf("hot: read uniques: %w", err)
		}
	}
	if !in.Live.IsZero() {
		f.Live = s.presence.live(project, in.Live)
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
	size := 0
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
		size += pageBytes + 8*p.Cells()
		size := size + sh.names.Bytes()
		s.book.mu.Unlock()
		if size > s.book.most {
			return weir.Errorf(weir.ETOOLARGE, "this asks for more counters than fit into memory at once (%d MiB): ask for a shorter time", s.book.most>>20)
		}
	}
	return nil
}
