package redis

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// inquiry is one on its way.
type inquiry struct {
	s       *Store
	project string
	cache   *projectBuckets
	number  uint64
	now     time.Time

	fixed   map[place]*hot.BucketCounts // read for this inquiry alone
	whole   map[place]*cachedBucket     // cached
	again   []place                     // of whole: to read again, from the start if they do not fit
	cmds    []rueidis.Completed
	answers []func(rueidis.RedisResult) error
}

// Inquire implements hot.Counters. It needs one round trip, or two if a bucket has
// changed unexpectedly.
func (s *Store) Inquire(ctx context.Context, project string, in hot.Inquiry) (hot.Findings, error) {
	var f hot.Findings
	if err := errors.Join(ctx.Err(), s.usable()); err != nil {
		return f, err
	}
	q := &inquiry{s: s, project: project, now: s.opt.Clock.Now(), fixed: map[place]*hot.BucketCounts{}, whole: map[place]*cachedBucket{}}
	q.cache, q.number = s.buckets.project(project)
	q.plan(in)
	f.Devices = make([]int64, len(in.Devices))
	for i, b := range in.Devices {
		if b.Start >= oldest(b.Grain, q.now) {
			for shard := range s.opt.Shards {
				q.number64(s.client.B().Pfcount().Key(s.keys.bucket(shard, kindUniques, project, b)).Build(), func(n int64) { f.Devices[i] += n })
			}
		}
	}
	if !in.Live.IsZero() {
		for shard := range s.opt.Shards {
			q.number64(s.countLive(shard, project, in.Live), func(n int64) { f.Live += int(n) })
		}
	}
	for round := 0; len(q.cmds) > 0; round++ {
		if round == 4 {
			return f, errors.New("hot: read counters: they do not stop changing")
		}
		if err := q.ask(ctx); err != nil {
			return f, err
		}
		for _, k := range q.again {
			q.readWhole(k)
		}
		q.again = q.again[:0]
	}
	tables, err := q.cache.names.NamedBefore(ctx, &s.buckets.mu, in.Tables)
	if err != nil {
		return f, err
	}
	s.buckets.mu.Lock()
	defer s.buckets.mu.Unlock()
	for _, t := range tables {
		f.Tables = append(f.Tables, q.cache.names.Table(t, q.bucketsOf(t)))
	}
	return f, nil
}

// plan queues the commands: for each bucket and shard all counts if some question needs
// members, otherwise only the fixed ones.
func (q *inquiry) plan(in hot.Inquiry) {
	whole := map[hot.Bucket]bool{}
	for _, t := range in.Tables {
		_, open := t.Dimension.OpenIndex()
		for _, start := range t.Starts {
			if b := (hot.Bucket{Grain: t.Grain, Start: start.Unix()}); b.Start >= oldest(b.Grain, q.now) {
				whole[b] = whole[b] || open
			}
		}
	}
	for b, all := range whole {
		for shard := range q.s.opt.Shards {
			if k := (place{shard, b}); all {
				q.lookUp(k)
			} else {
				q.readFixed(k)
			}
		}
	}
}

func (q *inquiry) add(cmd rueidis.Completed, answer func(rueidis.RedisResult) error) {
	q.cmds = append(q.cmds, cmd)
	q.answers = append(q.answers, answer)
}

func (q *inquiry) number64(cmd rueidis.Completed, fn func(int64)) {
	q.add(cmd, func(r rueidis.RedisResult) error {
		n, err := r.AsInt64()
		fn(n)
		return q.s.fault("read counters", err)
	})
}

// ask sends the queued commands in one round trip and handles the answers.
func (q *inquiry) ask(ctx context.Context) error {
	cmds, answers := q.cmds, q.answers
	q.cmds, q.answers = nil, nil
	results := q.s.askAll(ctx, cmds)
	q.s.buckets.mu.Lock()
	defer q.s.buckets.mu.Unlock()
	for i, r := range results {
		if err := answers[i](r); err != nil {
			return err
		}
	}
	return nil
}

func (q *inquiry) readFixed(k place) {
	q.add(q.s.countsOf(q.project, k, int64(hot.FixedSlots)), func(r rueidis.RedisResult) error {
		counts, err := r.ToString()
		if err != nil {
			return q.s.fault("read counters", err)
		}
		if counts == "" {
			return nil
		}
		p := &hot.BucketCounts{}
		for i := range p.Fixed {
			p.Fixed[i] = slot(counts, i)
		}
		q.fixed[k] = p
		return nil
	})
}

// lookUp queues a check whether a cached bucket has changed. A bucket that usually changes
// is read at once.
func (q *inquiry) lookUp(k place) {
	q.s.buckets.mu.Lock()
	p := q.cache.buckets[k]
	busy := p == nil || p.busy
	q.s.buckets.mu.Unlock()
	if busy {
		q.readWhole(k)
		return
	}
	q.whole[k] = p
	q.add(q.s.stateOf(q.project, k), func(r rueidis.RedisResult) error {
		counts, err := r.ToString()
		if err != nil {
			return q.s.fault("read counters", err)
		}
		p.used = q.now
		if stateOf(counts, digestSlot) != p.state && p.by < q.number {
			q.again = append(q.again, k)
		}
		return nil
	})
}

// readWhole queues a read of a bucket's counts and of the members that are not cached.
func (q *inquiry) readWhole(k place) {
	q.s.buckets.mu.Lock()
	p := q.cache.buckets[k]
	if p == nil {
		p = &cachedBucket{}
		q.cache.buckets[k] = p
	}
	p.used, q.whole[k] = q.now, p
	from := len(p.members)
	q.s.buckets.mu.Unlock()

	var counts string
	q.add(q.s.countsOf(q.project, k, -1), func(r rueidis.RedisResult) (err error) {
		counts, err = r.ToString()
		return q.s.fault("read counters", err)
	})
	q.add(q.s.membersOf(q.project, k, from), func(r rueidis.RedisResult) error {
		members, err := r.AsStrSlice()
		if err != nil {
			return q.s.fault("read counters", err)
		}
		ok, err := p.fill(q.cache.names, q.number, counts, from, members)
		if err == nil && !ok {
			if q.cache.buckets[k] == p {
				delete(q.cache.buckets, k)
			}
			q.again = append(q.again, k)
		}
		return err
	})
}

// pagesOf are those of a question's buckets.
func (q *inquiry) bucketsOf(t hot.Question) [][]*hot.BucketCounts {
	of := make([][]*hot.BucketCounts, len(t.Starts))
	for i, start := range t.Starts {
		for shard := range q.s.opt.Shards {
			k := place{shard, hot.Bucket{Grain: t.Grain, Start: start.Unix()}}
			if p := q.whole[k]; p != nil {
				of[i] = append(of[i], &p.BucketCounts)
			} else if p := q.fixed[k]; p != nil {
				of[i] = append(of[i], p)
			}
		}
	}
	return of
}

// countLive counts the devices of a shard with an event in the Window before now.
func (s *Store) countLive(shard int, project string, now time.Time) rueidis.Completed {
	since := "(" + strconv.FormatInt(now.Add(-hot.Window).UnixMilli(), 10)
	return s.client.B().Zcount().Key(s.keys.live(shard, project)).Min(since).Max("+inf").Build()
}
