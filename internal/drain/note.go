package drain

import (
	"fmt"
	"maps"
	"slices"

	"github.com/weir-analytics/weir/internal/codec"
	"github.com/weir-analytics/weir/internal/cold"
)

// note has the decisions of the drain for a batch, in addition to its range and time. It
// is stored in the intent, so that a repeated batch uses the same decisions.
type note struct {
	Full   []string    // projects in which no device begins its first visit, see visit.Fold
	Idle   []string    // in a batch without events: the devices whose idle visits end
	Erased cold.Erased // see marksFor
	// HasErasures is false for notes of earlier versions that say who was erased in another
	// form, or not at all. Then the cold tier's Write handles the erasures.
	HasErasures bool
	InLogOrder  bool // of a note before version 4, see visit.Folder
	NoMerge     bool // of a note before version 5
	MarkOver    bool // of a note before version 6
	HashIDs     bool // of a note before version 7
}

func (n note) full() map[string]bool {
	full := make(map[string]bool, len(n.Full))
	for _, project := range n.Full {
		full[project] = true
	}
	return full
}

// noteVersion 1 had no erasures. Version 2 had what to do with each event. Up to version 3 a
// batch was folded in the order of the log. Up to version 4 it was folded without merging visits. Up
// to version 5 a visit that was over was marked in its row. Up to version 6 session ids were hashes.
const noteVersion = 7

// encode returns the note's stored form.
func (n note) encode() string {
	b := []byte{noteVersion}
	for _, list := range [][]string{n.Full, n.Idle} {
		b = codec.AppendUint(b, uint64(len(list)))
		for _, s := range list {
			b = codec.AppendString(b, s)
		}
	}
	b = codec.AppendUint(b, uint64(len(n.Erased)))
	for _, who := range slices.SortedFunc(maps.Keys(n.Erased), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		b = codec.AppendTime(codec.AppendString(codec.AppendString(b, who[0]), who[1]), n.Erased[who])
	}
	return string(b)
}

func decodeNote(s string) (n note, err error) {
	n.Erased = cold.Erased{}
	if s == "" { // version 1 stored an empty note as ""
		n.InLogOrder, n.NoMerge, n.MarkOver, n.HashIDs = true, true, true, true
		return n, nil
	}
	r := codec.NewStringReader(s)
	v := r.Byte()
	if v < 1 || v > noteVersion {
		return n, fmt.Errorf("drain: note of version %d: %w", v, codec.ErrCorrupt)
	}
	n.InLogOrder, n.NoMerge, n.MarkOver, n.HashIDs = v < 4, v < 5, v < 6, v < 7
	for _, list := range []*[]string{&n.Full, &n.Idle} {
		each(&r, func() { *list = append(*list, r.String()) })
	}
	switch v {
	case 2:
		n.HasErasures = nothing2(&r)
	case 3, 4, 5, 6, noteVersion:
		n.HasErasures = true
		each(&r, func() { n.Erased[[2]string{r.String(), r.String()}] = r.Time() })
	}
	if err = r.Done(); err != nil {
		return note{}, fmt.Errorf("drain: note: %w", err)
	}
	return n, nil
}

// nothing2 skips the erasures of a note of version 2, and returns whether there were none.
func nothing2(r *codec.Reader) bool {
	some := false
	for range 2 { // events of erased people, and events that name them
		each(r, func() { r.Uint(); some = true })
	}
	each(r, func() { r.Uint(); r.Uint(); some = true })       // open visits to drop
	each(r, func() { _ = r.String(); r.Time(); some = true }) // projects with an erasure
	return !some
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
