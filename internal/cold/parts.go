package cold

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Whose says whose event it is, when it was received, which is the zero time where
// that is not known, and what ids it names beside.
type Whose struct {
	ProfileID, DeviceID string
	ReceivedAt          time.Time
	Name                string
	Properties          json.RawMessage
	Call                struct{ Consumer string }
}

// Person is who it is, as the function Person has it.
func (w Whose) Person() string {
	return Person(&weir.Event{ProfileID: w.ProfileID, DeviceID: w.DeviceID})
}

// PersonOf reads of a dead letter's event whose it is, as far as it can be read.
func PersonOf(event []byte) (who Whose) {
	_ = json.Unmarshal(event, &who)
	return who
}

// Is says whether a dead letter's event is of the person that is to be erased, or names
// one of the person's ids as an alias or a consumer.
func (e *Erasure) Is(event []byte) bool {
	who := PersonOf(event)
	if !who.ReceivedAt.Before(e.At) {
		return false
	}
	said := weir.Event{Name: who.Name, Properties: who.Properties}
	return e.own(who.ProfileID, who.DeviceID) || e.names(said.Alias()) || e.names(who.Call.Consumer)
}

// own says whether an event is of the person.
func (e *Erasure) own(profile, device string) bool {
	if profile != "" {
		return e.names(profile)
	}
	return device != "" && slices.Contains(e.Devices, device)
}

// names says whether an id is one of the person's profiles.
func (e *Erasure) names(id string) bool {
	return id != "" && (id == e.ProfileID || slices.Contains(e.Merged, id))
}

// erasedAtOnce is how many devices one statement names.
const erasedAtOnce = 500

// Part is a condition on rows of a person who is to be erased.
type Part struct {
	Table string
	Where string // with "?"
	Args  []any
}

// Terms are how an engine says what the conditions of an erasure need. All are SQL with
// one "?" or a column.
type Terms struct {
	Moment   string                     // a timestamp of a "?" in microseconds
	Micros   func(column string) string // microseconds of a timestamp
	Contains func(column string) string // that text has a "?" in it; false where it is NULL
}

// Parts are the rows of an erasure: events first, in which the person is to be effaced;
// the others are to be deleted.
//
// Rows of visits, links and traits that earlier versions wrote have no time of receipt.
func (e *Erasure) Parts(t Terms) []Part {
	us := e.At.UnixMicro()
	var parts []Part
	// among adds the rows of some ids. rows are table and column of these, with the
	// condition on when they were received; sightings have none.
	among := func(ids []string, prefix string, rows [][3]string) {
		for some := range slices.Chunk(ids, erasedAtOnce) {
			in := " IN (?" + strings.Repeat(", ?", len(some)-1) + ")"
			for _, r := range rows {
				p := Part{r[0], "project_id = ? AND ", []any{e.ProjectID}}
				if r[2] != "" {
					p.Where, p.Args = p.Where+r[2]+" AND ", append(p.Args, us)
				}
				p.Where += r[1] + in
				for _, id := range some {
					if r[1] == "person" {
						id = prefix + id
					}
					p.Args = append(p.Args, id)
				}
				parts = append(parts, p)
			}
		}
	}
	was := "received_at < " + t.Moment
	before := func(ts string) string {
		if e.Now {
			return "(received_at IS NULL OR " + was + ")"
		}
		return "COALESCE(received_at, " + ts + ") < " + t.Moment
	}
	among(e.profiles(), "u", [][3]string{
		{"events", "profile_id", was},
		{"visits", "profile_id", before("start_at")},
		{"sightings", "person", ""},
		{"traits", "profile_id", before("changed_at")},
		{"identities", "profile_id", before("linked_at")},
		{"identities", "device_id", before("linked_at")}, // an alias that was refused
		{"aliases", "profile_id", before("linked_at")},
		{"aliases", "alias", before("linked_at")},
	})
	// Visits that others took part in.
	for some := range slices.Chunk(e.profiles(), sharedAtOnce) {
		p := Part{"visits", "project_id = ? AND " + before("start_at") + " AND (" + anyOf(t.Contains("beside"), len(some)) + ")", []any{e.ProjectID, us}}
		for _, id := range some {
			p.Args = append(p.Args, "\n"+weir.BesideProfile+id+"\n")
		}
		parts = append(parts, p)
	}
	for some := range slices.Chunk(e.Devices, erasedAtOnce) {
		p := Part{
			"visits", "project_id = ? AND " + before("start_at") + " AND " + t.Contains("beside") + " AND device_id IN (?" + strings.Repeat(", ?", len(some)-1) + ")",
			[]any{e.ProjectID, us, "\n" + weir.BesideAnonymous + "\n"},
		}
		for _, id := range some {
			p.Args = append(p.Args, id)
		}
		parts = append(parts, p)
	}
	among(e.Devices, "d", [][3]string{
		{"events", "profile_id = '' AND device_id", was},
		{"visits", "profile_id = '' AND device_id", before("start_at")},
		{"sightings", "person", ""},
	})
	return parts
}

// profiles are those that are to be erased.
func (e *Erasure) profiles() []string {
	ids := slices.Clone(e.Merged)
	if e.ProfileID != "" {
		ids = append(ids, e.ProfileID)
	}
	return ids
}

// Relink is the condition on events that link the person's profiles, or devices of the
// same name: their links may have gone with those of the past, and are added anew.
func (e *Erasure) Relink() []Part {
	var parts []Part
	for some := range slices.Chunk(e.profiles(), erasedAtOnce) {
		in := " IN (?" + strings.Repeat(", ?", len(some)-1) + ")"
		p := Part{"events", "project_id = ? AND (profile_id" + in + " OR device_id" + in + ") AND profile_id <> '' AND (device_id <> '' OR name = 'identify')", []any{e.ProjectID}}
		for range 2 {
			for _, id := range some {
				p.Args = append(p.Args, id)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// Consumed are events in which an id of the person stands as the consumer of a call.
func (e *Erasure) Consumed(t Terms) []Part {
	var parts []Part
	for some := range slices.Chunk(e.profiles(), erasedAtOnce) {
		p := Part{"events", "project_id = ? AND received_at < " + t.Moment + " AND consumer IN (?" + strings.Repeat(", ?", len(some)-1) + ")", []any{e.ProjectID, e.At.UnixMicro()}}
		for _, id := range some {
			p.Args = append(p.Args, id)
		}
		parts = append(parts, p)
	}
	return parts
}

// ask runs a query whose arguments are bound to "?".
type ask = func(ctx context.Context, query string, args ...any) (*sql.Rows, error)

// Shared are visits in which the person and others took part.
type Shared struct {
	device, session string
	from, to        int64 // first and last event of the person, in microseconds
}

// Share looks for the visits that the person shared with others, in the tables of one
// server.
func (e *Erasure) Share(ctx context.Context, query ask, events string, t Terms) ([]Shared, error) {
	type visit struct{ device, session string }
	var out []Shared
	for _, p := range e.Parts(t) {
		if p.Table != "events" {
			continue
		}
		var mixed []visit
		own := p.Where + " AND device_id <> '' AND session_id <> ''"
		err := scan(ctx, query, "SELECT DISTINCT device_id, session_id, profile_id FROM "+events+" WHERE project_id = ? AND (device_id, session_id) IN (SELECT device_id, session_id FROM "+events+" WHERE "+own+") ORDER BY device_id, session_id",
			append([]any{e.ProjectID}, p.Args...), func(rows *sql.Rows) error {
				var v visit
				var profile string
				err := rows.Scan(&v.device, &v.session, &profile)
				if !e.own(profile, v.device) && (len(mixed) == 0 || mixed[len(mixed)-1] != v) {
					mixed = append(mixed, v)
				}
				return err
			})
		if err != nil {
			return nil, err
		}
		for some := range slices.Chunk(mixed, sharedAtOnce) {
			args := slices.Clone(p.Args)
			for _, v := range some {
				args = append(args, v.device, v.session)
			}
			err := scan(ctx, query, "SELECT device_id, session_id, MIN("+t.Micros("ts")+"), MAX("+t.Micros("ts")+") FROM "+events+" WHERE "+own+
				" AND ("+anyOf("device_id = ? AND session_id = ?", len(some))+") GROUP BY device_id, session_id", args, func(rows *sql.Rows) error {
				var s Shared
				err := rows.Scan(&s.device, &s.session, &s.from, &s.to)
				out = append(out, s)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// sharedAtOnce is how many visits one statement names.
const sharedAtOnce = 100

// SharedParts are the rows of shared visits: events first, that took something from
// another event, which is to be taken from them; the visits are to be deleted. Those are
// the ones of which it is not known who is in them: of the others see Parts.
func (e *Erasure) SharedParts(shared []Shared, t Terms) []Part {
	var parts []Part
	for some := range slices.Chunk(shared, sharedAtOnce) {
		events := Part{"events", "project_id = ? AND (inherited_from <> '' OR closes_event_id <> '') AND (" + anyOf("device_id = ? AND session_id = ?", len(some)) + ")", []any{e.ProjectID}}
		visits := Part{
			"visits", "project_id = ? AND (received_at IS NULL OR received_at < " + t.Moment + " AND " + t.Contains("beside") + ") AND (" +
				anyOf("device_id = ? AND session_id = ? AND start_at <= "+t.Moment+" AND end_at >= "+t.Moment, len(some)) + ")",
			[]any{e.ProjectID, e.At.UnixMicro(), "\n" + weir.BesideCrowd + "\n"},
		}
		for _, s := range some {
			events.Args = append(events.Args, s.device, s.session)
			visits.Args = append(visits.Args, s.device, s.session, s.to, s.from)
		}
		parts = append(parts, events, visits)
	}
	return parts
}

// Unshared are the assignments that take from an event what it took from another of its
// visit.
const Unshared = "path = CASE WHEN inherited_from <> '' THEN '' ELSE path END, origin = CASE WHEN inherited_from <> '' THEN '' ELSE origin END, " +
	"inherited_from = '', closes_event_id = '', closes_path = '', closes_ms = 0"

func anyOf(condition string, n int) string {
	return "(" + condition + ")" + strings.Repeat(" OR ("+condition+")", n-1)
}

// Renamed is an identify event of another profile that names an id of the person as an
// alias, with the properties that it is to have, nil for none.
type Renamed struct {
	Place      []any // as the query of Rename selects it
	Properties []byte
}

// Rename looks for such events. place are the columns that say where an event stands,
// of which there are n.
func (e *Erasure) Rename(ctx context.Context, query ask, events, place string, n int, t Terms) ([]Renamed, error) {
	var out []Renamed
	err := scan(ctx, query, "SELECT "+place+", properties FROM "+events+" WHERE project_id = ? AND name = ? AND received_at < "+t.Moment+" AND "+t.Contains("properties"),
		[]any{e.ProjectID, weir.NameIdentify, e.At.UnixMicro(), weir.PropertyAlias}, func(rows *sql.Rows) error {
			r := Renamed{Place: make([]any, n)}
			var properties sql.NullString
			into := make([]any, n, n+1)
			for i := range into {
				into[i] = &r.Place[i]
			}
			if err := rows.Scan(append(into, &properties)...); err != nil {
				return err
			}
			said := weir.Event{Name: weir.NameIdentify, Properties: json.RawMessage(properties.String)}
			if !e.names(said.Alias()) {
				return nil
			}
			said.DropAlias()
			r.Properties = said.Properties
			out = append(out, r)
			return nil
		})
	return out, err
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
