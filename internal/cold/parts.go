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

// EventOwner is the person of an event, the time when it was received (zero if unknown), and
// the other ids that the event names.
type EventOwner struct {
	ProfileID, DeviceID string
	ReceivedAt          time.Time
	Name                string
	Properties          json.RawMessage
	Call                struct{ Consumer string }
}

// Person is who it is, as the function Person has it.
func (w EventOwner) Person() string {
	return weir.Person(w.ProfileID, w.DeviceID)
}

// Named are the profiles that the event names beside.
func (w EventOwner) Named() (ids []string) {
	said := w.said()
	for _, id := range []string{said.Alias(), said.Call.Consumer} {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// said is the part of the event that names others.
func (w EventOwner) said() weir.Event {
	return weir.Event{Name: w.Name, Properties: w.Properties, Call: &weir.Call{Consumer: w.Call.Consumer}}
}

// OwnerOf reads the owner of a dead letter's event, as far as the event can be read.
func OwnerOf(event []byte) (who EventOwner) {
	_ = json.Unmarshal(event, &who)
	return who
}

// Is says whether a dead letter's event is of the person that is to be erased, or names
// one of the person's ids as an alias or a consumer.
func (e *Erasure) Is(event []byte) bool {
	who := OwnerOf(event)
	if !who.ReceivedAt.Before(e.At) {
		return false
	}
	return e.own(who.ProfileID, who.DeviceID) || slices.ContainsFunc(who.Named(), e.names)
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
const maxIDsPerStatement = 500

// Part is a condition for rows that an erasure changes or deletes.
type Part struct {
	Table string
	Where string // with "?"
	Args  []any
}

// Parts are the rows of an erasure: events first, in which the person is to be effaced;
// the others are to be deleted.
//
// Rows of visits, links and traits that earlier versions wrote have no time of receipt.
func (e *Erasure) Parts(d Dialect) []Part {
	us := e.At.UnixMicro()
	var parts []Part
	// among adds the rows of some ids. rows are table and column of these, with the
	// condition on when they were received; sightings have none.
	among := func(ids []string, prefix string, rows [][3]string) {
		for some := range slices.Chunk(ids, maxIDsPerStatement) {
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
	was := "received_at < " + d.Time("?")
	before := func(ts string) string { return e.before(d, ts) }
	among(e.profiles(), "u", [][3]string{
		{"events", "profile_id", was},
		{"visits", "profile_id", before("start_at")},
		{"sightings", "person", ""},
		{"traits", "profile_id", before("changed_at")},
		{"identities", "profile_id", before("linked_at")},
		{"identities", "device_id", before("linked_at")}, // an alias that was refused, or a profile without a device
		{"aliases", "profile_id", before("linked_at")},
		{"aliases", "alias", before("linked_at")},
	})
	// Visits that others took part in.
	for some := range slices.Chunk(e.profiles(), sharedAtOnce) {
		p := Part{"visits", "project_id = ? AND " + before("start_at") + " AND (" + anyOf(d.Contains("beside", "?"), len(some)) + ")", []any{e.ProjectID, us}}
		for _, id := range some {
			p.Args = append(p.Args, "\n"+weir.BesideProfile+id+"\n")
		}
		parts = append(parts, p)
	}
	for some := range slices.Chunk(e.Devices, maxIDsPerStatement) {
		p := Part{
			"visits", "project_id = ? AND " + before("start_at") + " AND " + d.Contains("beside", "?") + " AND device_id IN (?" + strings.Repeat(", ?", len(some)-1) + ")",
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

// before is the condition on a row of visits, links or traits that it was received before,
// with one argument. ts is the row's time.
func (e *Erasure) before(d Dialect, ts string) string {
	was := "received_at < " + d.Time("?")
	if e.Now {
		return "(received_at IS NULL OR " + was + ")"
	}
	return "COALESCE(received_at, " + ts + ") < " + d.Time("?")
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
	for some := range slices.Chunk(e.profiles(), maxIDsPerStatement) {
		in := " IN (?" + strings.Repeat(", ?", len(some)-1) + ")"
		p := Part{"events", "project_id = ? AND (profile_id" + in + " OR device_id" + in + ") AND profile_id <> ''", []any{e.ProjectID}}
		for range 2 {
			for _, id := range some {
				p.Args = append(p.Args, id)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

// LinkColumns select the links of events with a profile, as the function Links has them, but for aliases.
// LinkGroups is what to group by.
const (
	LinkColumns = LinkGroups + ", min(ts), min(received_at)"
	LinkGroups  = "project_id, CASE WHEN " + unidentified + " THEN profile_id ELSE device_id END, CASE WHEN " + unidentified + " THEN '' ELSE profile_id END"

	unidentified = "device_id = '' AND name <> 'identify'"
)

// Consumed are events in which an id of the person stands as the consumer of a call.
func (e *Erasure) Consumed(d Dialect) []Part {
	var parts []Part
	for some := range slices.Chunk(e.profiles(), maxIDsPerStatement) {
		p := Part{"events", "project_id = ? AND received_at < " + d.Time("?") + " AND consumer IN (?" + strings.Repeat(", ?", len(some)-1) + ")", []any{e.ProjectID, e.At.UnixMicro()}}
		for _, id := range some {
			p.Args = append(p.Args, id)
		}
		parts = append(parts, p)
	}
	return parts
}

// ask runs a query whose arguments are bound to "?".
type ask = func(ctx context.Context, query string, args ...any) (*sql.Rows, error)

func anyOf(condition string, n int) string {
	return "(" + condition + ")" + strings.Repeat(" OR ("+condition+")", n-1)
}

// Renamed is an identify event of another profile that names an id of the person as an
// alias, with the properties that it is to have, nil for none.
type Renamed struct {
	Place      []any // as the query of Rename selects it
	Properties []byte
}

// Rename looks for such events. place are the n columns that identify a row of events.
func (e *Erasure) Rename(ctx context.Context, query ask, events, place string, n int, d Dialect) ([]Renamed, error) {
	var out []Renamed
	err := scan(ctx, query, "SELECT "+place+", properties FROM "+events+" WHERE project_id = ? AND name = ? AND received_at < "+d.Time("?")+" AND "+d.Contains("properties", "?"),
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
