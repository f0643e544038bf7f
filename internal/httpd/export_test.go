package httpd

import (
	"net/netip"
	"time"
)

// ParseInstant is parseInstant.
func ParseInstant(s string, now time.Time, loc *time.Location, end bool) (time.Time, error) {
	return parseInstant(s, now, loc, end)
}

// ForwardedFor is forwardedFor.
func ForwardedFor(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	return forwardedFor(values, peer, trusted)
}
