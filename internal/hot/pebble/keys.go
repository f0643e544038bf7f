package pebble

import (
	"encoding/binary"

	"github.com/weir-analytics/weir/internal/hot"
)

// The first byte of a key says what it is. Numbers are big-endian, so that keys
// sort by them; a project id is followed by a zero byte, which ids never hold.
const (
	tagMeta       = 'm' // → format, shards, id; 'w' → window of duplicates; 'g' → generation of ids; 'h' → horizon of sweeps; 'c', project → last step of a correction
	tagShard      = 'h' // shard, field → lease, intent or committed seq
	tagLog        = 'l' // shard, seq → record
	tagState      = 's' // shard, key → drain state
	tagDedup      = 'd' // generation, DedupID → nothing
	tagCount      = 'c' // project, grain, start, dimension, member → count
	tagUnique     = 'u' // project, grain, start, register → rank
	tagSeen       = 'v' // half hour, device → last event, project
	tagDevice     = 'p' // of format 1, and deleted at the start
	tagRecent     = 'r' // last events of each project, of an earlier build, and deleted at the start
	fieldLease    = 'l'
	fieldIntent   = 'i'
	fieldProgress = 'c'
)

func stepKey(project string) []byte { return append([]byte{tagMeta, 'c'}, project...) }

func shardKey(shard int, field byte) []byte {
	return []byte{tagShard, byte(shard >> 8), byte(shard), field}
}

func logKey(b []byte, shard int, seq uint64) []byte {
	b = append(b, tagLog, byte(shard>>8), byte(shard))
	return binary.BigEndian.AppendUint64(b, seq)
}

func stateKey(shard int, key string) []byte {
	return append([]byte{tagState, byte(shard >> 8), byte(shard)}, key...)
}

func dedupKey(b []byte, generation uint32, id [16]byte) []byte {
	b = append(b, tagDedup)
	b = binary.BigEndian.AppendUint32(b, generation)
	return append(b, id[:]...)
}

func projectKey(b []byte, tag byte, project string) []byte {
	b = append(b, tag)
	b = append(b, project...)
	return append(b, 0)
}

// bucketKey begins the keys of a counter's or a unique's bucket. Starts before
// 1970 cannot occur: such buckets are long past being kept.
func bucketKey(b []byte, tag byte, project string, g hot.Grain, start int64) []byte {
	b = projectKey(b, tag, project)
	b = append(b, byte(g))
	return binary.BigEndian.AppendUint64(b, uint64(start))
}

func countKey(b []byte, c counter) []byte {
	b = bucketKey(b, tagCount, c.project, c.Grain, c.Start)
	b = append(b, byte(c.Dimension))
	return append(b, c.Member...)
}

// after returns the least key greater than all that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte{}, prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
