package transfer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/weir-analytics/weir/internal/cold"
)

// erased holds a project's marks of erasures.
type erased struct {
	mine   []cold.Mark // the source's
	theirs []cold.Mark // the destination's, when they were read last
	known  cold.Erased // of both
}

// name returns a hash of who was erased when, or "" if nobody was.
func (e *erased) name() string {
	if len(e.known) == 0 {
		return ""
	}
	h := xxhash.New()
	for _, k := range slices.SortedFunc(maps.Keys(e.known), func(a, b [2]string) int { return cmp.Compare(a[1], b[1]) }) {
		_, _ = fmt.Fprintln(h, k[1], e.known[k].UnixMicro())
	}
	return fmt.Sprintf("-%016x", h.Sum64())
}

// missing returns the source's marks that the destination does not have.
func (e *erased) missing() []cold.Mark {
	type key struct {
		person string
		us     int64
	}
	there := map[key]bool{}
	for _, m := range e.theirs {
		there[key{m.Person, m.At.UnixMicro()}] = true
	}
	var out []cold.Mark
	for _, m := range e.mine {
		if !there[key{m.Person, m.At.UnixMicro()}] {
			out = append(out, m)
		}
	}
	return out
}

// applyMarks copies the source's marks to the destination and erases there whom they
// name. This comes before any row: a log that still waits in front of the destination
// must not bring an erased person back later. The source is not changed. Its rows are
// read as if it had the destination's marks: see source.
func (r *run) applyMarks(ctx context.Context, project string) error {
	mine, err := marksIn(ctx, r.from, project)
	if err != nil {
		return err
	}
	r.erased[project] = &erased{mine: mine}
	if _, err := r.refresh(ctx, project); err != nil {
		return err
	}
	e := r.erased[project]
	if missing := e.missing(); len(missing) > 0 {
		b := &cold.Batch{Shard: noShard, Now: r.o.Clock.Now(), Marks: missing}
		h := xxhash.New()
		for _, m := range missing {
			_, _ = fmt.Fprintln(h, m.Person, m.At.UnixMicro())
		}
		b.Token = fmt.Sprintf("migrate/%s/erasures/%016x/%d", url.PathEscape(project), h.Sum64(), len(e.theirs))
		b.Log = logOf(b.Token)
		if err := r.to.Write(ctx, b); err != nil {
			return err
		}
		e.theirs = append(e.theirs, missing...)
	}
	if len(e.known) == 0 {
		return nil
	}
	token := markErased + url.PathEscape(project) + "/" + e.name()
	done, err := count(ctx, r.to, "SELECT COUNT(*) FROM batches WHERE token = ?", token)
	if err != nil || done > 0 && !r.o.Recheck {
		return err
	}
	if err := r.eraseMarked(ctx, project); err != nil {
		return err
	}
	return r.to.Write(context.WithoutCancel(ctx), &cold.Batch{Token: token, Log: "migrate", Shard: noShard, Now: r.o.Clock.Now(), Again: true})
}

// refresh reads the destination's marks again and returns whether the set changed.
func (r *run) refresh(ctx context.Context, project string) (changed bool, err error) {
	theirs, err := marksIn(ctx, r.to, project)
	if err != nil {
		return false, err
	}
	old := r.erased[project]
	now := &erased{mine: old.mine, theirs: theirs, known: cold.Erased{}}
	now.known.Add(now.mine...)
	now.known.Add(theirs...)
	r.erased[project] = now
	return now.name() != old.name(), nil
}

func marksIn(ctx context.Context, from cold.Reader, project string) ([]cold.Mark, error) {
	var out []cold.Mark
	err := each(ctx, from, "SELECT DISTINCT project_id, person, erased_at, erased_by FROM erasures WHERE project_id = ? ORDER BY erased_at, person, erased_by", []any{project}, func(rows *sql.Rows) error {
		var m cold.Mark
		if err := rows.Scan(&m.ProjectID, &m.Person, &m.At, &m.By); err != nil {
			return err
		}
		m.At = m.At.UTC()
		out = append(out, m)
		return nil
	})
	return out, err
}

// marked returns the number of a store's marks by project.
func marked(ctx context.Context, from cold.Reader, projects []string) (map[string]int64, error) {
	out := map[string]int64{}
	where, args := among(projects)
	err := each(ctx, from, "SELECT project_id, COUNT(*) FROM (SELECT DISTINCT project_id, person, erased_at FROM erasures"+where+") AS marks GROUP BY project_id", args, func(rows *sql.Rows) error {
		var p string
		var n int64
		err := rows.Scan(&p, &n)
		out[p] = n
		return err
	})
	return out, err
}

// eraseMarked erases in the destination all persons that have a mark on either side.
func (r *run) eraseMarked(ctx context.Context, project string) error {
	known := r.erased[project].known
	persons, err := r.personsToErase(ctx, project, known)
	if err != nil {
		return fmt.Errorf("look for who was erased: %w", err)
	}
	by := map[[2]string]string{}
	for _, m := range slices.Concat(r.erased[project].mine, r.erased[project].theirs) {
		if m.By != "" {
			by[[2]string{m.Person, fmt.Sprint(m.At.UnixMicro())}] = m.By
		}
	}
	// Those of one moment are of one erasure, or as good as that.
	moments := map[int64][]string{}
	for p := range persons {
		us := known.Until(project, p).UnixMicro()
		moments[us] = append(moments[us], p)
	}
	for _, us := range slices.Sorted(maps.Keys(moments)) {
		all := moments[us]
		slices.Sort(all)
		var some []cold.Erasure
		rest := cold.Erasure{}
		for _, p := range all {
			who := by[[2]string{cold.HashOf(project, p), fmt.Sprint(us)}]
			switch {
			case p[0] == 'd':
				rest.Devices = append(rest.Devices, p[1:])
			case who != "":
				some = append(some, cold.Erasure{ProfileID: p[1:], By: who})
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
		for _, e := range some {
			e.ProjectID, e.At = project, time.UnixMicro(us)
			if err := r.to.Erase(ctx, e); err != nil {
				return err
			}
		}
	}
	r.report.Erased += len(persons)
	return nil
}

// personsToErase returns the persons who have rows in the destination from before they
// were erased. A mark has only a hash of the person, so the persons there are hashed.
func (r *run) personsToErase(ctx context.Context, project string, known cold.Erased) (map[string]bool, error) {
	d := r.to.Dialect()
	latest := time.Time{}
	for _, at := range known {
		if at.After(latest) {
			latest = at
		}
	}
	rows, args := "", []any(nil)
	for i, t := range [][3]string{
		{"events", "person", "received_at"},
		{"visits", "CASE WHEN profile_id <> '' THEN CONCAT('u', profile_id) ELSE CONCAT('d', device_id) END", "COALESCE(received_at, start_at)"},
		{"traits", "CONCAT('u', profile_id)", "COALESCE(received_at, changed_at)"},
		{"identities", "CONCAT('u', profile_id)", "COALESCE(received_at, linked_at)"},
		{"aliases", "CONCAT('u', profile_id)", "COALESCE(received_at, linked_at)"},
		{"aliases", "CONCAT('u', alias)", "COALESCE(received_at, linked_at)"},
	} {
		if i > 0 {
			rows += " UNION ALL "
		}
		rows += "SELECT " + t[1] + " AS who, " + d.Micros(t[2]) + " AS us FROM " + t[0] + " WHERE project_id = ? AND " + t[2] + " < " + d.Time("?")
		args = append(args, project, latest.UnixMicro())
	}
	out := map[string]bool{}
	add := func(person string, at time.Time) {
		if at.Before(known.Until(project, person)) {
			out[person] = true
		}
	}
	// The engine hashes each row: a list of all persons would not fit into memory.
	hash := d.SHA256("CONCAT(?, " + d.Zero() + ", who)")
	err := each(ctx, r.to, "SELECT who, MIN(us) FROM ("+rows+") AS persons WHERE who <> '' AND "+hash+" "+d.InQuery()+" (SELECT person FROM erasures WHERE project_id = ?) GROUP BY who",
		append(args, project, project), func(rows *sql.Rows) error {
			var person string
			var us int64
			err := rows.Scan(&person, &us)
			add(person, time.UnixMicro(us))
			return err
		})
	if err != nil {
		return nil, err
	}
	return out, each(ctx, r.to, "SELECT event FROM dead_letters WHERE project_id = ?", []any{project}, func(rows *sql.Rows) error {
		var event []byte
		if err := rows.Scan(&event); err != nil {
			return err
		}
		who := cold.PersonOf(event)
		if p := who.Person(); p != "" {
			add(p, who.ReceivedAt)
		}
		return nil
	})
}

// Errors after which a unit is tried again.
var (
	errErasedMeanwhile = errors.New("somebody was erased in the destination meanwhile")
	// errNotErasedYet: a server is erasing these rows just now, or a batch that began
	// before the erasure has written them after it.
	errNotErasedYet = errors.New("the destination has rows of somebody who was erased")
)

// changes returns whether the project has marks at all.
func (j *job[T]) changes() bool { return len(j.known) > 0 }

// eraseRow changes a row as an erasure would, if its person was erased on either side. It
// returns false if nothing is left of the row.
func (j *job[T]) eraseRow(row *T) bool {
	b := &cold.Batch{Copied: true}
	j.t.put(b, row, 1)
	left := j.t.rows(j.known.Filter(b))
	if len(left) == 0 {
		return false
	}
	*row = left[0]
	return true
}

const minuteMicros = 60_000_000

// source calls f for each row of the window, with the erasures of both sides applied. An
// erasure moves an event to the beginning of its minute, which may lie in an earlier
// window. So the rest of the window's last minute is read too, for the events that move
// into the window, and events that move out of it are left to the earlier window.
func (j *job[T]) source(ctx context.Context, ordered bool, f func(row *T, n int, s sum, size int) error) error {
	w, change := j.w, (func(*T) bool)(nil)
	if j.changes() {
		change = j.eraseRow
	}
	if j.changes() && j.t.time != nil {
		w.to = -floorDiv(-w.to, minuteMicros) * minuteMicros
		change = func(row *T) bool {
			if !j.eraseRow(row) {
				return false
			}
			us := j.t.time(row)
			return us >= j.w.from && us < j.w.to
		}
	}
	return read(ctx, j.from, j.t, j.u.project, w, ordered, change, f)
}

// destination returns the tally of the destination's rows of the window. Error: errNotErasedYet.
func (j *job[T]) destination(ctx context.Context) (tally, error) {
	still := false
	var change func(row *T) bool
	if j.changes() {
		change = func(row *T) bool {
			left := *row
			if !j.eraseRow(&left) || j.t.named != nil && j.t.named(&left) != j.t.named(row) {
				still = true
			}
			return true
		}
	}
	have, err := tallyOf(ctx, j.to, j.t, j.u.project, j.w, change)
	if err == nil && still {
		err = errNotErasedYet
	}
	matchFormerIDs(j.want, have)
	return have, err
}

// matchFormerIDs changes have so that erased events with the former id, which is the same
// for all of them, count as the erased events of want that have all other columns equal.
// So it does for erased events of have where want has the former id.
func matchFormerIDs(want, have tally) {
	spare := map[uint64][]sum{} // of have, named
	for s, n := range have {
		if s.erased && s != s.former() && n > want[s] {
			spare[s.key] = append(spare[s.key], s)
		}
	}
	for s, n := range want {
		if !s.erased || n <= have[s] {
			continue
		}
		others := []sum{s.former()}
		if s == s.former() {
			others = spare[s.key]
		}
		for _, o := range others {
			if k := min(n-have[s], have[o]-want[o]); k > 0 {
				have[s], have[o] = have[s]+k, have[o]-k
			}
		}
	}
}
