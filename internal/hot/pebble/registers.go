package pebble

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

// registersOf is a sketch, with its registers counted by rank: enough for the
// estimate, and kept up without a look at all of them.
type registersOf struct {
	ranks  [registers]byte
	byRank [64]int
	read   bool
	used   time.Time
}

// rankChange is a register's new rank.
type rankChange struct {
	bucketOf
	register uint16
	rank     byte
}

func (r *registersOf) raise(register uint16, rank byte) {
	if old := r.ranks[register]; rank > old {
		r.ranks[register] = rank
		r.byRank[old]--
		r.byRank[rank]++
	}
}

// readSketch reads a sketch from the store, unless that was done.
func (s *Store) readSketch(project string, k hot.Bucket, r *registersOf) error {
	s.buckets.mu.Lock()
	read := r.read
	s.buckets.mu.Unlock()
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
	s.buckets.mu.Lock()
	defer s.buckets.mu.Unlock()
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

// estimate returns the HyperLogLog estimate of a sketch that has that many registers of
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
