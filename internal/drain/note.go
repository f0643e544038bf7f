package drain

import (
	"fmt"

	"github.com/weir-analytics/weir/internal/codec"
)

// note has the decisions of the drain for a batch, in addition to its range and time. It
// is stored in the intent, so that a repeated batch uses the same decisions.
type note struct {
	Full []string // projects in which no device begins its first visit, see visit.Fold
	Idle []string // in a batch without events: the devices whose idle visits end
	erasureNote
	// HasErasures is false for notes of earlier versions, which have no erasureNote. Then
	// the cold tier's Write handles the erasures.
	HasErasures bool
}

func (n note) full() map[string]bool {
	full := make(map[string]bool, len(n.Full))
	for _, project := range n.Full {
		full[project] = true
	}
	return full
}

// noteVersion 1 had no erasureNote.
const noteVersion = 2

// encode returns the note's stored form.
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
	if s == "" { // version 1 stored an empty note as ""
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
	if n.HasErasures = v >= 2; n.HasErasures {
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

// each calls f for each item of a list, until an error.
func each(r *codec.Reader, f func()) {
	for range r.Uint() {
		if r.Err() != nil {
			return
		}
		f()
	}
}
