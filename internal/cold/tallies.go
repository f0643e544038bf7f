package cold

import (
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Tally is a row of the table tallies.
type Tally = schema.Tally

// Tallies counts the events of a batch.
func Tallies(events []weir.EventRow) []Tally {
	var out []Tally
	at := make(map[Tally]int)
	for i := range events {
		e := &events[i].Event
		k := Tally{ProjectID: e.ProjectID, Quarter: weir.Quarter(e.Time), Name: e.Name}
		if c := e.Call; c != nil {
			k.Call, k.Method, k.Route, k.Status = true, c.Method, c.Route, c.Status
		}
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, k)
		}
		out[j].Events++
	}
	return out
}

// IsTallied reports whether questions about a column of events can be answered from
// tallies: it has the column too, with the same values.
func IsTallied(column string) bool {
	return slices.ContainsFunc(schema.Events.Columns, func(c schema.Column[weir.EventRow]) bool { return c.Name == column && c.Named }) &&
		slices.ContainsFunc(schema.Tallies.Columns, func(c schema.Column[Tally]) bool { return c.Name == column })
}
