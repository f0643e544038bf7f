package hot

import (
	"encoding/binary"
	"math/bits"
)

// Filter is a blocked Bloom filter of ids (Putze, Sanders, Singler 2007): one cache line
// and six bits per id. It grows by segments of doubling size, 12 bits per id, to 96 MB for
// 64 million ids, or as far as Grow allows. After that the last segment gets too many ids,
// and false positives increase. Ids are SHA-256 sums, so their own bits serve as hashes.
// It is not safe for concurrent use; only concurrent calls of Maybe are.
type Filter struct {
	// Grow says whether the filter may use that many more bytes; nil is yes.
	Grow func(bytes int) bool

	segments []segment
	free     int // ids that the last segment still takes
	full     bool
}

// Bytes returns the filter's memory.
func (f *Filter) Bytes() (n int) {
	for _, s := range f.segments {
		n += len(s) * blockBytes
	}
	return n
}

type segment [][8]uint64

const (
	firstSegment = 1 << 16 // ids
	lastSegment  = 1 << 25
	idsPerBlock  = 512 / 12
	blockBytes   = 64
)

// Add adds an id.
func (f *Filter) Add(id [16]byte) {
	if f.free == 0 && !f.full {
		f.grow()
	}
	f.free--
	if len(f.segments) > 0 {
		f.segments[len(f.segments)-1].add(id)
	}
}

// grow adds a segment, or sets full if there is no room.
func (f *Filter) grow() {
	size := firstSegment << len(f.segments)
	blocks := size / idsPerBlock
	if size > lastSegment || f.Grow != nil && !f.Grow(blocks*blockBytes) {
		f.full = true
		return
	}
	f.segments = append(f.segments, make(segment, blocks))
	f.free = size
}

// Maybe returns false only for an id that was never added.
func (f *Filter) Maybe(id [16]byte) bool {
	if f.full && len(f.segments) == 0 {
		return true
	}
	for _, s := range f.segments {
		if s.maybe(id) {
			return true
		}
	}
	return false
}

// block returns the block of 512 bits for an id, and the hash that selects bits in it.
func (s segment) block(id [16]byte) (*[8]uint64, uint64) {
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(id[:8]), uint64(len(s)))
	return &s[i], binary.LittleEndian.Uint64(id[8:])
}

// add sets six bits of the id's block. Each takes 9 bits of the hash: 6 for the bit of a word, 3
// for the word.
func (s segment) add(id [16]byte) {
	b, h := s.block(id)
	for range 6 {
		b[h>>6&7] |= 1 << (h & 63)
		h >>= 9
	}
}

func (s segment) maybe(id [16]byte) bool {
	b, h := s.block(id)
	for range 6 {
		if b[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
		h >>= 9
	}
	return true
}
