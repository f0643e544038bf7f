package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// marked is a person, or a visit that one shared with others, who has rows in a store.
type marked struct {
	person string
	visit  cold.Visit // if person is ""
	first  time.Time  // when the first of the rows was received
}

// erasures returns what is to be erased of persons and visits by hash: once for each
// moment of a mark after which there can be something, the earliest first. Who was erased
// twice shared some visits before the first time, and others since.
func (e *erased) erasures(project string, there map[string]marked) []cold.Erasure {
	type moment struct {
		who  map[string]string // by person: who asked for it
		seen map[cold.Visit]bool
	}
	moments := map[int64]moment{}
	for _, m := range slices.Concat(e.mine, e.theirs) {
		found, ok := there[m.Person]
		if !ok || !found.first.Before(m.At) {
			continue
		}
		at, ok := moments[m.At.UnixMicro()]
		if !ok {
			at = moment{map[string]string{}, map[cold.Visit]bool{}}
			moments[m.At.UnixMicro()] = at
		}
		if found.person == "" {
			at.seen[found.visit] = true
		} else if by := at.who[found.person]; by == "" {
			at.who[found.person] = m.By
		}
	}
	var out []cold.Erasure
	for _, us := range slices.Sorted(maps.Keys(moments)) {
		at := moments[us]
		// Those of one moment are of one erasure, or as good as that.
		var some []cold.Erasure
		rest := cold.Erasure{}
		for _, p := range slices.Sorted(maps.Keys(at.who)) {
			switch by := at.who[p]; {
			case p[0] == 'd':
				rest.Devices = append(rest.Devices, p[1:])
			case by != "":
				some = append(some, cold.Erasure{ProfileID: p[1:], By: by})
			default:
				rest.Merged = append(rest.Merged, p[1:])
			}
		}
		switch {
		case len(some) > 0:
			some[0].Merged, some[0].Devices = rest.Merged, rest.Devices
		case len(rest.Merged) > 0:
			some = []cold.Erasure{{ProfileID: rest.Merged[0], Merged: rest.Merged[1:], Devices: rest.Devices}}
		default:
			some = []cold.Erasure{rest}
		}
		some[0].Visits = slices.Collect(maps.Keys(at.seen))
		for _, er := range some {
			er.ProjectID, er.At = project, time.UnixMicro(us).UTC()
			out = append(out, er)
		}
	}
	return out
}

// eraseMarked erases in the destination all persons that have a mark on either side. This
// may add marks of visits.
func (r *run) eraseMarked(ctx context.Context, project string) error {
	there, err := r.erasedIn(ctx, r.to, project)
	if err != nil {
		return fmt.Errorf("look for who was erased: %w", err)
	}
	for _, e := range r.erased[project].erasures(project, there) {
		if err := r.to.Erase(ctx, e); err != nil {
			return err
		}
	}
	for _, m := range there {
		if m.person != "" {
			r.report.Erased++
		}
	}
	_, err = r.refresh(ctx, project)
	return err
}

// hashesAtOnce is how many hashes a statement names, of 64 bytes each: ClickHouse limits
// how large one is.
const hashesAtOnce = 2000

// erasedIn returns, by hash, the persons and visits with rows in a store that are older than
// their mark on either side. A mark has only a hash, so the rows are hashed: by the engine,
// since a list of all persons would not fit into memory.
func (r *run) erasedIn(ctx context.Context, store cold.Reader, project string) (map[string]marked, error) {
	known := r.erased[project].known
	out := map[string]marked{}
	add := func(hash string, m marked) {
		if m.first.Before(known[[2]string{project, hash}]) {
			if old, ok := out[hash]; !ok || m.first.Before(old.first) {
				out[hash] = m
			}
		}
	}
	person := func(p string, first time.Time) { add(cold.HashOf(project, p), marked{person: p, first: first}) }
	var hashes []any
	for k := range known {
		if k[1] != "" {
			hashes = append(hashes, k[1])
		}
	}
	d := store.Dialect()
	latest := known.Last(project).UnixMicro()
	persons, args := personRows(d, project, latest)
	hash := d.SHA256("CONCAT(?, " + d.Zero() + ", who)")
	for some := range slices.Chunk(hashes, hashesAtOnce) {
		err := each(ctx, store, "SELECT who, MIN(us) FROM ("+persons+") AS persons WHERE who <> '' AND "+hash+" IN ("+places(len(some))+") GROUP BY who",
			slices.Concat(args, []any{project}, some), func(rows *sql.Rows) error {
				var p string
				var us int64
				err := rows.Scan(&p, &us)
				person(p, time.UnixMicro(us))
				return err
			})
		if err != nil {
			return nil, err
		}
		// Of visits only what an erasure would change.
		visits, args := "", []any(nil)
		for i, t := range [][3]string{
			{"events", d.Micros("received_at") + " - " + strconv.FormatInt(cold.SharedAfter.Microseconds(), 10), cold.Inherits},
			{"visits", d.Micros("COALESCE(received_at, start_at)"), "(received_at IS NULL OR " + d.Contains("beside", "?") + ")"},
		} {
			if i > 0 {
				visits += " UNION ALL "
			}
			visits += "SELECT device_id, session_id, " + t[1] + " AS us FROM " + t[0] + " WHERE project_id = ? AND session_id <> '' AND " + t[1] + " < ? AND " + t[2]
			args = append(args, project, latest)
		}
		args = append(args, "\n"+weir.BesideCrowd+"\n", project)
		err = each(ctx, store, "SELECT device_id, session_id, MIN(us) FROM ("+visits+") AS shared WHERE "+cold.HashOfVisitIn(d)+" IN ("+places(len(some))+") GROUP BY device_id, session_id",
			append(args, some...), func(rows *sql.Rows) error {
				var m marked
				var us int64
				err := rows.Scan(&m.visit.DeviceID, &m.visit.SessionID, &us)
				m.first = time.UnixMicro(us)
				add(cold.HashOfVisit(project, m.visit), m)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	err := each(ctx, store, "SELECT device_id, beside, MIN("+d.Micros("COALESCE(received_at, start_at)")+") FROM visits WHERE project_id = ? AND beside <> '' GROUP BY device_id, beside", []any{project}, func(rows *sql.Rows) error {
		var device string
		var beside weir.Beside
		var us int64
		err := rows.Scan(&device, &beside, &us)
		for _, p := range beside.Profiles() {
			person("u"+p, time.UnixMicro(us))
		}
		if beside.Has(weir.BesideAnonymous) {
			person("d"+device, time.UnixMicro(us))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, each(ctx, store, "SELECT event FROM dead_letters WHERE project_id = ?", []any{project}, func(rows *sql.Rows) error {
		var event []byte
		if err := rows.Scan(&event); err != nil {
			return err
		}
		who := cold.OwnerOf(event)
		if p := who.Person(); p != "" {
			person(p, who.ReceivedAt)
		}
		for _, p := range who.Named() {
			person("u"+p, who.ReceivedAt)
		}
		return nil
	})
}

// personRows selects who stands in the rows that were received before a time, and when
// each row was received.
func personRows(d cold.Dialect, project string, before int64) (query string, args []any) {
	var parts []string
	for _, t := range [][3]string{
		{"events", "person", "received_at"},
		{"events", "CASE WHEN consumer <> '' THEN CONCAT('u', consumer) ELSE '' END", "received_at"},
		{"visits", "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) ELSE CONCAT('d', device_id) END", "COALESCE(received_at, start_at)"},
		{"traits", "CONCAT('u', profile_id)", "COALESCE(received_at, changed_at)"},
		{"identities", "CONCAT('u', CASE WHEN profile_id <> '' THEN profile_id ELSE device_id END)", "COALESCE(received_at, linked_at)"},
		{"aliases", "CONCAT('u', profile_id)", "COALESCE(received_at, linked_at)"},
		{"aliases", "CONCAT('u', alias)", "COALESCE(received_at, linked_at)"},
	} {
		parts = append(parts, "SELECT "+t[1]+" AS who, "+d.Micros(t[2])+" AS us FROM "+t[0]+" WHERE project_id = ? AND "+t[2]+" < "+d.Time("?"))
		args = append(args, project, before)
	}
	return strings.Join(parts, " UNION ALL "), args
}
