package pebble

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// seen remembers ids. They stand in generations as long as the window; the
// generation before the current one is asked too, and older ones are deleted
// whole. So an id is known for one to two windows, at 21 bytes of key.
//
// Nearly every id is new, and to look for one that is not there costs a walk
// through the memtable: so a filter of each generation is asked first. Ids that
// an earlier process left are taken into a filter of their own in the
// background; until that is done, the store is asked.
//
// Only the commit loop uses it.
type seen struct {
	db     *pebble.DB
	window time.Duration

	current, before generation
	batch           map[[16]byte]struct{}
}

type generation struct {
	number uint32
	fresh  *hot.Filter                 // ids added by this process
	left   *atomic.Pointer[hot.Filter] // ids of earlier processes; nil while it is being read
}

func newSeen(db *pebble.DB, window time.Duration, now time.Time) *seen {
	s := &seen{db: db, window: window, batch: map[[16]byte]struct{}{}}
	n := s.number(now)
	s.current, s.before = s.inherited(n), s.inherited(n-1)
	return s
}

func (s *seen) number(now time.Time) uint32 {
	return uint32(now.Unix() / int64(s.window/time.Second))
}

func (s *seen) inherited(number uint32) generation {
	return generation{number, &hot.Filter{}, new(atomic.Pointer[hot.Filter])}
}

// readLeft fills the filters of what earlier processes left, until stop.
func (s *seen) readLeft(stop <-chan struct{}, gs ...generation) error {
	for _, g := range gs {
		f := &hot.Filter{}
		from := dedupKey(nil, g.number, [16]byte{})
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: after(from[:5])})
		if err != nil {
			return err
		}
		n := 0
		for ok := it.First(); ok; ok = it.Next() {
			f.Add([16]byte(it.Key()[5:21]))
			if n++; n%4096 == 0 {
				select {
				case <-stop:
					return it.Close()
				default:
				}
			}
		}
		if err := it.Close(); err != nil {
			return err
		}
		g.left.Store(f)
	}
	return nil
}

// begin starts a batch of adds that commit together.
func (s *seen) begin(now time.Time) {
	clear(s.batch)
	switch n := s.number(now); n {
	case s.current.number:
	case s.current.number + 1:
		s.before = s.current
		s.current = generation{n, &hot.Filter{}, emptyFilter()}
	default: // the clock jumped
		s.current, s.before = s.inherited(n), s.inherited(n-1)
	}
}

func emptyFilter() *atomic.Pointer[hot.Filter] {
	p := new(atomic.Pointer[hot.Filter])
	p.Store(&hot.Filter{})
	return p
}

// add remembers the id in b, and says whether it was known.
func (s *seen) add(b *pebble.Batch, id [16]byte) (known bool, err error) {
	if _, ok := s.batch[id]; ok {
		return true, nil
	}
	for _, g := range [...]*generation{&s.current, &s.before} {
		if known, err = s.has(g, id); known || err != nil {
			return known, err
		}
	}
	s.batch[id] = struct{}{}
	s.current.fresh.Add(id)
	var buf [21]byte
	return false, b.Set(dedupKey(buf[:0], s.current.number, id), nil, nil)
}

func (s *seen) has(g *generation, id [16]byte) (bool, error) {
	if left := g.left.Load(); left != nil && !left.Maybe(id) && !g.fresh.Maybe(id) {
		return false, nil
	}
	var buf [21]byte
	_, closer, err := s.db.Get(dedupKey(buf[:0], g.number, id))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get: %w", err)
	}
	return true, closer.Close()
}

// sweepSeen deletes the generations that no add asks for any more.
func sweepSeen(db *pebble.DB, window time.Duration, now time.Time) error {
	g := uint32(now.Unix() / int64(window/time.Second))
	if g < 2 {
		return nil
	}
	return db.DeleteRange(dedupKey(nil, 0, [16]byte{}), dedupKey(nil, g-1, [16]byte{}), pebble.NoSync)
}
