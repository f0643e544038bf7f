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
	b := s.buckets
	b.mu.Lock()
	sh := b.project(project)
	pages := map[hot.Bucket]*cachedBucket{}
	for _, q := range in.Tables {
		_, whole := q.Dimension.OpenIndex()
		for _, start := range q.Starts {
			k := hot.Bucket{Grain: q.Grain, Start: start.Unix()}
			p := sh.buckets[k]
			if p == nil {
				p = &cachedBucket{}
				sh.buckets[k] = p
			}
			if whole && !p.whole {
				p.whole, p.read = true, false
			}
			p.used, pages[k] = now, p
		}
	}
	var unread []hot.Bucket // computed after the loop: a later question may need more of a bucket than an earlier one
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
	defer b.fit(sh)

	if err := s.readBuckets(ctx, project, sh, pages, unread); err != nil {
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

	tables, err := sh.names.NamedBefore(ctx, &b.mu, in.Tables)
	if err != nil {
		return f, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range tables {
		of := make([][]*hot.BucketCounts, len(q.Starts))
		for i, start := range q.Starts {
			of[i] = []*hot.BucketCounts{&pages[hot.Bucket{Grain: q.Grain, Start: start.Unix()}].BucketCounts}
		}
		f.Tables = append(f.Tables, sh.names.Table(q, of))
	}
	for _, r := range sketches {
		f.Devices = append(f.Devices, estimate(&r.byRank))
	}
	return f, nil
}

// readBuckets reads buckets from the store. Meanwhile the commit loop may update them.
func (s *Store) readBuckets(ctx context.Context, project string, sh *projectBuckets, pages map[hot.Bucket]*cachedBucket, unread []hot.Bucket) error {
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
		s.buckets.mu.Lock()
		whole := p.whole
		s.buckets.mu.Unlock()
		if whole {
			err = take(prefix, after(prefix))
		} else {
			dim := func(d hot.Dimension) []byte { return append(slices.Clip(prefix), byte(d)) }
			err = errors.Join(take(dim(hot.Calls), after(dim(hot.Calls))), take(dim(hot.Status), after(dim(hot.Status))), take(dim(hot.Total), after(dim(hot.Total))))
		}
		if err != nil {
			return err
		}
		s.buckets.mu.Lock()
		for i, f := range facts {
			p.raise(sh.names, f, counts[i])
		}
		p.read = p.read || whole || !p.whole
		size += bucketBytes + 8*p.Slots()
		size := size + sh.names.Bytes()
		s.buckets.mu.Unlock()
		if size > s.buckets.most {
			return weir.Errorf(weir.ETOOLARGE, "this asks for more counters than fit into memory at once (%d MiB): ask for a shorter time", s.buckets.most>>20)
		}
	}
	return nil
}
