package redis

import (
	"strconv"

	"github.com/weir-analytics/weir/internal/hot"
)

// Names of keys. Those of a shard carry it as hash tag, {w3}, so that a Redis
// Cluster holds them in one place and a script may touch them in one step.
//
//	w:log                          what the log is: id, shards, window, format
//	w:roam:ID                      string: the shard that a roaming event of this id goes to, for some seconds
//	{w3}                           hash: head, committed, intent, lease, generation of ids, how often sketches were cleared
//	{w3}:log                       stream: chunks of records
//	{w3}:state                     hash: drain state by key
//	{w3}:GENERATION.SET            set: ids of a generation; numbers in base 36, since these keys are many
//	{w3}:live:PROJECT              sorted set: devices by time of the last event. See hot.BotsOf for the bots'
//	{w3}:step:PROJECT              hash: the last step of a correction
//	{w3}:at:PROJECT:GRAIN          sorted set: starts of buckets
//	{w3}:num:PROJECT:GRAIN:START   string: counts, see slots.go
//	{w3}:mem:PROJECT:GRAIN:START   sorted set: members by their slot in the counts
//	{w3}:uni:PROJECT:GRAIN:START   HyperLogLog: devices
type keys struct {
	log    string
	roam   string // begins the names of claims
	shards []string
}

func newKeys(prefix string, shards int) keys {
	k := keys{log: prefix + ":log", roam: prefix + ":roam:"}
	for i := range shards {
		k.shards = append(k.shards, "{"+prefix+strconv.Itoa(i)+"}")
	}
	return k
}

// claim names the claim of an id that roams. It has no hash tag: of shards it is of none.
func (k keys) claim(id [16]byte) string { return k.roam + string(id[:]) }

func (k keys) stream(shard int) string { return k.shards[shard] + ":log" }
func (k keys) state(shard int) string  { return k.shards[shard] + ":state" }
func (k keys) live(shard int, project string) string {
	return k.shards[shard] + ":live:" + project
}

func (k keys) step(shard int, project string) string {
	return k.shards[shard] + ":step:" + project
}

func (k keys) index(shard int, project string, g hot.Grain) string {
	return k.shards[shard] + ":at:" + project + ":" + string(g)
}

func (k keys) bucket(shard int, kind, project string, b hot.Bucket) string {
	return k.shards[shard] + kind + project + ":" + string(b.Grain) + ":" + strconv.FormatInt(b.Start, 10)
}

// Kinds of a bucket's keys.
const (
	kindCounts  = ":num:"
	kindMembers = ":mem:"
	kindUniques = ":uni:"
)

// ids begins the names of a generation's sets of ids.
func (k keys) ids(b []byte, shard int, generation int64) []byte {
	b = append(append(b, k.shards[shard]...), ':')
	return append(strconv.AppendInt(b, generation, 36), '.')
}

// idSet ends such a name.
func idSet(b []byte, set uint64) []byte { return strconv.AppendUint(b, set, 36) }
