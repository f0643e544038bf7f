package pebble

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// counts keeps the values of the counters in use, so that adding to one is a
// blind write. Only the commit loop uses it; what it holds is always in the
// store too, so it may be forgotten at any time.
type counts struct {
	db         *pebble.DB
	maxMembers int
	buckets    map[bucketOf]*counted
	cached     int // values in all of them
	changed    changes
}

// counted is what is known of a bucket.
type counted struct {
	prefix  []byte           // of its keys
	all     bool             // what is not here, the store does not have
	index   map[hot.Fact]int // in values
	values  []uint64
	members map[hot.Dimension]int // how many there are
}

// changes are counters with their new values.
type changes struct {
	buckets []changedBucket
	values  []changedValue // of one bucket after the other
}

type changedBucket struct {
	bucketOf
	n int // values
}

type changedValue struct {
	hot.Fact
	value uint64
}

const maxCached = 1 << 17 // counters, some 20 MB

func newCounts(db *pebble.DB, maxMembers int) *counts {
	return &counts{db: db, maxMembers: maxMembers, buckets: map[bucketOf]*counted{}}
}

// begin starts a batch of adds: only between batches is all of the cache in
// the store. A cache that is full lets go of the minutes that are over: what
// comes next is hardly theirs.
func (c *counts) begin(now time.Time) {
	c.changed = changes{c.changed.buckets[:0], c.changed.values[:0]}
	if c.cached <= maxCached {
		return
	}
	maps.DeleteFunc(c.buckets, func(k bucketOf, b *counted) bool {
		over := k.Grain == hot.Minute && k.Start < now.Unix()-120
		if over {
			c.cached -= len(b.values)
		}
		return over
	})
	if c.cached > maxCached/2 {
		c.forget()
	}
}

// forget empties the cache; the store knows the values that count.
func (c *counts) forget() {
	clear(c.buckets)
	c.cached = 0
}

// add adds the sums to a bucket in b.
func (c *counts) add(b *pebble.Batch, k bucketOf, s *sums) error {
	of, err := c.bucket(k)
	if err != nil {
		return err
	}
	var buf [128]byte
	key := append(buf[:0], of.prefix...)
	began := len(c.changed.values)
	for _, f := range s.facts {
		if f.n == 0 {
			continue
		}
		i, ok := of.index[f.Fact]
		if !ok {
			if f.Fact, i, err = c.find(of, f.Fact); err != nil {
				return err
			}
		}
		of.values[i] += uint64(f.n)
		var val [binary.MaxVarintLen64]byte
		key = append(append(key[:len(of.prefix)], byte(f.Dimension)), f.Member...)
		if err := b.Set(key, binary.AppendUvarint(val[:0], of.values[i]), nil); err != nil {
			return err
		}
		c.changed.values = append(c.changed.values, changedValue{f.Fact, of.values[i]})
	}
	c.changed.buckets = append(c.changed.buckets, changedBucket{k, len(c.changed.values) - began})
	return nil
}

// bucket is what is known of it. Of one that the store has not, as each minute's
// at first, that is all.
func (c *counts) bucket(k bucketOf) (*counted, error) {
	if of := c.buckets[k]; of != nil {
		return of, nil
	}
	prefix := bucketKey(nil, tagCount, k.project, k.Grain, k.Start)
	empty, err := none(c.db, prefix)
	if err != nil {
		return nil, err
	}
	of := &counted{prefix: prefix, all: empty, index: map[hot.Fact]int{}, members: map[hot.Dimension]int{}}
	k.project = strings.Clone(k.project) // a cached key lives on: it must not hold the request that it came with
	c.buckets[k] = of
	return of, nil
}

// find is the fact's place in values, or that of the rest when its dimension is
// full. It was not there before.
func (c *counts) find(of *counted, f hot.Fact) (hot.Fact, int, error) {
	key := append(append(slices.Clip(of.prefix), byte(f.Dimension)), f.Member...)
	var raw []byte
	if !of.all {
		var err error
		if raw, err = get(c.db, key); err != nil {
			return f, 0, err
		}
	}
	if raw != nil {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			return f, 0, fmt.Errorf("count of %q is corrupt", f.Member)
		}
		return c.keep(of, f, v)
	}
	if _, open := f.Dimension.Open(); !open { // the rest of an open one included
		return c.keep(of, f, 0)
	}
	n, ok := of.members[f.Dimension]
	if !ok && !of.all {
		var err error
		if n, err = c.countMembers(key[:len(of.prefix)+1]); err != nil {
			return f, 0, err
		}
	}
	if n >= c.maxMembers {
		of.members[f.Dimension] = n
		f = hot.Fact{Dimension: f.Dimension.Rest()}
		if i, ok := of.index[f]; ok {
			return f, i, nil
		}
		return c.find(of, f)
	}
	of.members[f.Dimension] = n + 1
	return c.keep(of, f, 0)
}

func (c *counts) keep(of *counted, f hot.Fact, v uint64) (hot.Fact, int, error) {
	f.Member = strings.Clone(f.Member) // see bucket
	i := len(of.values)
	of.index[f] = i
	of.values = append(of.values, v)
	c.cached++
	return f, i, nil
}

// countMembers counts those in the store. Those of the batch under way are in
// members, which each new one adds to.
func (c *counts) countMembers(prefix []byte) (int, error) {
	it, err := c.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, err
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		n++
	}
	return n, it.Close()
}

// none says whether the store has no key with the prefix.
func none(db *pebble.DB, prefix []byte) (bool, error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return false, err
	}
	found := it.First()
	return !found, it.Close()
}
