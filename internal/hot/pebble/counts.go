package pebble

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// counts keeps the values of the counters in use, so that adding to one is a
// blind write. Only the commit loop uses it; what it holds is always in the
// store too, so it may be forgotten at any time.
type counts struct {
	db         *pebble.DB
	maxMembers int
	buckets    map[bucketOf]*list.Element
	used       list.List    // of *counted: the last used first
	bytes      int          // of all of them
	most       int          // bytes, between two batches
	held       atomic.Int64 // bytes, as others read it
	touched    []*counted   // by the running batch
	changed    changes
	it         *pebble.Iterator // of the running batch, nil until a bucket is read
}

// counted is the cached part of a bucket's counters.
type counted struct {
	bucketOf
	prefix  []byte // of its keys
	all     bool   // facts has all counters of the bucket that the store has
	facts   []hot.Fact
	values  []value          // of the facts
	dirty   []int            // places of values that the running batch adds to
	index   map[hot.Fact]int // place of a fact; nil while there are few
	members [maxOpen]int     // the number of members of each open dimension; -1 if not counted
	bytes   int              // of memory, about
}

type value struct {
	n     uint64
	dirty bool
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

const (
	maxOpen  = 4   // dimensions whose members are not fixed
	fewFacts = 16  // up to which a bucket is searched one by one
	readAt1  = 256 // counters of a bucket that are read in one go; of a larger one, the rest is looked up one by one
)

func newCounts(db *pebble.DB, maxMembers, most int) *counts {
	return &counts{db: db, maxMembers: maxMembers, most: most, buckets: map[bucketOf]*list.Element{}}
}

// begin starts a batch of adds. A full cache drops its least recently used buckets here, since
// only between batches the store has all of the cached values.
func (c *counts) begin() {
	c.changed = changes{c.changed.buckets[:0], c.changed.values[:0]}
	clear(c.touched) // what is dropped must not be held
	c.touched = c.touched[:0]
	for c.bytes > c.most {
		last := c.used.Back()
		of := c.used.Remove(last).(*counted)
		delete(c.buckets, of.bucketOf)
		c.bytes -= of.bytes
	}
	c.held.Store(int64(c.bytes))
}

// end ends a batch of adds.
func (c *counts) end() error {
	if c.it == nil {
		return nil
	}
	err := c.it.Close()
	c.it = nil
	return err
}

// forget empties the cache; the store has the values.
func (c *counts) forget() {
	clear(c.buckets)
	c.used.Init()
	c.bytes = 0
}

// drop removes a bucket from the cache, between two batches.
func (c *counts) drop(k bucketOf) {
	if e := c.buckets[k]; e != nil {
		c.bytes -= c.used.Remove(e).(*counted).bytes
		delete(c.buckets, k)
	}
}

// add adds the sums to a bucket. write must follow.
func (c *counts) add(k bucketOf, s *sums) error {
	of, err := c.bucket(k)
	if err != nil {
		return err
	}
	before := of.bytes
	if len(of.dirty) == 0 {
		c.touched = append(c.touched, of)
	}
	for _, f := range s.facts {
		if f.n == 0 {
			continue
		}
		i, ok := of.find(f.Fact)
		if !ok {
			if i, err = c.look(of, f.Fact); err != nil {
				return err
			}
		}
		v := &of.values[i]
		v.n += uint64(f.n)
		if !v.dirty {
			v.dirty = true
			of.dirty = append(of.dirty, i)
		}
	}
	c.bytes += of.bytes - before
	return nil
}

// write puts the counters that were added to into b, in the order of their keys.
func (c *counts) write(b *pebble.Batch) error {
	slices.SortFunc(c.touched, func(a, b *counted) int { return bytes.Compare(a.prefix, b.prefix) })
	var buf [128]byte
	for _, of := range c.touched {
		slices.SortFunc(of.dirty, func(a, b int) int { return compareFacts(of.facts[a], of.facts[b]) })
		key := append(buf[:0], of.prefix...)
		for _, i := range of.dirty {
			f, v := of.facts[i], &of.values[i]
			var val [binary.MaxVarintLen64]byte
			key = append(append(key[:len(of.prefix)], byte(f.Dimension)), f.Member...)
			if err := b.Set(key, binary.AppendUvarint(val[:0], v.n), nil); err != nil {
				return err
			}
			v.dirty = false
			c.changed.values = append(c.changed.values, changedValue{f, v.n})
		}
		c.changed.buckets = append(c.changed.buckets, changedBucket{of.bucketOf, len(of.dirty)})
		of.dirty = of.dirty[:0]
	}
	return nil
}

// bucket returns what is known of it. One that is not here is read from the store, all
// of it unless it is large.
func (c *counts) bucket(k bucketOf) (*counted, error) {
	if e := c.buckets[k]; e != nil {
		c.used.MoveToFront(e)
		return e.Value.(*counted), nil
	}
	k.project = strings.Clone(k.project) // a cached key lives on: it must not hold the request that it came with
	of := &counted{bucketOf: k, prefix: bucketKey(nil, tagCount, k.project, k.Grain, k.Start)}
	of.bytes = 400 + len(k.project) + len(of.prefix)
	if err := c.read(of); err != nil {
		return nil, err
	}
	c.buckets[k] = c.used.PushFront(of)
	c.bytes += of.bytes
	return of, nil
}

// read loads the bucket's counters from the store: all of them, or the first readAt1 if there
// are more. Then of.all stays false, the members of open dimensions are not counted yet (-1),
// and look reads each further counter when it is needed.
func (c *counts) read(of *counted) error {
	if c.it == nil {
		var err error
		if c.it, err = c.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tagCount}, UpperBound: []byte{tagCount + 1}}); err != nil {
			return err
		}
	}
	ok := c.it.SeekGE(of.prefix)
	for ; ok && bytes.HasPrefix(c.it.Key(), of.prefix); ok = c.it.Next() {
		if len(of.facts) == readAt1 {
			of.members = [maxOpen]int{-1, -1, -1, -1}
			return nil
		}
		rest := c.it.Key()[len(of.prefix):]
		n, err := count(c.it)
		if err != nil {
			return err
		}
		of.keep(hot.Fact{Dimension: hot.Dimension(rest[0]), Member: string(rest[1:])}, uint64(n))
		if i, open := hot.Dimension(rest[0]).OpenIndex(); open {
			of.members[i]++
		}
	}
	of.all = true
	return c.it.Error()
}

// find returns the fact's place in values.
func (of *counted) find(f hot.Fact) (int, bool) {
	if of.index != nil {
		i, ok := of.index[f]
		return i, ok
	}
	i := slices.Index(of.facts, f)
	return i, i >= 0
}

// look returns the place of a fact that is not here, or that of the rest when its
// dimension is full.
func (c *counts) look(of *counted, f hot.Fact) (int, error) {
	key := append(append(slices.Clip(of.prefix), byte(f.Dimension)), f.Member...)
	if !of.all {
		raw, err := get(c.db, key)
		if err != nil {
			return 0, err
		}
		if raw != nil {
			v, n := binary.Uvarint(raw)
			if n <= 0 {
				return 0, fmt.Errorf("count of %q is corrupt", f.Member)
			}
			return of.keep(f, v), nil
		}
	}
	if i, open := f.Dimension.OpenIndex(); open { // the rest of one is not
		n := &of.members[i]
		if *n < 0 {
			var err error
			if *n, err = c.countMembers(key[:len(of.prefix)+1]); err != nil {
				return 0, err
			}
		}
		if *n >= c.maxMembers {
			f = hot.Fact{Dimension: f.Dimension.Rest()}
			if i, ok := of.find(f); ok {
				return i, nil
			}
			return c.look(of, f)
		}
		*n++
	}
	return of.keep(f, 0), nil
}

// keep adds a fact and returns its place.
func (of *counted) keep(f hot.Fact, v uint64) int {
	f.Member = strings.Clone(f.Member) // see bucket
	i := len(of.values)
	of.facts, of.values = append(of.facts, f), append(of.values, value{n: v})
	of.bytes += 64 + len(f.Member)
	switch {
	case of.index != nil:
		of.index[f] = i
		of.bytes += 48
	case len(of.facts) > fewFacts:
		of.index = make(map[hot.Fact]int, 2*fewFacts)
		for i, f := range of.facts {
			of.index[f] = i
		}
		of.bytes += 48 * len(of.facts)
	}
	return i
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
