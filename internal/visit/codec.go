package visit

import (
	"fmt"

	"github.com/weir-analytics/weir/internal/codec"
)

const stateVersion = 1

const (
	flagNamed = 1 << iota
	flagEnded
	flagClosed
)

// Encode is the state's stored form.
func (st State) Encode() []byte {
	b := []byte{stateVersion, byte(len(st))}
	for _, s := range st {
		var flags byte
		if s.Named {
			flags |= flagNamed
		}
		if s.Ended {
			flags |= flagEnded
		}
		if s.View.Closed {
			flags |= flagClosed
		}
		b = append(b, flags)
		b = codec.AppendString(b, s.SessionID)
		b = codec.AppendTime(b, s.Start)
		b = codec.AppendTime(b, s.Last)
		b = codec.AppendTime(b, s.Touched)
		b = codec.AppendString(b, s.ProfileID)
		b = codec.AppendString(b, s.View.EventID)
		b = codec.AppendString(b, s.View.Path)
		b = codec.AppendString(b, s.View.Origin)
		b = codec.AppendTime(b, s.View.At)
	}
	return b
}

// DecodeState is the inverse of Encode.
func DecodeState(b []byte) (State, error) {
	r := codec.NewReader(b)
	if v := r.Byte(); v != stateVersion {
		return nil, fmt.Errorf("visit: state of version %d: %w", v, codec.ErrCorrupt)
	}
	n := int(r.Byte())
	st := make(State, 0, min(n, 2))
	for range n {
		flags := r.Byte()
		s := Sitting{Named: flags&flagNamed != 0, Ended: flags&flagEnded != 0}
		s.SessionID = r.String()
		s.Start, s.Last, s.Touched = r.Time(), r.Time(), r.Time()
		s.ProfileID = r.String()
		s.View = View{EventID: r.String(), Path: r.String(), Origin: r.String(), At: r.Time(), Closed: flags&flagClosed != 0}
		if r.Err() != nil {
			break
		}
		st = append(st, s)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("visit: state: %w", err)
	}
	return st, nil
}
