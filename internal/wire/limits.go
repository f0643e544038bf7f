package wire

import (
	"time"
)

// MaxSkew is the largest difference between a sender's clock and ours that is not
// corrected. The correction includes the time that the request took, and a later request
// may be faster than an earlier one. So below MaxSkew the sender's times are more exact.
const MaxSkew = time.Minute

// Limits bound what a request may hold. Lengths are in bytes of UTF-8.
type Limits struct {
	Body    int64 // bytes as sent, before decompression
	Decoded int64 // bytes after decompression, at each layer of it

	Events     int // items in one request
	Event      int // JSON text of one item
	Name       int // event name
	ID         int // id, profile_id, device_id, session_id
	String     int // any other string
	URL        int // url, referrer
	Properties int // entries of properties, at its top
	Depth      int // nesting of properties; properties itself is 1

	Memory *Reservation // what the request takes of a Budget; nil is unbounded

	Future time.Duration // how far after now a ts may lie
	Oldest time.Time     // the earliest ts
}

// DefaultLimits are the limits of a server that was not told otherwise.
func DefaultLimits() Limits {
	return Limits{
		Body:       20 << 20,
		Decoded:    100 << 20,
		Events:     50_000,
		Event:      1 << 20,
		Name:       255,
		ID:         255,
		String:     2048,
		URL:        8192,
		Properties: 1000,
		Depth:      20,
		Future:     24 * time.Hour,
		Oldest:     time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}
