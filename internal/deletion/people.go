package deletion

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// peopleAtOnce is how many profiles or persons one statement names.
const peopleAtOnce = 100

// rowsAtOnce is how many links, traits or sightings one statement deletes.
const rowsAtOnce = 500

// deletePeople deletes the links and changes of traits that the deleted events have made. Those
// of other events of the same profiles are added anew later, since a link is stored only if it
// is earlier than those before.
func (c *Cold) deletePeople(ctx context.Context) error {
	d := c.Store.Dialect()
	return c.texts(ctx, "profile_id", "1 = 1", peopleAtOnce, func(profiles []string) error {
		list, ids := in(profiles)
		q := "SELECT DISTINCT profile_id, name, " + d.Micros("ts") + ", shard, seq FROM deleted_events WHERE " + ofDeletion + " AND profile_id IN " + list
		var links, aliases, traits parts
		links.table, aliases.table, traits.table = "identities", "aliases", "traits"
		err := c.each(ctx, q, append(c.ids(), ids...), func(r *sql.Rows) error {
			var profile, name string
			var us, seq int64
			var shard int
			if err := r.Scan(&profile, &name, &us, &shard, &seq); err != nil {
				return err
			}
			at := d.Time("?")
			links.add("profile_id = ? AND linked_at = "+at, profile, us)
			links.add("device_id = ? AND profile_id = '' AND linked_at = "+at, profile, us)
			if name == weir.NameIdentify {
				aliases.add("profile_id = ? AND linked_at = "+at, profile, us)
				traits.add("profile_id = ? AND changed_at = "+at+" AND SUBSTRING(place, 1, ?) = ?", profile, us, weir.PlacePrefixLength,
					weir.PlacePrefix(&weir.EventRow{Event: weir.Event{Time: time.UnixMicro(us)}, Shard: shard, Seq: uint64(seq)}))
			}
			return nil
		})
		if err != nil {
			return err
		}
		return c.Store.DeleteRows(ctx, slices.Concat(links.of(c.ProjectID), aliases.of(c.ProjectID), traits.of(c.ProjectID))...)
	})
}

// parts collects conditions on the rows of a table.
type parts struct {
	table string
	where []string
	args  [][]any
}

func (p *parts) add(where string, args ...any) {
	p.where, p.args = append(p.where, where), append(p.args, args)
}

func (p *parts) of(project string) (out []cold.Part) {
	for from := 0; from < len(p.where); from += rowsAtOnce {
		to := min(from+rowsAtOnce, len(p.where))
		out = append(out, cold.Part{
			Table: p.table, Where: "project_id = ? AND ((" + strings.Join(p.where[from:to], ") OR (") + "))",
			Args: append([]any{project}, slices.Concat(p.args[from:to]...)...),
		})
	}
	return out
}

// seen is a person in a quarter of an hour.
type seen struct {
	person  string
	quarter int32
}

// sightings calls f with the persons and quarters of the deleted events, which of them have events
// left, and which have a sighting.
func (c *Cold) sightings(ctx context.Context, f func(all []seen, left, sighted map[seen]bool) error) error {
	return c.texts(ctx, "person", "1 = 1", peopleAtOnce, func(persons []string) error {
		list, ids := in(persons)
		var all []seen
		var from, to int32
		err := c.each(ctx, "SELECT DISTINCT person, quarter FROM deleted_events WHERE "+ofDeletion+" AND person IN "+list, append(c.ids(), ids...), func(r *sql.Rows) error {
			var s seen
			if err := r.Scan(&s.person, &s.quarter); err != nil {
				return err
			}
			if len(all) == 0 {
				from, to = s.quarter, s.quarter
			}
			all, from, to = append(all, s), min(from, s.quarter), max(to, s.quarter)
			return nil
		})
		if err != nil {
			return err
		}
		read := func(table string) (map[seen]bool, error) {
			out := map[seen]bool{}
			args := append([]any{c.ProjectID, int64(from), int64(to)}, ids...)
			err := c.each(ctx, "SELECT DISTINCT person, quarter FROM "+table+" WHERE project_id = ? AND quarter >= ? AND quarter <= ? AND person IN "+list, args, func(r *sql.Rows) error {
				var s seen
				err := r.Scan(&s.person, &s.quarter)
				out[s] = true
				return err
			})
			return out, err
		}
		sighted, err := read("sightings")
		if err != nil {
			return err
		}
		left, err := read("events") // after the sightings: events come first
		if err != nil {
			return err
		}
		return f(all, left, sighted)
	})
}

// deleteSightings deletes the sightings of persons in quarters in which they have no event left.
func (c *Cold) deleteSightings(ctx context.Context) error {
	return c.sightings(ctx, func(all []seen, left, sighted map[seen]bool) error {
		gone := parts{table: "sightings"}
		for _, s := range all {
			if sighted[s] && !left[s] {
				gone.add("quarter = ? AND person = ?", int64(s.quarter), s.person)
			}
		}
		return c.Store.DeleteRows(ctx, gone.of(c.ProjectID)...)
	})
}

// addAnew adds sightings and links of the persons' other events. A writer may have left some out,
// because it remembered those that were deleted then. The mark makes writers of all nodes drop
// what they remember.
func (c *Cold) addAnew(ctx context.Context) error {
	if err := c.write(ctx, &cold.Batch{Marks: []cold.Mark{cold.RefoldMark(c.ProjectID, "\x00deletion/"+c.ID, c.Clock.Now().Truncate(time.Microsecond))}}); err != nil {
		return err
	}
	if c.Complete != nil {
		if err := c.Complete(ctx); err != nil {
			return err
		}
	}
	n := 0
	err := c.sightings(ctx, func(all []seen, left, sighted map[seen]bool) error {
		var missing []cold.Sighting
		for _, s := range all {
			if left[s] && !sighted[s] {
				missing = append(missing, cold.Sighting{ProjectID: c.ProjectID, Quarter: s.quarter, Person: s.person})
			}
		}
		if len(missing) == 0 {
			return nil
		}
		n++
		return c.Store.Add(ctx, c.token("sightings", n), cold.Additions{Sightings: missing})
	})
	if err != nil {
		return fmt.Errorf("sightings: %w", err)
	}
	return c.texts(ctx, "profile_id", "1 = 1", peopleAtOnce, func(profiles []string) error { return c.relink(ctx, profiles) })
}

// relink adds the links of the profiles' events on the deleted events' devices, without
// aliases: each of these is stored.
func (c *Cold) relink(ctx context.Context, profiles []string) error {
	d := c.Store.Dialect()
	list, ids := in(profiles)
	named := "CASE WHEN device_id = '' AND name <> '" + weir.NameIdentify + "' THEN 0 ELSE 1 END"
	q := "SELECT device_id, profile_id, " + named + " AS named, " + d.Micros("MIN(ts)") + ", " + d.Micros("MIN(received_at)") + " FROM events WHERE project_id = ? AND profile_id IN " + list +
		" AND device_id " + d.InQuery() + " (SELECT device_id FROM deleted_events WHERE " + ofDeletion + " AND profile_id IN " + list + ")" +
		" GROUP BY device_id, profile_id, " + named
	var links []weir.Link
	err := c.each(ctx, q, slices.Concat([]any{c.ProjectID}, ids, c.ids(), ids), func(r *sql.Rows) error {
		l := weir.Link{ProjectID: c.ProjectID}
		var isNamed, at, received int64
		if err := r.Scan(&l.DeviceID, &l.ProfileID, &isNamed, &at, &received); err != nil {
			return err
		}
		if !weir.LegalID(l.ProfileID) {
			return nil
		}
		if isNamed == 0 {
			l.DeviceID, l.ProfileID = l.ProfileID, ""
		}
		l.At, l.ReceivedAt = time.UnixMicro(at).UTC(), time.UnixMicro(received).UTC()
		links = append(links, l)
		return nil
	})
	if err != nil || len(links) == 0 {
		return err
	}
	return c.write(ctx, &cold.Batch{Links: links})
}
