package deletion

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
	"github.com/weir-analytics/weir/internal/visit"
)

const (
	// devicesAtOnce is how many devices are folded at once.
	devicesAtOnce = 200
	// idsAtOnce is how many session ids a statement names.
	idsAtOnce = 1000
	// foldedAtOnce is how many events are in memory at once.
	foldedAtOnce = 2000
)

// refold folds the events that are left of each visit with a deleted event, devices by devices.
// States of visits are written first, and events are changed then. So if it is repeated, it finds
// all events of a visit by the visits that are stored.
func (c *Cold) refold(ctx context.Context) error {
	erased, err := c.Store.Erased(ctx, cold.Earliest)
	if err != nil {
		return err
	}
	return c.texts(ctx, "device_id", "session_id <> ''", devicesAtOnce, func(names []string) error {
		touched, err := c.touched(ctx, names)
		if err != nil {
			return err
		}
		states, err := c.states(ctx, names)
		if err != nil {
			return err
		}
		g := group{Cold: c, devices: map[string]*device{}}
		folder := visit.Folder{LogID: "refold", Erased: erased.MayBeIn}
		for _, name := range names {
			d := newDevice(c, name, folder, states[name], touched[name])
			g.devices[name] = d
		}
		return g.refold(ctx)
	})
}

// places are the session ids of a device's deleted events, and the quarters of an hour that these
// events are in.
type places struct {
	sessions map[string]bool
	quarters map[int32]bool
}

func (c *Cold) touched(ctx context.Context, devices []string) (map[string]places, error) {
	list, ids := in(devices)
	out := map[string]places{}
	for _, d := range devices {
		out[d] = places{map[string]bool{}, map[int32]bool{}}
	}
	q := "SELECT DISTINCT device_id, session_id, quarter FROM deleted_events WHERE " + ofDeletion + " AND session_id <> '' AND device_id IN " + list
	return out, c.each(ctx, q, append(c.ids(), ids...), func(r *sql.Rows) error {
		var device, session string
		var quarter int32
		err := r.Scan(&device, &session, &quarter)
		if err == nil {
			out[device].sessions[session], out[device].quarters[quarter] = true, true
		}
		return err
	})
}

// states returns the states of the devices' visits, without those that are cancelled, by start.
func (c *Cold) states(ctx context.Context, devices []string) (map[string][]weir.VisitRow, error) {
	columns := schema.Without(schema.Visits.Columns, "sign")
	list, ids := in(devices)
	read := schema.Scanner(columns)
	out := map[string][]weir.VisitRow{}
	q := "SELECT " + schema.Names(columns) + ", CAST(SUM(sign) AS BIGINT) AS n FROM visits WHERE project_id = ? AND device_id IN " + list +
		" GROUP BY " + schema.Names(columns) + " HAVING SUM(sign) > 0 ORDER BY start_at, session_id, version"
	return out, c.each(ctx, q, append([]any{c.ProjectID}, ids...), func(r *sql.Rows) error {
		var v weir.VisitRow
		var n int64
		if err := read(r.Scan, &v, &n); err != nil {
			return err
		}
		for range n {
			out[v.DeviceID] = append(out[v.DeviceID], v)
		}
		return nil
	})
}

// group is the devices that are folded at once.
type group struct {
	*Cold
	devices map[string]*device
}

func (g *group) refold(ctx context.Context) error {
	changes := false
	err := g.fold(ctx, func(rows []weir.EventRow) error {
		changes = changes || len(rows) > 0
		return nil
	})
	if err != nil {
		return err
	}
	var b cold.Batch
	stale := parts{table: "visits"}
	for _, name := range slices.Sorted(maps.Keys(g.devices)) {
		b.Visits = append(b.Visits, g.devices[name].states(&stale)...)
	}
	if len(b.Visits) > 0 {
		if err := g.write(ctx, &b); err != nil {
			return err
		}
	}
	// Cancelled states are deleted too: answers take the source of a visit from the state that
	// begins first, and that may be the state of a deleted event.
	if err := g.Store.DeleteRows(ctx, stale.of(g.ProjectID)...); err != nil || !changes {
		return err
	}
	var rows []weir.EventRow
	err = g.fold(ctx, func(changed []weir.EventRow) error {
		rows = append(rows, changed...)
		for len(rows) >= cold.MaxRefolded {
			if err := g.Store.Refold(ctx, rows[:cold.MaxRefolded]); err != nil {
				return err
			}
			rows = slices.Clone(rows[cold.MaxRefolded:])
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	return g.Store.Refold(ctx, rows)
}

// fold reads the events of the devices' chosen visits by device and time, folds them, and calls
// changed with those that the fold changes, as they are to be.
func (g *group) fold(ctx context.Context, changed func([]weir.EventRow) error) error {
	var names []string
	sessions := map[string]bool{}
	var from, to time.Time
	for name, d := range g.devices {
		d.begin()
		if len(d.visits) == 0 {
			continue
		}
		names = append(names, name)
		for id := range d.canonical {
			sessions[id] = true
		}
		for i := range d.visits {
			v := &d.visits[i]
			if from.IsZero() || v.Start.Before(from) {
				from = v.Start
			}
			if v.End.After(to) {
				to = v.End
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	at := g.Store.Dialect().Time("?")
	list, ids := in(names)
	where := "project_id = ? AND quarter >= ? AND quarter <= ? AND device_id IN " + list
	args := append([]any{g.ProjectID, int64(weir.Quarter(from)), int64(weir.Quarter(to))}, ids...)
	if len(sessions) <= idsAtOnce {
		list, ids := in(slices.Sorted(maps.Keys(sessions)))
		where, args = where+" AND session_id IN "+list, append(args, ids...)
	}
	columns := schema.Events.Stored()
	q, bound := where, args
	for {
		read := schema.Scanner(columns)
		var rows []weir.EventRow
		err := g.each(ctx, "SELECT "+schema.Names(columns)+" FROM events WHERE "+q+fmt.Sprintf(" ORDER BY device_id, ts, shard, seq, id LIMIT %d", foldedAtOnce), bound, func(r *sql.Rows) error {
			rows = append(rows, weir.EventRow{})
			return read(r.Scan, &rows[len(rows)-1])
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		last := &rows[len(rows)-1]
		q = where + " AND device_id >= ? AND (device_id > ? OR ts > " + at + " OR ts = " + at + " AND (shard > ? OR shard = ? AND (seq > ? OR seq = ? AND id > ?)))"
		us := last.Time.UnixMicro()
		bound = append(slices.Clone(args), last.DeviceID, last.DeviceID, us, us, last.Shard, last.Shard, last.Seq, last.Seq, last.ID)
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].DeviceID == rows[0].DeviceID {
				n++
			}
			some := g.devices[rows[0].DeviceID].fold(slices.Clone(rows[:n]))
			if err := changed(some); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
}
