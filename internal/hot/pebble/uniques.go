package pebble

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"io"
	"math/bits"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

const (
	precision = 14 // bits of the hash that choose a register
	registers = 1 << precision
)

// uniques writes HyperLogLog sketches, a key per register. It writes without
// reading: Pebble merges the ranks of a register to the greatest one. A table
// of fixed size holds ranks written lately, so that most events, whose devices
// were counted before, write nothing. Only the commit loop uses it.
type uniques struct {
	seed    maphash.Seed
	written []written // direct-mapped: a register has one place, and the last that came holds it
	changed []rankChange
}

// written is a rank that the store has, or will have with the batch under way.
type written struct {
	bucket   uint64 // hash of the sketch's name
	register uint16
	rank     byte // 0 is an empty place
}

const uniquesTable = 1 << 18 // entries of 16 bytes: 4 MiB

func newUniques() *uniques {
	return &uniques{seed: maphash.MakeSeed(), written: make([]written, uniquesTable)}
}

// begin starts a batch of adds.
func (u *uniques) begin() { u.changed = u.changed[:0] }

// forget empties the table.
func (u *uniques) forget() { clear(u.written) }

// add counts the item's device. write must follow.
func (u *uniques) add(it hot.Item, in []hot.Bucket) {
	e := it.Event
	if e.DeviceID == "" {
		return
	}
	h := hot.Hash(e.ProjectID, e.DeviceID)
	register := uint16(h >> (64 - precision))
	rank := byte(bits.LeadingZeros64(h<<precision|1<<(precision-1)) + 1)
	crowd := hot.CrowdOf(e)
	project := maphash.String(u.seed, crowd)
	for _, bucket := range in {
		w := written{mix(project ^ mix(uint64(bucket.Start)<<8|uint64(bucket.Grain))), register, rank}
		at := &u.written[mix(w.bucket+uint64(register))%uniquesTable]
		if at.bucket == w.bucket && at.register == register && at.rank >= rank {
			continue
		}
		*at = w
		u.changed = append(u.changed, rankChange{bucketOf{crowd, bucket}, register, rank})
	}
}

// mix returns the finalizer of MurmurHash3.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// write puts what was added into b, in the order of its keys.
func (u *uniques) write(b *pebble.Batch) error {
	slices.SortFunc(u.changed, func(a, b rankChange) int {
		return cmp.Or(strings.Compare(a.project, b.project), cmp.Compare(a.Grain, b.Grain), cmp.Compare(a.Start, b.Start),
			cmp.Compare(a.register, b.register))
	})
	var buf [64]byte
	for i := range u.changed {
		c := &u.changed[i]
		key := bucketKey(buf[:0], tagUnique, c.project, c.Grain, c.Start)
		key = binary.BigEndian.AppendUint16(key, c.register)
		if err := b.Merge(key, []byte{c.rank}, nil); err != nil {
			return err
		}
	}
	return nil
}

// merger merges the values of a key to the greatest: only registers are merged.
// Its name is that of Pebble's default, which stores of format 1 were made with
// and never used.
var merger = &pebble.Merger{
	Name:  pebble.DefaultMerger.Name,
	Merge: func(_, value []byte) (pebble.ValueMerger, error) { return &greatest{slices.Clone(value)}, nil },
}

type greatest struct{ value []byte }

func (g *greatest) MergeNewer(value []byte) error { return g.MergeOlder(value) }

func (g *greatest) MergeOlder(value []byte) error {
	if slices.Compare(value, g.value) > 0 {
		g.value = append(g.value[:0], value...)
	}
	return nil
}

func (g *greatest) Finish(bool) ([]byte, io.Closer, error) { return g.value, nil, nil }
