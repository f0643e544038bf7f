package cold

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Visit names a visit of a project.
type Visit struct{ DeviceID, SessionID string }

// visitMark is what the mark of a visit begins with; a hash follows.
const visitMark = "v"

// HashOfVisit is what the mark of a visit has in place of a person.
func HashOfVisit(project string, v Visit) string {
	return visitMark + HashOf(project, v.DeviceID+"\x00"+v.SessionID)
}

// HashOfVisitIn is HashOfVisit in SQL, of a row of events or visits. Its one argument is the project.
func HashOfVisitIn(d Dialect) string {
	return "CONCAT('" + visitMark + "', " + d.SHA256("CONCAT(?, "+d.Zero()+", device_id, "+d.Zero()+", session_id)") + ")"
}

// SharedAfter is how long after its time an erasure may be unknown to a drain: until its
// mark is stored. What others sent in that time may have taken something from the person.
const SharedAfter = time.Minute

// Share adds to e.Visits the visits that the person shared with others, according to the events
// received before e.At + SharedAfter. A visit that was merged from others is added under each
// session id that its events have. since returns the time of an earlier erasure of a person (as
// weir.Person returns it), because events from before it may still be there. since may be nil.
func (e *Erasure) Share(ctx context.Context, query ask, events, visits string, d Dialect, since func(person string) time.Time) error {
	known := map[Visit]bool{}
	for _, v := range e.Visits {
		known[v] = true
	}
	add := func(v Visit) {
		if !known[v] {
			known[v] = true
			e.Visits = append(e.Visits, v)
		}
	}
	for _, p := range e.Parts(d) {
		if p.Table != "events" {
			continue
		}
		merged := " FROM " + visits + " WHERE project_id = ? AND formerly <> '' AND device_id " + d.InQuery() + " (SELECT device_id FROM " + events + " WHERE " + p.Where + ")"
		mergedArgs := append([]any{e.ProjectID}, p.Args...)
		into := families{}
		if err := into.read(ctx, query, "SELECT DISTINCT device_id, session_id, formerly"+merged, mergedArgs); err != nil {
			return err
		}
		var last Visit
		var alone company
		of := map[Visit]*company{} // of merged visits
		q := "SELECT device_id, session_id, profile_id, MIN(" + d.Micros("received_at") + "), MAX(" + d.Micros("received_at") + ") FROM " + events +
			" WHERE project_id = ? AND device_id <> '' AND session_id <> '' AND received_at < " + d.Time("?") +
			" AND (device_id, session_id) " + d.InQuery() + " (SELECT device_id, session_id FROM " + events + " WHERE " + p.Where +
			" UNION ALL SELECT device_id, session_id" + merged + " UNION ALL SELECT device_id, " + d.Words("formerly") + merged + ")" +
			" GROUP BY device_id, session_id, profile_id ORDER BY device_id, session_id"
		args := slices.Concat([]any{e.ProjectID, e.At.Add(SharedAfter).UnixMicro()}, p.Args, mergedArgs, mergedArgs)
		err := scan(ctx, query, q, args, func(rows *sql.Rows) error {
			var v Visit
			var profile string
			var first, us int64
			if err := rows.Scan(&v.DeviceID, &v.SessionID, &profile, &first, &us); err != nil {
				return err
			}
			if v != last {
				last, alone = v, company{}
			}
			c := &alone
			if to := into.visit(v); into.has[to] {
				if of[to] == nil {
					of[to] = &company{}
				}
				c = of[to]
			}
			switch {
			case !e.own(profile, v.DeviceID):
				c.others = true
			case first >= e.At.UnixMicro(): // a new past
			case since == nil || !time.UnixMicro(us).Before(since(weir.Person(profile, v.DeviceID))):
				c.own = true
			}
			if alone.own && alone.others {
				add(v)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, v := range into.names {
			if c := of[into.visit(v)]; c != nil && c.own && c.others {
				add(v)
			}
		}
	}
	return nil
}

// company says whether a visit has events of the person (own) and of others.
type company struct{ own, others bool }

// families are the visits that were merged from others, or that got their name later.
type families struct {
	into  map[Visit]Visit // by a former session id
	has   map[Visit]bool  // the visits
	names []Visit         // by each session id that their events have, each once
}

// read reads rows of (device_id, session_id, formerly).
func (f *families) read(ctx context.Context, query ask, q string, args []any) error {
	f.into, f.has = map[Visit]Visit{}, map[Visit]bool{}
	err := scan(ctx, query, q, args, func(rows *sql.Rows) error {
		var v Visit
		var former string
		if err := rows.Scan(&v.DeviceID, &v.SessionID, &former); err != nil {
			return err
		}
		f.has[v] = true
		f.names = append(f.names, v)
		for id := range strings.FieldsSeq(former) {
			f.into[Visit{v.DeviceID, id}] = v
			f.names = append(f.names, Visit{v.DeviceID, id})
		}
		return nil
	})
	slices.SortFunc(f.names, func(v, w Visit) int {
		return cmp.Or(cmp.Compare(v.DeviceID, w.DeviceID), cmp.Compare(v.SessionID, w.SessionID))
	})
	f.names = slices.Compact(f.names)
	return err
}

// visit returns the visit that has the events with a session id.
func (f *families) visit(v Visit) Visit {
	for range f.into { // an earlier state may name one that was merged later
		to, ok := f.into[v]
		if !ok {
			break
		}
		v = to
	}
	return v
}

// sharedAtOnce is how many visits one statement names.
const sharedAtOnce = 100

// SharedParts returns the rows of e.Visits to change: first the events that got something from
// another event, which is removed; then the visits, which are deleted. These are the visits
// whose persons are unknown; Parts returns the others.
func (e *Erasure) SharedParts(d Dialect) []Part {
	var parts []Part
	for some := range slices.Chunk(e.Visits, sharedAtOnce) {
		which := " AND (" + anyOf("device_id = ? AND session_id = ?", len(some)) + ")"
		events := Part{
			"events", "project_id = ? AND received_at < " + d.Time("?") + " AND " + Inherits + which,
			[]any{e.ProjectID, e.At.Add(SharedAfter).UnixMicro()},
		}
		visits := Part{
			"visits", "project_id = ? AND " + e.before(d, "start_at") + " AND (received_at IS NULL OR " + d.Contains("beside", "?") + ")" + which,
			[]any{e.ProjectID, e.At.UnixMicro(), "\n" + weir.BesideCrowd + "\n"},
		}
		for _, v := range some {
			events.Args, visits.Args = append(events.Args, v.DeviceID, v.SessionID), append(visits.Args, v.DeviceID, v.SessionID)
		}
		parts = append(parts, events, visits)
	}
	return parts
}

// Unshared are the assignments that remove from an event what it got from another event of its
// visit. unshare is the same in Go.
const Unshared = "path = CASE WHEN inherited_from <> '' THEN '' ELSE path END, origin = CASE WHEN inherited_from <> '' THEN '' ELSE origin END, " +
	"inherited_from = '', closes_event_id = '', closes_path = '', closes_ms = 0, replaces_ms = NULL, rest_ms = NULL"

// Inherits is the condition that an event has something from another event of its visit.
const Inherits = "(inherited_from <> '' OR closes_event_id <> '' OR rest_ms IS NOT NULL)"

func unshare(r *weir.EventRow) {
	if r.InheritedFrom != "" {
		r.Path, r.Origin = "", ""
	}
	r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS = "", "", "", 0
	r.ReplacesMS, r.RestMS = weir.Number{}, weir.Number{}
}

// shared says whether a visit has a mark, and what was received at a time was so before it.
func (m Erased) shared(project, device, session string, at time.Time) bool {
	return session != "" && at.Before(m.Last(project)) && at.Before(m[[2]string{project, HashOfVisit(project, Visit{device, session})}])
}

// unshares does to an event what SharedParts are for.
func (m Erased) unshares(r *weir.EventRow) {
	if (r.InheritedFrom != "" || r.ClosesEventID != "" || r.RestMS.Known) && m.shared(r.ProjectID, r.DeviceID, r.SessionID, r.ReceivedAt.Add(-SharedAfter)) {
		unshare(r)
	}
}

// sharedVisit says whether a visit is one of SharedParts.
func (m Erased) sharedVisit(v *weir.VisitRow) bool {
	return (v.ReceivedAt.IsZero() || v.Beside.Has(weir.BesideCrowd)) && m.shared(v.ProjectID, v.DeviceID, v.SessionID, received(v.ReceivedAt, v.Start))
}

func scan(ctx context.Context, query ask, q string, args []any, f func(*sql.Rows) error) error {
	rows, err := query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
