package transfer

import (
	"context"
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// visitColumns are the columns of a state but for its sign. When it was received and who
// else is in it are copied, but not compared: rows of earlier versions do not have them.
var visitColumns = named(schema.Without(schema.Visits.Columns, "sign", "received_at", "beside"), "device_id", "session_id", "version", "start_at")

var encodeVisit = visitColumns.encoder()

// states are the states that are not cancelled: one engine merges a state with its
// cancellation away, another keeps both. A cancellation without its state is read
// with n below 0.
var states = relation{
	name: "visits", at: "start_at", count: "CAST(SUM(sign) AS BIGINT)",
	columns: schema.Names(visitColumns.all()) + ", MAX(received_at) AS received, COALESCE(MAX(beside), '') AS others, CAST(SUM(sign) AS BIGINT) AS n",
	group:   " GROUP BY " + schema.Names(visitColumns.all()) + " HAVING SUM(sign) <> 0",
	order:   "device_id, session_id, version, start_at",
}

var visits = &table[weir.VisitRow]{
	relation: states,
	scanner:  visitScanner,
	encode:   encodeVisit,
	put: func(b *cold.Batch, v *weir.VisitRow, n int) {
		v.Sign = 1
		if n < 0 {
			v.Sign, n = -1, -n
		}
		for range n {
			b.Visits = append(b.Visits, *v)
		}
	},
	rows:           func(b *cold.Batch) []weir.VisitRow { return b.Visits },
	label:          func(v *weir.VisitRow) string { return fmt.Sprintf("%s of %s", v.SessionID, v.DeviceID) },
	findSuccessors: visitSuccessors,
}

// visitScanner makes a function that reads the columns of states.
func visitScanner() func(scan func(...any) error, v *weir.VisitRow) (n int, err error) {
	read := schema.Scanner(append(visitColumns.all(), schema.Visits.Only("received_at", "beside")...))
	return func(scan func(...any) error, v *weir.VisitRow) (n int, err error) {
		err = read(scan, v, &n)
		return n, err
	}
}

// successors are other states of the same visits as some that the destination lacks.
type successors struct {
	// superseded says for each state whether the destination has a later one, which
	// cancelled it: a server continued the visit there.
	superseded []bool
	// stale are the earlier states in the destination that have to be cancelled, by the
	// index of the state that replaces them: the source continued the visit after an
	// earlier run.
	stale map[int][]weir.VisitRow
}

// visitSuccessors looks in the destination for other states of the visits of some rows. A
// later state covers the time of an earlier one. Another visit with the same name, which
// begins again at version 1, does not. A state is also later if its former session ids have the
// session id of the earlier state.
func visitSuccessors(ctx context.Context, r *run, rows []weir.VisitRow) (successors, error) {
	out := successors{superseded: make([]bool, len(rows)), stale: map[int][]weir.VisitRow{}}
	const most = 200 // devices that are asked for at once
	for begin := 0; begin < len(rows); begin += most {
		some := rows[begin:min(begin+most, len(rows))]
		found, err := statesOf(ctx, r.to, some)
		if err != nil {
			return successors{}, fmt.Errorf("look for other states of visits: %w", err)
		}
		for i := range some {
			v := &some[i]
			for _, s := range found.states[visitName{v.DeviceID, v.SessionID}] {
				switch {
				case s.Version > v.Version && covers(&s, v):
					out.superseded[begin+i] = true
				case s.Version < v.Version && covers(v, &s):
					out.stale[begin+i] = append(out.stale[begin+i], s)
				}
			}
			for former := range strings.FieldsSeq(v.Formerly) {
				for _, s := range found.states[visitName{v.DeviceID, former}] {
					if covers(v, &s) {
						out.stale[begin+i] = append(out.stale[begin+i], s)
					}
				}
			}
			for _, s := range found.into[visitName{v.DeviceID, v.SessionID}] {
				out.superseded[begin+i] = out.superseded[begin+i] || covers(&s, v)
			}
		}
	}
	return out, nil
}

type visitName struct{ device, session string }

// foundStates are states by the name of their visit, and by each former one.
type foundStates struct{ states, into map[visitName][]weir.VisitRow }

func covers(v, w *weir.VisitRow) bool { return !v.Start.After(w.Start) && !v.End.Before(w.End) }

// longest is how much earlier than a state another of the same visit may begin. A
// visit is a day long at most, unless its SDK keeps the name.
const longest = 7 * 24 * time.Hour

// statesOf are the states, not cancelled, of all visits with the names of some of
// one project.
func statesOf(ctx context.Context, from cold.Reader, some []weir.VisitRow) (foundStates, error) {
	w := window{some[0].Start.UnixMicro(), some[0].End.UnixMicro()}
	devices := make([]any, len(some))
	for i := range some {
		w.from, w.to = min(w.from, some[i].Start.UnixMicro()), max(w.to, some[i].End.UnixMicro())
		devices[i] = some[i].DeviceID
	}
	w.from, w.to = w.from-longest.Microseconds(), w.to+1
	var q strings.Builder
	fmt.Fprintf(&q, "SELECT %s FROM visits%s AND device_id IN (%s)%s", states.columns, states.where(from.Dialect()), places(len(some)), states.group)
	out := foundStates{states: map[visitName][]weir.VisitRow{}, into: map[visitName][]weir.VisitRow{}}
	scan := visitScanner()
	rows, err := from.Query(ctx, q.String(), append(states.args(some[0].ProjectID, w), devices...)...)
	if err != nil {
		return foundStates{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var v weir.VisitRow
		n, err := scan(rows.Scan, &v)
		if err != nil {
			return foundStates{}, err
		}
		if n > 0 {
			name := visitName{v.DeviceID, v.SessionID}
			out.states[name] = append(out.states[name], v)
			for former := range strings.FieldsSeq(v.Formerly) {
				name.session = former
				out.into[name] = append(out.into[name], v)
			}
		}
	}
	return out, rows.Err()
}
