package pebble

import (
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// counter names one count.
type counter struct {
	project string
	hot.Bucket
	hot.Fact
}

// counts keeps the values of the counters in use, so that adding to one is a
// blind write. Only the commit loop uses it; what it holds is always in the
// store too, so it may be forgotten at any time.
type counts struct {
	db         *pebble.DB
	maxMembers int
	values     map[counter]uint64
	members    map[counter]int // of a dimension (Member "") in a bucket
	changed    []change        // by the batch under way
}

const maxCached = 1 << 17 // counters, some 20 MB

func newCounts(db *pebble.DB, maxMembers int) *counts {
	return &counts{db: db, maxMembers: maxMembers, values: map[counter]uint64{}, members: map[counter]int{}}
}

// begin starts a batch of adds: only between batches is all of the cache in
// the store. A cache that is full lets go of the minutes that are over: what
// comes next is hardly theirs.
func (c *counts) begin(now time.Time) {
	c.changed = c.changed[:0]
	if len(c.values) <= maxCached {
		return
	}
	over := func(k counter) bool { return k.Grain == hot.Minute && k.Start < now.Unix()-120 }
	maps.DeleteFunc(c.values, func(k counter, _ uint64) bool { return over(k) })
	maps.DeleteFunc(c.members, func(k counter, _ int) bool { return over(k) })
	if len(c.values) > maxCached/2 {
		c.forget()
	}
}

// forget empties the cache; the store knows the values that count.
func (c *counts) forget() {
	clear(c.values)
	clear(c.members)
}

// add adds the sums in b.
func (c *counts) add(b *pebble.Batch, sums map[counter]int64) error {
	var key [64]byte
	for k, n := range sums {
		if n == 0 {
			continue
		}
		k, v, err := c.value(k)
		if err != nil {
			return err
		}
		v += uint64(n)
		c.values[k] = v
		c.changed = append(c.changed, change{k, v})
		var val [binary.MaxVarintLen64]byte
		if err := b.Set(countKey(key[:0], k), binary.AppendUvarint(val[:0], v), nil); err != nil {
			return err
		}
	}
	return nil
}

// value is the counter's own value, or that of the rest when its dimension is full.
func (c *counts) value(k counter) (counter, uint64, error) {
	if v, ok := c.values[k]; ok {
		return k, v, nil
	}
	raw, err := get(c.db, countKey(nil, k))
	if err != nil {
		return k, 0, err
	}
	// A cached key lives on: it must not hold the request that it came with.
	k.project, k.Member = strings.Clone(k.project), strings.Clone(k.Member)
	if raw != nil {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			return k, 0, fmt.Errorf("count of %q is corrupt", k.Member)
		}
		return k, v, nil
	}
	if _, open := k.Dimension.Open(); !open { // the rest of an open one included
		return k, 0, nil
	}
	dim := k
	dim.Member = ""
	n, ok := c.members[dim]
	if !ok {
		if n, err = c.countMembers(dim); err != nil {
			return k, 0, err
		}
	}
	if n >= c.maxMembers {
		c.members[dim] = n
		k.Fact = hot.Fact{Dimension: k.Dimension.Rest()}
		return c.value(k)
	}
	c.members[dim] = n + 1
	return k, 0, nil
}

// countMembers counts those in the store. Those of the batch under way are in
// members, which each new one adds to.
func (c *counts) countMembers(dim counter) (int, error) {
	prefix := countKey(nil, dim)
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
