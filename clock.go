package weir

import "time"

// Clock tells the time; tests bring their own.
type Clock func() time.Time

// Now is the time to the microsecond, UTC, which is what Weir stores.
func (c Clock) Now() time.Time {
	if c == nil {
		return time.Now().UTC().Truncate(time.Microsecond)
	}
	return c().UTC().Truncate(time.Microsecond)
}
