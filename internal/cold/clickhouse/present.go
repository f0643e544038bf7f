package clickhouse

import (
	"context"
	"time"

	chgo "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// place is where an event stands. Its id is part of it: a Redis that failed over
// without its last events gives their seqs to others.
type place struct {
	seq uint64
	id  string
}

// presentEvents are the places of a batch's events that are in.
func (c *session) presentEvents(ctx context.Context, b *cold.Batch) (map[place]bool, error) {
	if len(b.Events) == 0 {
		return nil, nil
	}
	projects, from, to := span(b.Events)
	return c.places(ctx, "SELECT seq, id FROM events WHERE project_id IN wanted AND ts >= fromUnixTimestamp64Micro({from:Int64}) AND ts <= fromUnixTimestamp64Micro({to:Int64})"+
		" AND log = {log:String} AND shard = {shard:Int32} AND seq >= {first:UInt64} AND seq <= {last:UInt64}",
		b, projects, from, to)
}

// presentDead are the places of a batch's dead letters that are in, without ids.
func (c *session) presentDead(ctx context.Context, b *cold.Batch) (map[place]bool, error) {
	if len(b.Dead) == 0 {
		return nil, nil
	}
	var projects []string
	for _, d := range b.Dead {
		projects = append(projects, clean(d.ProjectID))
	}
	return c.places(ctx, "SELECT seq, '' AS id FROM dead_letters WHERE project_id IN wanted AND refused_at >= fromUnixTimestamp64Micro({from:Int64}) AND refused_at <= fromUnixTimestamp64Micro({to:Int64})"+
		" AND log = {log:String} AND shard = {shard:Int32} AND seq >= {first:UInt64} AND seq <= {last:UInt64}",
		b, projects, b.Now, b.Now)
}

func (c *session) places(ctx context.Context, q string, b *cold.Batch, projects []string, from, to time.Time) (map[place]bool, error) {
	var wanted proto.ColStr
	for _, p := range projects {
		wanted.Append(p)
	}
	out := map[place]bool{}
	var seqs proto.ColUInt64
	var ids proto.ColStr
	args := map[string]any{
		"from": from.UnixMicro(), "to": to.UnixMicro(), "log": b.Log, "shard": b.Shard, "first": b.First, "last": b.Last,
	}
	err := c.ask(ctx, q, args, []chgo.ExternalTable{{Name: "wanted", Data: []proto.InputColumn{{Name: "project_id", Data: &wanted}}}},
		proto.Results{{Name: "seq", Data: &seqs}, {Name: "id", Data: &ids}}, func() {
			for i, s := range seqs {
				out[place{s, ids.Row(i)}] = true
			}
		})
	return out, err
}

// kindOf returns a tally without its number of events.
func kindOf(t cold.Tally) cold.Tally {
	t.Events = 0
	return t
}

// presentTallies returns the kinds of the batch's tallies that the table has. Merges add up the
// tallies of one kind and shard, and keep the column batch of the last one. So the column is
// this batch's as long as no later batch of the shard is stored. Rows of versions before have no
// batch but its last seq. If Redis lost its tail, another batch may have the same last seq.
func (c *session) presentTallies(ctx context.Context, b *cold.Batch) (map[cold.Tally]bool, error) {
	if len(b.Events) == 0 {
		return nil, nil
	}
	projects, from, to := span(b.Events)
	var wanted proto.ColStr
	for _, p := range projects {
		wanted.Append(p)
	}
	out := map[cold.Tally]bool{}
	var project, name, method, route proto.ColStr
	var quarter proto.ColInt32
	var status proto.ColInt32
	var call proto.ColUInt8
	err := c.ask(ctx, "SELECT CAST(project_id, 'String') AS p, quarter AS q, CAST(name, 'String') AS n, isNotNull(method) AS c,"+
		" CAST(ifNull(method, ''), 'String') AS m, CAST(ifNull(route, ''), 'String') AS r, ifNull(status, 0) AS s FROM tallies"+
		" WHERE project_id IN wanted AND quarter >= {from:Int32} AND quarter <= {to:Int32} AND log = {log:String} AND shard = {shard:Int32} AND (batch = {batch:UInt64} OR batch = 0 AND last_seq = {last:UInt64})",
		map[string]any{
			"from": weir.Quarter(from), "to": weir.Quarter(to),
			"log": b.Log, "shard": b.Shard, "last": b.Last, "batch": batchID(b),
		},
		[]chgo.ExternalTable{{Name: "wanted", Data: []proto.InputColumn{{Name: "project_id", Data: &wanted}}}},
		proto.Results{
			{Name: "p", Data: &project},
			{Name: "q", Data: &quarter},
			{Name: "n", Data: &name},
			{Name: "c", Data: &call},
			{Name: "m", Data: &method},
			{Name: "r", Data: &route},
			{Name: "s", Data: &status},
		}, func() {
			for i := range quarter.Rows() {
				out[cold.Tally{
					ProjectID: project.Row(i), Quarter: quarter.Row(i), Name: name.Row(i), Call: call.Row(i) == 1,
					Method: method.Row(i), Route: route.Row(i), Status: int(status.Row(i)),
				}] = true
			}
		})
	return out, err
}

// state names a state of a visit.
type state struct {
	project, device, session string
	version                  uint32
	start                    int64 // µs; a visit that its SDK names may come back under its name
}

func stateOf(v *weir.VisitRow) state {
	return state{clean(v.ProjectID), clean(v.DeviceID), clean(v.SessionID), v.Version, v.Start.UnixMicro()}
}

// found says which rows of a state of a visit the table has.
type found struct {
	added, taken bool  // by this batch: its rows of sign 1, of sign -1
	net          int64 // sum of the signs, whichever batches they are of
}

// states are the states of a batch that the table has.
type states map[state]found

// has says whether the i-th of the batch's rows is in.
//
// A row of sign 1 is in if the table has it: no merge takes it away before a later batch
// is in. One of sign -1 may have gone already, together with the row that it takes back.
// Then a new state of the same device shows that the row was in, if that state is in the same
// month: both came in one insert, and an insert is atomic within a month of a server. The new
// state stands behind the cancellation, see visit.Result. If a late event moved the visit's start
// into another month, the row is in if the row that it takes back is not there any more.
func (s states) has(rows []weir.VisitRow, i int) bool {
	v := &rows[i]
	own := s[stateOf(v)]
	if v.Sign > 0 {
		return own.added
	}
	if own.taken {
		return true
	}
	for i++; i < len(rows) && rows[i].ProjectID == v.ProjectID && rows[i].DeviceID == v.DeviceID; i++ {
		if n := &rows[i]; n.Sign > 0 && sameMonth(n.Start, v.Start) {
			return s[stateOf(n)].added
		}
	}
	return own.net <= 0
}

// sameMonth says whether rows of both times are in one partition.
func sameMonth(a, b time.Time) bool {
	a, b = a.UTC(), b.UTC()
	return a.Year() == b.Year() && a.Month() == b.Month()
}

// presentVisits is what is in of the batch's states of visits.
func (c *session) presentVisits(ctx context.Context, b *cold.Batch) (states, error) {
	if len(b.Visits) == 0 {
		return nil, nil
	}
	var project, device, session proto.ColStr
	var from, to time.Time
	for i := range b.Visits {
		v := &b.Visits[i]
		s := stateOf(v)
		project.Append(s.project)
		device.Append(s.device)
		session.Append(s.session)
		if i == 0 || v.Start.Before(from) {
			from = v.Start
		}
		if i == 0 || v.Start.After(to) {
			to = v.Start
		}
	}
	wanted := []chgo.ExternalTable{{Name: "wanted", Data: []proto.InputColumn{
		{Name: "project_id", Data: &project}, {Name: "device_id", Data: &device}, {Name: "session_id", Data: &session},
	}}}
	out := states{}
	var projects, devices, sessions proto.ColStr
	var versions proto.ColUInt32
	var starts proto.ColInt64
	var added, taken proto.ColUInt8
	var nets proto.ColInt64
	err := c.ask(ctx, "SELECT CAST(project_id, 'String') AS project, device_id, session_id, version, toUnixTimestamp64Micro(start_at) AS start,"+
		" max(sign = 1 AND batch IN ({batch:UInt64}, 0)) AS added, max(sign = -1 AND batch IN ({batch:UInt64}, 0)) AS taken, toInt64(sum(sign)) AS net FROM visits"+
		" WHERE start_at >= fromUnixTimestamp64Micro({from:Int64}) AND start_at <= fromUnixTimestamp64Micro({to:Int64})"+
		" AND (CAST(project_id, 'String'), device_id, session_id) IN wanted GROUP BY project, device_id, session_id, version, start",
		map[string]any{"from": from.UnixMicro(), "to": to.UnixMicro(), "batch": batchID(b)}, wanted,
		proto.Results{
			{Name: "project", Data: &projects},
			{Name: "device_id", Data: &devices},
			{Name: "session_id", Data: &sessions},
			{Name: "version", Data: &versions},
			{Name: "start", Data: &starts},
			{Name: "added", Data: &added},
			{Name: "taken", Data: &taken},
			{Name: "net", Data: &nets},
		},
		func() {
			for i := range versions.Rows() {
				out[state{projects.Row(i), devices.Row(i), sessions.Row(i), versions.Row(i), starts.Row(i)}] = found{
					added: added.Row(i) == 1, taken: taken.Row(i) == 1, net: nets.Row(i),
				}
			}
		})
	return out, err
}
