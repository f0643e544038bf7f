package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// A chunk is the records of one project that were appended to a shard in one
// step. It is one entry of the stream, named LASTSEQ-COUNT, so that a trim by
// seq keeps a chunk until its last record is drained.
//
// Format: a version byte, then the records, each with its length before it;
// version 2 has them compressed (S2).
const (
	chunkPlain = 1
	chunkS2    = 2

	compressFrom = 256      // bytes; below it is not worth it
	maxChunk     = 64 << 20 // bytes of a chunk unpacked: more is corrupt, see maxBytes
)

// appendRecord appends a record with its length to the unpacked chunk b.
func appendRecord(b []byte, e *weir.Event) []byte {
	// The length stands before the record, but is known after it. So three bytes are reserved
	// for it: they hold 2 MiB, and hardly any event is larger.
	from := len(b)
	b = append(b, 0, 0, 0)
	b = hot.AppendRecord(b, e)
	n := len(b) - from - 3
	if n >= 1<<21 {
		record := slices.Clone(b[from+3:])
		return append(binary.AppendUvarint(b[:from], uint64(n)), record...)
	}
	b[from], b[from+1], b[from+2] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)
	return b
}

// appendChunk packs records, as appendRecord made them, behind b.
func appendChunk(b, records []byte) []byte {
	if len(records) < compressFrom {
		return append(append(b, chunkPlain), records...)
	}
	b = append(b, chunkS2)
	from := len(b)
	room := s2.MaxEncodedLen(len(records))
	if cap(b)-from < room {
		b = append(make([]byte, 0, 2*from+room), b...)
	}
	packed := s2.Encode(b[from:from+room], records)
	return b[:from+len(packed)]
}

var errChunk = errors.New("chunk is corrupt")

// records calls fn with each record of a chunk, in order, until it returns
// false. The record may not be kept.
func records(chunk []byte, fn func(record []byte) bool) error {
	if len(chunk) == 0 {
		return errChunk
	}
	b := chunk[1:]
	switch chunk[0] {
	case chunkPlain:
	case chunkS2:
		n, err := s2.DecodedLen(b)
		if err != nil || n > maxChunk {
			return errChunk
		}
		if b, err = s2.Decode(nil, b); err != nil {
			return fmt.Errorf("%w: %w", errChunk, err)
		}
	default:
		return fmt.Errorf("chunk of version %d: %w", chunk[0], hot.ErrNewer)
	}
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return errChunk
		}
		if !fn(b[size : size+int(n)]) {
			return nil
		}
		b = b[size+int(n):]
	}
	return nil
}

// chunkID takes the name of a stream's entry apart.
func chunkID(id string) (first, last uint64, err error) {
	l, c, ok := strings.Cut(id, "-")
	last, err1 := strconv.ParseUint(l, 10, 64)
	count, err2 := strconv.ParseUint(c, 10, 64)
	if !ok || err1 != nil || err2 != nil || count == 0 || count > last {
		return 0, 0, fmt.Errorf("entry %q: %w", id, errChunk)
	}
	return last - count + 1, last, nil
}
