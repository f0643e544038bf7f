package cold

import (
	"slices"

	weir "github.com/weir-analytics/weir"
)

// Links are the links that a batch adds: those that it brings, and those that its
// identify events say themselves. One with an alias links that to its profile; one of a
// profile without a device, as a server sends it, says that the profile was identified.
//
// They are a function of each event alone, so the same whatever batches events come in;
// and a set: one that is there twice says no more.
func Links(b *Batch) []weir.Link {
	out := slices.Clip(b.Links)
	for i := range b.Events {
		r := &b.Events[i]
		if r.Name != weir.NameIdentify || !weir.LegalID(r.ProfileID) {
			continue
		}
		l := weir.Link{ProjectID: r.ProjectID, ProfileID: r.ProfileID, At: r.Time}
		switch alias := r.Alias(); {
		case alias != "" && alias != r.ProfileID:
			l.DeviceID, l.Alias = alias, true
		case r.DeviceID != "":
			continue // the visit fold links it
		}
		out = append(out, l)
	}
	return out
}

// Aliases are those of the links that are aliases. The table aliases has at least one
// row for each; identities has a row for each link.
func Aliases(links []weir.Link) []weir.Link {
	return keep(links, func(l *weir.Link) bool { return l.Alias })
}
