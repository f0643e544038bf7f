package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/hot"
)

// seen stores ids, to find duplicates. They are in generations. A look-up reads the current
// generation and the one before; older ones are deleted whole. A generation ends when it is a
// window old, so an id is found for one to two windows, at 21 bytes of key.
//
// The clock may jump. Generations have consecutive numbers, and their number and beginning are
// stored. If the clock was set back, the time of the current generation starts again. If it jumps
// forward, the current one ends too early, and its ids are found in the one before. Then no other
// generation ends before a window has really passed. So a jump can only make ids last longer.
//
// Nearly every id is new, and to look for one that is not there costs a walk
// through the memtable: so a filter of each generation is asked first. Ids that
// an earlier process left are taken into a filter of their own in the
// background; until that is done, the store is asked.
//
// The filters share a bound in bytes; what does not fit makes the last ones say
// maybe of more ids, which the store then is asked for.
//
// Only the commit loop changes it, and holds mu meanwhile; others call contains. oldest
// and held need no lock.
type seen struct {
	db     *pebble.DB
	window time.Duration
	mu     sync.RWMutex

	current, before generation
	began           time.Time     // the current generation
	turned          time.Duration // Elapsed when it began; -1 is in an earlier process
	oldest          atomic.Uint32 // number of the generation before
	most            int64         // bytes of all filters
	held            atomic.Int64  // of these
	batch           map[[16]byte]struct{}
}

type generation struct {
	number uint32
	fresh  *hot.Filter                 // ids added by this process
	left   *atomic.Pointer[hot.Filter] // ids of earlier processes; nil while it is being read
}

// generationKey holds the number of the current generation and when it began.
var generationKey = []byte{tagMeta, 'g'}

func newSeen(db *pebble.DB, window time.Duration, most int, now time.Time) (*seen, error) {
	s := &seen{db: db, window: window, most: int64(most), turned: -1, batch: map[[16]byte]struct{}{}}
	n, err := s.load(now)
	s.current, s.before = s.inherited(n), s.inherited(n-1)
	s.oldest.Store(n - 1)
	return s, err
}

// load finds the current generation. A store of format 1 counted generations by
// the clock, so the last one with ids is it.
func (s *seen) load(now time.Time) (number uint32, err error) {
	raw, err := get(s.db, generationKey)
	if err != nil {
		return 0, err
	}
	if raw != nil {
		r := codec.NewReader(raw)
		number, s.began = uint32(r.Uint()), r.Time()
		return number, r.Done()
	}
	seconds := int64(s.window / time.Second)
	number = uint32(now.Unix() / seconds)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tagDedup}, UpperBound: []byte{tagDedup + 1}})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		number = binary.BigEndian.Uint32(it.Key()[1:])
	}
	s.began = time.Unix(int64(number)*seconds, 0)
	return number, errors.Join(it.Close(), s.save(number))
}

func (s *seen) save(number uint32) error {
	v := codec.AppendTime(codec.AppendUint(nil, uint64(number)), s.began)
	return s.db.Set(generationKey, v, pebble.NoSync) // in the log before the ids that need it
}

func (s *seen) inherited(number uint32) generation {
	return generation{number, s.filter(), new(atomic.Pointer[hot.Filter])}
}

// filter returns a new one, which takes its room of what all may take.
func (s *seen) filter() *hot.Filter {
	return &hot.Filter{Grow: func(bytes int) bool {
		if s.held.Add(int64(bytes)) > s.most {
			s.held.Add(-int64(bytes))
			return false
		}
		return true
	}}
}

// drop gives back the room of a generation's filters. One of earlier ids that is
// still being read keeps it.
func (s *seen) drop(g generation) {
	s.held.Add(-int64(g.fresh.Bytes()))
	if left := g.left.Load(); left != nil {
		s.held.Add(-int64(left.Bytes()))
	}
}

// readLeft fills the filters of what earlier processes left, until stop.
func (s *seen) readLeft(stop <-chan struct{}, gs ...generation) error {
	for _, g := range gs {
		f := s.filter()
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
func (s *seen) begin(now time.Time, elapsed time.Duration) error {
	clear(s.batch)
	if now.Before(s.began) {
		s.began = now
		return s.save(s.current.number)
	}
	if now.Sub(s.began) < s.window || s.turned >= 0 && elapsed-s.turned < s.window {
		return nil
	}
	began := s.began
	s.began = now
	if err := s.save(s.current.number + 1); err != nil {
		s.began = began
		return err
	}
	s.drop(s.before)
	s.before, s.turned = s.current, elapsed
	s.current = generation{s.before.number + 1, s.filter(), emptyFilter()}
	s.oldest.Store(s.before.number)
	return nil
}

func emptyFilter() *atomic.Pointer[hot.Filter] {
	p := new(atomic.Pointer[hot.Filter])
	p.Store(&hot.Filter{})
	return p
}

// add adds the id to b, unless it was seen before: then known is true.
func (s *seen) add(b *pebble.Batch, id [16]byte) (known bool, err error) {
	if known, err = s.containsLocked(id); known || err != nil {
		return known, err
	}
	s.batch[id] = struct{}{}
	s.current.fresh.Add(id)
	var buf [21]byte
	return false, b.Set(dedupKey(buf[:0], s.current.number, id), nil, nil)
}

// contains says whether the id was seen in the window. An id of the running batch counts too,
// although that batch may still fail.
func (s *seen) contains(id [16]byte) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.containsLocked(id)
}

func (s *seen) containsLocked(id [16]byte) (known bool, err error) {
	if _, ok := s.batch[id]; ok {
		return true, nil
	}
	for _, g := range [...]*generation{&s.current, &s.before} {
		if known, err = s.has(g, id); known || err != nil {
			return known, err
		}
	}
	return false, nil
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

// remove deletes an id in b. The filters go on saying maybe of it, and then the store is asked.
func (s *seen) remove(b *pebble.Batch, id [16]byte) error {
	delete(s.batch, id)
	for _, g := range [...]*generation{&s.current, &s.before} {
		known, err := s.has(g, id)
		if err != nil {
			return err
		}
		if known {
			if err := b.Delete(dedupKey(nil, g.number, id), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep deletes the generations that no add asks for any more.
func (s *seen) sweep() error {
	return s.db.DeleteRange(dedupKey(nil, 0, [16]byte{}), dedupKey(nil, s.oldest.Load(), [16]byte{}), pebble.NoSync)
}
