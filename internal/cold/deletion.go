package cold

import (
	"context"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// DeletionStep is a row of the table deletions.
type DeletionStep = schema.Deletion

// Steps of a deletion. Those from DeletionDone on are its end.
const (
	DeletionAsked int32 = iota
	DeletionSelected
	DeletionDone
	DeletionFailed
	DeletionCancelled
)

// DeletionSteps returns the last step of each deletion for which a condition holds, by the time
// when it was asked for.
func DeletionSteps(ctx context.Context, from Reader, where string, args ...any) ([]DeletionStep, error) {
	columns := schema.Deletions.Columns
	rows, err := from.Query(ctx, "SELECT "+schema.Names(columns)+" FROM deletions WHERE "+where+" ORDER BY received_before, project_id, id, step", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	read := schema.Scanner(columns)
	var out []DeletionStep
	for rows.Next() {
		var row DeletionStep
		if err := read(rows.Scan, &row); err != nil {
			return nil, err
		}
		if n := len(out); n > 0 && out[n-1].ID == row.ID && out[n-1].ProjectID == row.ProjectID {
			out[n-1] = row
		} else {
			out = append(out, row)
		}
	}
	return out, rows.Err()
}

// DeletedEvent is a row of the table deleted_events.
type DeletedEvent = schema.Deleted

// Deleter deletes events and corrects what is stored beside them. Each method does one step;
// package deletion says which steps a deletion has, and in which order. All methods are safe
// for concurrent use, also with Write. Each may be repeated: after an error a part may be done,
// and the next call does the rest. After a call returns without an error, every question sees
// the change.
type Deleter interface {
	// Add stores rows. A token that comes again within a minute adds nothing. Sightings and
	// steps may stand twice.
	Add(ctx context.Context, token string, rows Additions) error
	// DeleteEvents deletes the events of a chunk, and subtracts them from the tallies.
	DeleteEvents(ctx context.Context, c DeletedChunk) error
	// DeleteRows deletes the rows of conditions, on tables that no tally counts.
	DeleteRows(ctx context.Context, parts ...Part) error
	// Refold sets the columns that a fold computes (FoldedColumns) of stored events of one
	// project. An event is found by its shard, seq and id.
	Refold(ctx context.Context, rows []weir.EventRow) error
}

// Additions are rows that are not part of a batch.
type Additions struct {
	Steps     []DeletionStep
	Deleted   []DeletedEvent
	Sightings []Sighting
}

// DeletedChunk is a part of a deletion's events: in the order of quarter, shard, seq and id, and
// each time the same part under the same number.
type DeletedChunk struct {
	ProjectID, DeletionID string
	Number                int
	Events                []DeletedEvent // MaxDeletedChunk at most
}

// MaxDeletedChunk and MaxRefolded bound a chunk and the rows of one Refold.
const (
	MaxDeletedChunk = 2000
	MaxRefolded     = 200
)

// Span is the first and the last quarter of the chunk.
func (c *DeletedChunk) Span() (first, last int32) {
	return weir.Quarter(c.Events[0].Time), weir.Quarter(c.Events[len(c.Events)-1].Time)
}

// Tallies counts the chunk's events, each with -1.
func (c *DeletedChunk) Tallies() []Tally {
	rows := make([]weir.EventRow, len(c.Events))
	for i := range c.Events {
		rows[i] = c.Events[i].EventRow
	}
	out := Tallies(rows)
	for i := range out {
		out[i].Events = -out[i].Events
	}
	return out
}

// FoldedColumns are the columns of events that a fold computes.
var FoldedColumns = schema.Events.Only("session_id", "path", "origin", "inherited_from", "closes_event_id", "closes_path", "closes_ms", "replaces_ms", "rest_ms")

// RefoldMark is the mark of devices whose open visits the drain drops, since a deletion folds
// their stored events again. An empty device means all devices of the project.
func RefoldMark(project, device string, at time.Time) Mark {
	return Mark{ProjectID: project, Person: refoldHash(project, device), At: at}
}

// refoldMark is what the Person of a RefoldMark begins with; a hash follows.
const refoldMark = "r"

func refoldHash(project, device string) string { return refoldMark + HashOf(project, device) }

// IsRefold reports whether a mark is a RefoldMark. It says nothing about persons.
func IsRefold(m Mark) bool { return isRefold(m.Person) }

func isRefold(person string) bool { return strings.HasPrefix(person, refoldMark) }

// OfPersons is the condition on rows of erasures that are about persons.
const OfPersons = "person NOT LIKE '" + refoldMark + "%'"

// lastRefold is the key, beside the project, of the newest RefoldMark of the project.
const lastRefold = refoldMark

// LastRefold is the time of the project's newest RefoldMark.
func (m Erased) LastRefold(project string) time.Time { return m[[2]string{project, lastRefold}] }

// Refolded reports whether a deletion has folded the visit's stored events again, so that its
// open state is out of date.
func (m Erased) Refolded(v *weir.VisitRow) bool {
	at := received(v.ReceivedAt, v.Start)
	if !at.Before(m.LastRefold(v.ProjectID)) {
		return false
	}
	return at.Before(m[[2]string{v.ProjectID, refoldHash(v.ProjectID, v.DeviceID)}]) || at.Before(m[[2]string{v.ProjectID, refoldHash(v.ProjectID, "")}])
}

// OfRefolds adds to part the RefoldMarks, later than since, of a project and a device.
func (m Erased) OfRefolds(part Erased, since time.Time, project, device string) {
	if !m.LastRefold(project).After(since) {
		return
	}
	for _, person := range []string{lastRefold, refoldHash(project, device), refoldHash(project, "")} {
		if at := m[[2]string{project, person}]; at.After(since) {
			part[[2]string{project, person}] = at
		}
	}
}
