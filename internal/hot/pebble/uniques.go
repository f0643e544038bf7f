package pebble

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	precision = 14 // bits of the hash that choose a register
	registers = 1 << precision
)

// uniques keeps HyperLogLog sketches, a key per register: a register is
// written only when it grows, which soon is rare, and an untouched one takes no
// room. Only the commit loop uses it; what its cache holds is in the store too.
type uniques struct {
	db       *pebble.DB
	sketches map[bucketOf]sketch
	ranks    map[uint64]byte // sketch's number and register → rank
	changed  []rankChange    // by the batch under way
}

// sketch is what is known of a bucket.
type sketch struct {
	number uint64 // in ranks
	all    bool   // what is not there, the store does not have
}

func newUniques(db *pebble.DB) *uniques {
	return &uniques{db: db, sketches: map[bucketOf]sketch{}, ranks: map[uint64]byte{}}
}

// begin starts a batch of adds.
func (u *uniques) begin() {
	u.changed = u.changed[:0]
	if len(u.ranks) > maxCached {
		u.forget()
	}
}

// forget empties the cache; the store knows the ranks that count.
func (u *uniques) forget() {
	clear(u.sketches)
	clear(u.ranks)
}

// add counts the item's device in b.
func (u *uniques) add(b *pebble.Batch, it hot.Item, in []hot.Bucket) error {
	e := it.Event
	if e.DeviceID == "" {
		return nil
	}
	h := hot.Hash(e.ProjectID, e.DeviceID)
	register := h >> (64 - precision)
	rank := byte(bits.LeadingZeros64(h<<precision|1<<(precision-1)) + 1)
	for _, bucket := range in {
		k := bucketOf{e.ProjectID, bucket}
		sk, err := u.sketch(k)
		if err != nil {
			return err
		}
		id := sk.number<<precision | register
		old, ok := u.ranks[id]
		if ok && old >= rank {
			continue
		}
		var buf [64]byte
		key := bucketKey(buf[:0], tagUnique, e.ProjectID, bucket.Grain, bucket.Start)
		key = binary.BigEndian.AppendUint16(key, uint16(register))
		if !ok && !sk.all {
			raw, err := get(u.db, key)
			if err != nil {
				return err
			}
			if len(raw) == 1 && raw[0] >= rank {
				u.ranks[id] = raw[0]
				continue
			}
		}
		u.ranks[id] = rank
		if err := b.Set(key, []byte{rank}, nil); err != nil {
			return err
		}
		u.changed = append(u.changed, rankChange{k, uint16(register), rank})
	}
	return nil
}

// sketch is what is known of the bucket. Of one that the store has not, as each
// minute's at first, that is all.
func (u *uniques) sketch(k bucketOf) (sketch, error) {
	sk, ok := u.sketches[k]
	if ok {
		return sk, nil
	}
	empty, err := none(u.db, bucketKey(nil, tagUnique, k.project, k.Grain, k.Start))
	if err != nil {
		return sk, err
	}
	sk = sketch{uint64(len(u.sketches)), empty}
	k.project = strings.Clone(k.project) // it must not hold the request that it came with
	u.sketches[k] = sk
	return sk, nil
}
