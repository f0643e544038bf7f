package redis

import (
	"crypto/sha1" //nolint:gosec // the one hash that a script in Redis has; it guards against mishaps alone
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/weir-analytics/weir/internal/hot"
)

// The counts of a bucket are one string of signed 64-bit numbers, big-endian, one
// a slot: so a bucket is read as one value, and a thousand of them take 8 KB
// where a hash would take 64. Slots, in this order:
//
//	the fixed ones           total, calls, statuses: hot.FixedSlot
//	restSlots, 4             what open dimensions count beyond their cap: by hot.Dimension.Open
//	sizeSlots, 4             how many members they have
//	digestSlot               which members they are, in their order: see digest
//	stampSlot                a random number from each append, added up
//	memberSlots, and on      members
//
// The sorted set beside it says which member has which slot: its members are the dimension's
// letter and the name, its scores the slots, without a gap. A slot never changes its member, so
// a reader with a cached list needs only the members after it, unless a failover lost some. Then
// the digest differs, since any two lists of members have different digests; and any two sets
// of appends have different stamps.
const (
	restSlots   = hot.FixedSlots
	sizeSlots   = restSlots + 4
	digestSlot  = sizeSlots + 4
	stampSlot   = digestSlot + 1
	memberSlots = stampSlot + 1
	slotBytes   = 8
)

var errCounts = errors.New("counts of a bucket are corrupt")

// slot returns a count, 0 where the string ends before it.
func slot(counts string, i int) int64 {
	if len(counts) < (i+1)*slotBytes {
		return 0
	}
	return int64(binary.BigEndian.Uint64([]byte(counts[i*slotBytes : (i+1)*slotBytes])))
}

// state identifies a version of a bucket's counts and members.
type state struct{ digest, stamp int64 }

// stateOf returns the state in counts that begin at the given slot.
func stateOf(counts string, from int) state {
	return state{slot(counts, digestSlot-from), slot(counts, stampSlot-from)}
}

// digest returns that of the members before it and one more: 52 bits, for the numbers
// of Lua have no more. Without members it is 0.
func digest(before int64, member string) int64 {
	sum := sha1.Sum(append(strconv.AppendInt(nil, before, 10), member...)) //nolint:gosec // see the import
	return int64(binary.BigEndian.Uint64(sum[:]) >> 12)
}

// openOf returns the open dimension whose letter begins a member of the sorted set, and
// the member's name.
func openOf(member string) (d hot.Dimension, name string, err error) {
	if member == "" {
		return 0, "", errCounts
	}
	d = hot.Dimension(member[0])
	if _, ok := d.OpenIndex(); !ok {
		return 0, "", errCounts
	}
	return d, member[1:], nil
}
