package transfer

import (
	"bytes"
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
	weir "github.com/weir-analytics/weir"
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

// times returns when each hash was marked.
func (e *erased) times() map[string][]time.Time {
	out := map[string][]time.Time{}
	for _, m := range slices.Concat(e.mine, e.theirs) {
		out[m.Person] = append(out[m.Person], m.At)
	}
	return out
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
			there[key{m.Person, m.At.UnixMicro()}] = true
		}
	}
	return out
}

// applyMarks copies the source's marks to the destination and erases there whom they
// name. This comes before any row: a log that still waits in front of the destination
// must not bring an erased person back later. The source is not changed. Its rows are
// read as if it had the destination's marks: see source. What an erasure takes from
// others' events depends on the visits that the person shared with them, which have marks
// of their own: for persons who were erased in the destination only, these are made here.
func (r *run) applyMarks(ctx context.Context, project string) error {
	mine, err := marksIn(ctx, r.from, project)
	if err != nil {
		return err
	}
	r.erased[project] = &erased{mine: mine}
	if _, err := r.refresh(ctx, project); err != nil {
		return err
	}
	if len(r.erased[project].known) == 0 {
		return nil
	}
	// In every run: events may have come to the source since.
	links, err := r.eraseInSource(ctx, project)
	if err != nil {
		return fmt.Errorf("look for who was erased in the destination: %w", err)
	}
	if err := r.writeLinks(ctx, project, links); err != nil {
		return err
	}
	if done, err := r.obeyed(ctx, project); err != nil || done && !r.o.Recheck {
		return err
	}
	if err := r.writeMarks(ctx, project); err != nil {
		return err
	}
	if err := r.eraseMarked(ctx, project); err != nil {
		return err
	}
	return r.to.Write(context.WithoutCancel(ctx), &cold.Batch{Token: r.obeyedToken(project), Log: "migrate", Shard: noShard, Now: r.o.Clock.Now(), Again: true})
}

// obeyedToken is the token of the batch that says that the destination has obeyed all marks.
func (r *run) obeyedToken(project string) string {
	return markErased + url.PathEscape(project) + "/" + r.erased[project].name()
}

func (r *run) obeyed(ctx context.Context, project string) (bool, error) {
	if len(r.erased[project].missing()) > 0 {
		return false, nil
	}
	n, err := count(ctx, r.to, "SELECT COUNT(*) FROM batches WHERE token = ?", r.obeyedToken(project))
	return n > 0, err
}

// eraseInSource adds the marks of visits that an erasure of the destination's marks would
// make in the source, and returns the links that it would add anew: the source has none
// from after a mark of a device and a profile that were linked before it.
func (r *run) eraseInSource(ctx context.Context, project string) ([]weir.Link, error) {
	e := r.erased[project]
	there, err := r.erasedIn(ctx, r.from, project)
	if err != nil {
		return nil, err
	}
	times, d := e.times(), r.from.Dialect()
	var links []weir.Link
	for _, er := range e.erasures(project, there) {
		since := func(person string) (last time.Time) {
			for _, at := range times[cold.HashOf(project, person)] {
				if at.Before(er.At) && at.After(last) {
					last = at
				}
			}
			return last
		}
		er.Visits = nil // these have marks
		if err := er.Share(ctx, r.from.Query, "events", "visits", d, since); err != nil {
			return nil, err
		}
		for _, v := range er.Visits {
			e.mine = append(e.mine, cold.Mark{ProjectID: project, Person: cold.HashOfVisit(project, v), At: er.At})
		}
		for _, p := range er.Relink() {
			err := each(ctx, r.from, "SELECT device_id, profile_id, "+d.Micros("MIN(ts)")+", "+d.Micros("MIN(received_at)")+" FROM events WHERE "+p.Where+" AND received_at >= "+d.Time("?")+" GROUP BY device_id, profile_id",
				append(p.Args, er.At.UnixMicro()), func(rows *sql.Rows) error {
					l := weir.Link{ProjectID: project}
					var at, received int64
					err := rows.Scan(&l.DeviceID, &l.ProfileID, &at, &received)
					l.At, l.ReceivedAt = time.UnixMicro(at).UTC(), time.UnixMicro(received).UTC()
					links = append(links, l)
					return err
				})
			if err != nil {
				return nil, err
			}
		}
	}
	_, err = r.refresh(ctx, project)
	return links, err
}

// writeLinks adds links to the destination, where they may be already.
func (r *run) writeLinks(ctx context.Context, project string, links []weir.Link) error {
	for some := range slices.Chunk(links, r.o.Batch) {
		b := &cold.Batch{Shard: noShard, Now: r.o.Clock.Now(), Links: some, Copied: true}
		h := xxhash.New()
		for _, l := range some {
			_, _ = fmt.Fprintf(h, "%q %q %d\n", l.DeviceID, l.ProfileID, l.At.UnixMicro())
		}
		token, err := r.unused(ctx, fmt.Sprintf("migrate/%s/links/%016x", url.PathEscape(project), h.Sum64()))
		if err != nil {
			return err
		}
		b.Token, b.Log = token, logOf(token)
		if err := r.to.Write(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// writeMarks adds to the destination the marks that it does not have.
func (r *run) writeMarks(ctx context.Context, project string) error {
	e := r.erased[project]
	missing := e.missing()
	if len(missing) == 0 {
		return nil
	}
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
	return nil
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
	err := each(ctx, from, "SELECT DISTINCT project_id, person, erased_at, erased_by FROM erasures WHERE project_id = ? AND "+cold.OfPersons+" ORDER BY erased_at, person, erased_by", []any{project}, func(rows *sql.Rows) error {
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

// countMarks returns the number of a store's marks by project.
func countMarks(ctx context.Context, from cold.Reader, projects []string) (map[string]int64, error) {
	out := map[string]int64{}
	where, args := among(projects)
	err := each(ctx, from, "SELECT project_id, COUNT(*) FROM (SELECT DISTINCT project_id, person, erased_at FROM (SELECT * FROM erasures WHERE "+cold.OfPersons+") AS erasures"+where+") AS marks GROUP BY project_id", args, func(rows *sql.Rows) error {
		var p string
		var n int64
		err := rows.Scan(&p, &n)
		out[p] = n
		return err
	})
	return out, err
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
		w.to = time.UnixMicro(w.to - 1).Truncate(time.Minute).Add(time.Minute).UnixMicro() // rounded up
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

// destination returns the counts of the destination's rows of the window. Error: errNotErasedYet.
func (j *job[T]) destination(ctx context.Context) (rowCounts, error) {
	still := false
	var change func(row *T) bool
	if j.changes() {
		var before, after encoding
		change = func(row *T) bool {
			left := *row
			if !j.eraseRow(&left) {
				still = true
				return true
			}
			before, _ = j.t.encode(before[:0], row)
			after, _ = j.t.encode(after[:0], &left)
			still = still || !bytes.Equal(before, after)
			return true
		}
	}
	have, err := countRows(ctx, j.to, j.t, j.u.project, j.w, change)
	if err == nil && still {
		err = errNotErasedYet
	}
	matchFormerIDs(j.want, have)
	return have, err
}

// matchFormerIDs changes have so that erased events with the former id, which is the same
// for all of them, count as the erased events of want that have all other columns equal.
// So it does for erased events of have where want has the former id.
func matchFormerIDs(want, have rowCounts) {
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
