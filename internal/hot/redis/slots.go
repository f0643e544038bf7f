package redis

import (
	"encoding/binary"
	"errors"

	"github.com/weir-analytics/weir/internal/hot"
)

// The counts of a bucket are one string of signed 64-bit numbers, big-endian, one
// a slot: so a bucket is read as one value, and a thousand of them take 8 KB
// where a hash would take 64. Slots, in this order:
//
//	the fixed ones           total, calls, statuses: hot.FixedSlot
//	restSlots, 4             what open dimensions count beyond their cap: by hot.Dimension.Open
//	sizeSlots, 4             how many members they have
//	memberSlots, and on      members
//
// Which member has which slot says the sorted set beside it: its members are the
// dimension's letter and the name, its scores the slots, without a gap. A slot
// that is given stays, so whoever knows some needs only those that came after.
const (
	restSlots   = hot.FixedSlots
	sizeSlots   = restSlots + 4
	memberSlots = sizeSlots + 4
	slotBytes   = 8
)

var errCounts = errors.New("counts of a bucket are corrupt")

// slot is a count, 0 where the string ends before it.
func slot(counts string, i int) int64 {
	if len(counts) < (i+1)*slotBytes {
		return 0
	}
	return int64(binary.BigEndian.Uint64([]byte(counts[i*slotBytes : (i+1)*slotBytes])))
}

// openOf is the open dimension whose letter begins a member of the sorted set, and
// the member's name.
func openOf(member string) (d hot.Dimension, name string, err error) {
	if member == "" {
		return 0, "", errCounts
	}
	d = hot.Dimension(member[0])
	if _, ok := d.Open(); !ok {
		return 0, "", errCounts
	}
	return d, member[1:], nil
}
