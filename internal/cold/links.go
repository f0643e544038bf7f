package cold

import (
	"maps"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// Links are the links that a batch adds: those that it brings, and those that its
// events say themselves. An event with a device and a profile links the one to the
// other; an identify event with an alias links that to its profile; one without a
// device, as a server sends it, says that the profile was identified, also when its alias
// is erased later. Any other event with a profile and no device says only that. Its profile may
// be the id of a device: a server may have this id from a browser that nobody has identified.
//
// They are a function of each event alone, so the same whatever batches events come in;
// and a set: one that is there twice says no more, and so does one of a device and a
// profile that are linked from an earlier time on.
func Links(b *Batch) []weir.Link {
	out := slices.Clip(b.Links)
	if b.Copied {
		return out
	}
	at := map[pair]int{} // in out
	for i := range b.Events {
		r := &b.Events[i]
		if !weir.LegalID(r.ProfileID) {
			continue
		}
		l := weir.Link{ProjectID: r.ProjectID, DeviceID: r.DeviceID, ProfileID: r.ProfileID, At: r.Time, ReceivedAt: r.ReceivedAt}
		alias := r.Alias()
		if alias == r.ProfileID {
			alias = ""
		}
		if alias != "" {
			a := l
			a.DeviceID, a.Alias = alias, true
			out = append(out, a)
		}
		if l.DeviceID == "" && r.Name != weir.NameIdentify {
			l.DeviceID, l.ProfileID = l.ProfileID, ""
		}
		p := pairOf(&l)
		switch first, ok := at[p]; {
		case !ok:
			at[p] = len(out)
			out = append(out, l)
		case l.At.Before(out[first].At):
			out[first] = l
		}
	}
	return out
}

// Aliases are those of the links that are aliases. The table aliases has at least one
// row for each; identities has a row for each link that is not there from an earlier time on.
func Aliases(links []weir.Link) []weir.Link {
	return keep(links, func(l *weir.Link) bool { return l.Alias })
}

// pair is a device and a profile that it is linked to.
type pair struct{ project, device, profile string }

func pairOf(l *weir.Link) pair { return pair{l.ProjectID, l.DeviceID, l.ProfileID} }

// Linked finds the links of a batch that say something new. One too many does no harm,
// so little needs to be remembered, and nothing over a restart. Who deletes links makes
// a new one.
//
// It is not safe for concurrent use.
type Linked struct {
	seen, before map[pair]int64 // since when, in microseconds; of late and before that
	batch        map[pair]int64
}

// linkedKept is how many links are remembered, once or twice that: some 20 MB.
const linkedKept = 100_000

// New begins a batch: it returns those of its Links that may not be in the store yet. Links of
// the batch before are dropped unless Keep was called for it.
func (s *Linked) New(b *Batch) []weir.Link {
	s.batch = map[pair]int64{}
	if b.Copied { // what was moved is the same
		return b.Links
	}
	return keep(b.Links, func(l *weir.Link) bool {
		if l.Alias {
			return true
		}
		k, us := pairOf(l), l.At.UnixMicro()
		since, ok := s.batch[k]
		if !ok {
			if since, ok = s.seen[k]; !ok {
				since, ok = s.before[k]
			}
		}
		if ok && since <= us {
			return false
		}
		// Not to hold the record that they are part of.
		s.batch[pair{strings.Clone(k.project), strings.Clone(k.device), strings.Clone(k.profile)}] = us
		return true
	})
}

// Keep remembers the batch at hand. It is called when the batch is in the store for
// sure, and not when that is in doubt.
func (s *Linked) Keep() {
	if s.seen == nil || len(s.seen) >= linkedKept {
		s.before, s.seen = s.seen, make(map[pair]int64)
	}
	maps.Copy(s.seen, s.batch)
	s.batch = nil
}
