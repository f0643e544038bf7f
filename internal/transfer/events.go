package transfer

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

var events = &table[weir.EventRow]{
	relation: relation{
		name: "events", at: "ts", order: "shard, seq, ts, id, received_at, name, method, route, status, latency_ms", count: "COUNT(*)",
		columns: schema.Names(eventColumns.all()),
	},
	scanner: scannerOf(eventColumns.all()),
	encode:  eventColumns.encoder(),
	put:     func(b *cold.Batch, r *weir.EventRow, _ int) { b.Events = append(b.Events, *r) },
	rows:    func(b *cold.Batch) []weir.EventRow { return b.Events },
	label:   func(r *weir.EventRow) string { return r.ID },
	time:    func(r *weir.EventRow) int64 { return r.Time.UnixMicro() },
	nameLen: func(r *weir.EventRow) int {
		if !cold.IsErasedID(r.ID) || weir.Person(r.ProfileID, r.DeviceID) != "" {
			return 0
		}
		return len(encoding{}.text(r.ID))
	},
	place: func(r *weir.EventRow) (int, uint64) { return r.Shard, r.Seq },
	person: func(r *weir.EventRow) uint64 {
		if p := weir.Person(r.ProfileID, r.DeviceID); p != "" {
			return presence(weir.Quarter(r.Time), p)
		}
		return 0
	},
}

// presence stands for a row of sightings.
func presence(quarter int32, person string) uint64 {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), uint32(quarter))
	return max(xxhash.Sum64(append(b, person...)), 1)
}

// The id is the first column, see table.nameLen.
var eventColumns = named(schema.Events.Stored(), "id", "shard", "seq")
