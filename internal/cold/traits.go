package cold

import weir "github.com/weir-analytics/weir"

// Traits are the changes of traits that a batch adds: those that its events ask for,
// and those that it brings besides. The table traits has at least one row for each
// change; what is read of it has to take those of one place as one.
func Traits(b *Batch) []weir.TraitChange {
	var out []weir.TraitChange
	for i := range b.Events {
		out = append(out, weir.TraitChanges(&b.Events[i])...)
	}
	return append(out, b.Traits...)
}
