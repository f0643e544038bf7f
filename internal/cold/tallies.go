package cold

import weir "github.com/weir-analytics/weir"

// Tally counts a batch's events of one kind in a quarter of an hour: what is needed
// to count events by these columns alone, in far fewer rows. Tallies of one kind
// add up. The table tallies has one for each event that events has.
type Tally struct {
	ProjectID string
	Quarter   int32
	Name      string
	Call      bool // Method and Route are known; NULL otherwise
	Method    string
	Route     string
	Status    int // 0 is unknown, NULL

	Events int64
}

// Tallies counts the events of a batch.
func Tallies(events []weir.EventRow) []Tally {
	var out []Tally
	at := make(map[Tally]int)
	for i := range events {
		e := &events[i].Event
		k := Tally{ProjectID: e.ProjectID, Quarter: Quarter(e), Name: e.Name}
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

// IsTallied says whether a column of events is one that tallies has too, with the
// same values.
func IsTallied(column string) bool {
	switch column {
	case "name", "method", "route", "status":
		return true
	}
	return false
}
