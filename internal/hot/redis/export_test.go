package redis

import (
	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// What reads bytes that come from Redis, for the fuzz tests.
var (
	AppendRecord = appendRecord
	AppendChunk  = appendChunk
	Records      = records
	ChunkID      = chunkID
	ParseIntent  = parseIntent
	FormatIntent = formatIntent
)

// MaxChunk is the largest chunk that is unpacked, in bytes.
const MaxChunk = maxChunk

// Unpack unpacks an entry of a shard's stream.
func Unpack(id string, chunk []byte, next uint64, limit int) ([]hot.Record, error) {
	r := reading{next: next, left: hot.Limit{Events: limit}.WithDefaults()}
	err := r.unpack(rueidis.XRangeEntry{ID: id, FieldValues: map[string]string{"r": string(chunk)}})
	return r.out, err
}

// Queued returns how many pieces wait for the shard's call that is under way.
func Queued(s *Store, shard int) int { return len(s.writers[shard].queue) }
