package drain

import (
	"fmt"

	"github.com/weir-analytics/weir/internal/codec"
)

// note is what the drain decides for a batch beside its range and time. It stands
// in the intent, so that a batch that is done again is decided the same.
type note struct {
	Full []string // projects in which no device begins its first visit, see visit.Fold
	Idle []string // in a batch without events: the devices whose idle visits end
	heed
	// Heeded says that heed is all of it: notes of earlier versions have none, and what
	// they are of is left to the cold tier's Write.
	Heeded bool
}

func (n note) full() map[string]bool {
	full := make(map[string]bool, len(n.Full))
	for _, project := range n.Full {
		full[project] = true
	}
	return full
}

// noteVersion 1 had no heed.
const noteVersion = 2

// encode is the note's stored form.
func (n note) encode() string {
	b := []byte{noteVersion}
	for _, list := range [][]string{n.Full, n.Idle} {
		b = codec.AppendUint(b, uint64(len(list)))
		for _, s := range list {
			b = codec.AppendString(b, s)
		}
	}
	for _, list := range [][]uint64{n.Gone, n.Unnamed} {
		b = codec.AppendUint(b, uint64(len(list)))
		for _, i := range list {
			b = codec.AppendUint(b, i)
		}
	}
	b = codec.AppendUint(b, uint64(len(n.Dropped)))
	for _, d := range n.Dropped {
		b = codec.AppendUint(codec.AppendUint(b, d.Event), d.Which)
	}
	b = codec.AppendUint(b, uint64(len(n.Since)))
	for _, s := range n.Since {
		b = codec.AppendTime(codec.AppendString(b, s.Project), s.At)
	}
	return string(b)
}

func decodeNote(s string) (n note, err error) {
	if s == "" { // of version 1, with nothing in it
		return n, nil
	}
	r := codec.NewStringReader(s)
	v := r.Byte()
	if v != 1 && v != noteVersion {
		return n, fmt.Errorf("drain: note of version %d: %w", v, codec.ErrCorrupt)
	}
	for _, list := range []*[]string{&n.Full, &n.Idle} {
		each(&r, func() { *list = append(*list, r.String()) })
	}
	if n.Heeded = v >= 2; n.Heeded {
		for _, list := range []*[]uint64{&n.Gone, &n.Unnamed} {
			each(&r, func() { *list = append(*list, r.Uint()) })
		}
		each(&r, func() { n.Dropped = append(n.Dropped, dropped{r.Uint(), r.Uint()}) })
		each(&r, func() { n.Since = append(n.Since, since{r.String(), r.Time()}) })
	}
	if err = r.Done(); err != nil {
		return note{}, fmt.Errorf("drain: note: %w", err)
	}
	return n, nil
}

// each calls f for each item of a list, as far as there are any.
func each(r *codec.Reader, f func()) {
	for range r.Uint() {
		if r.Err() != nil {
			return
		}
		f()
	}
}
