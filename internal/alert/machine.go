// Package alert checks rules every minute and sends messages: the measures of rules, their
// states, their history, and the delivery of messages.
package alert

import (
	"math"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Outcome is what one check says of an alert's condition.
type Outcome uint8

// The outcomes.
const (
	Unknown Outcome = iota // nothing: no data, or too little
	Holds                  // the value is beyond the threshold
	Between                // neither beyond the threshold nor clear
	Clear                  // the value is beyond the clear threshold, on the other side
)

// Judge is the outcome of a reading.
func Judge(spec *weir.AlertSpec, r weir.AlertReading) Outcome {
	against := spec.Condition.Against != weir.AgainstNone
	switch {
	case r.Value == nil || against && r.Base == nil:
		switch spec.NoData {
		case weir.NoDataOK:
			return Clear
		case weir.NoDataFire:
			return Holds
		}
		return Unknown
	case r.Volume < spec.MinVolume:
		// Too little to fire on, also with NoDataFire.
		if spec.NoData == weir.NoDataOK {
			return Clear
		}
		return Unknown
	}
	v := *r.Value
	if against {
		v = Change(v, *r.Base)
	}
	c := spec.Condition
	if c.Op == OpBelow {
		v, c.Value, c.Clear = -v, -c.Value, -c.Clear
	}
	switch {
	case v > c.Value:
		return Holds
	case v <= c.Clear:
		return Clear
	}
	return Between
}

// Change is the change from base to value in percent. From 0 it is 0 to 0, and
// infinite to anything else.
func Change(value, base float64) float64 {
	switch {
	case value == base:
		return 0
	case base == 0:
		return math.Inf(int(math.Copysign(1, value)))
	}
	return (value - base) / math.Abs(base) * 100
}

// Advance is the status after a check with an outcome, at a time. Time, count and
// incident change with the state; Reading and Told do not.
//
//	ok        Holds → pending, or firing when once is enough
//	pending   Holds for often enough → firing; anything known but that → ok
//	firing    Clear → clearing, or ok when once is enough
//	clearing  Clear for often enough → ok; anything known but that → firing
//
// Unknown changes nothing.
func Advance(s weir.AlertStatus, spec *weir.AlertSpec, o Outcome, at time.Time) weir.AlertStatus {
	if o == Unknown {
		return s
	}
	var to weir.AlertState
	count := 0
	switch s.State {
	case weir.AlertFiring, weir.AlertClearing:
		to = weir.AlertFiring
		if o == Clear {
			to, count = weir.AlertClearing, s.Count+1
			if count >= spec.ClearFor {
				to, count = weir.AlertOK, 0
			}
		}
	default:
		to = weir.AlertOK
		if o == Holds {
			to, count = weir.AlertPending, s.Count+1
			if count >= spec.For {
				to, count = weir.AlertFiring, 0
				s.Incident++
			}
		}
	}
	return move(s, to, count, at)
}

// restart is the status when it is not known what was between two checks: what
// was counted so far counts no more.
func restart(s weir.AlertStatus, at time.Time) weir.AlertStatus {
	if s.State.Raised() {
		return move(s, weir.AlertFiring, 0, at)
	}
	return move(s, weir.AlertOK, 0, at)
}

func move(s weir.AlertStatus, to weir.AlertState, count int, at time.Time) weir.AlertStatus {
	if s.State != to {
		s.Since = at
	}
	s.State, s.Count = to, count
	return s
}
