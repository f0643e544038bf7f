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
}

func (n note) full() map[string]bool {
	full := make(map[string]bool, len(n.Full))
	for _, project := range n.Full {
		full[project] = true
	}
	return full
}

const noteVersion = 1

// encode is the note's stored form, "" for an empty one.
func (n note) encode() string {
	if len(n.Full) == 0 && len(n.Idle) == 0 {
		return ""
	}
	b := []byte{noteVersion}
	for _, list := range [][]string{n.Full, n.Idle} {
		b = codec.AppendUint(b, uint64(len(list)))
		for _, s := range list {
			b = codec.AppendString(b, s)
		}
	}
	return string(b)
}

func decodeNote(s string) (n note, err error) {
	if s == "" {
		return n, nil
	}
	r := codec.NewStringReader(s)
	if v := r.Byte(); v != noteVersion {
		return n, fmt.Errorf("drain: note of version %d: %w", v, codec.ErrCorrupt)
	}
	for _, list := range []*[]string{&n.Full, &n.Idle} {
		for range r.Uint() {
			if r.Err() != nil {
				break
			}
			*list = append(*list, r.String())
		}
	}
	if err = r.Done(); err != nil {
		return note{}, fmt.Errorf("drain: note: %w", err)
	}
	return n, nil
}
