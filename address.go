package weir

import (
	"net/netip"
	"strings"
)

// maxAddress is the length, in bytes, of the longest text that ParseAddress reads.
const maxAddress = 512

// ParseAddress reads the IP address of a client as proxies, frameworks, logs and exports write
// it: with spaces, quotes, brackets, a port or a zone around it, in upper case, as IPv4 in IPv6.
// A list of hops (X-Forwarded-For) is the address of its first public hop, or else of its first
// hop. The result has one form for each client: IPv4 out of IPv6, without zone. ok is false for
// a text without an address, such as a host name.
func ParseAddress(s string) (a netip.Addr, ok bool) {
	if len(s) > maxAddress {
		return netip.Addr{}, false
	}
	if !strings.Contains(s, ",") {
		return ParseHop(s)
	}
	for hop := range strings.SplitSeq(s, ",") {
		b, is := ParseHop(hop)
		switch {
		case !is:
		case b.IsGlobalUnicast() && !b.IsPrivate():
			return b, true
		case !ok:
			a, ok = b, true
		}
	}
	return a, ok
}

// ParseHop reads one address, as ParseAddress does; a list is none.
func ParseHop(s string) (a netip.Addr, ok bool) {
	s = strings.Trim(s, " \t\r\n\"'")
	host, rest := s, ""
	if inner, is := strings.CutPrefix(s, "["); is {
		if host, rest, ok = strings.Cut(inner, "]"); !ok {
			return netip.Addr{}, false
		}
	} else if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
		host, rest = s[:i], s[i:] // an IPv6 address has two colons at least
	}
	if !isPort(rest) {
		return netip.Addr{}, false
	}
	host, _, _ = strings.Cut(host, "%") // the zone
	a, err := netip.ParseAddr(strings.TrimSpace(host))
	return a.Unmap(), err == nil
}

// isPort says whether s is "" or a colon and at most five digits.
func isPort(s string) bool {
	digits, colon := strings.CutPrefix(s, ":")
	return s == "" || colon && len(digits) <= 5 && strings.Trim(digits, "0123456789") == ""
}

// Address returns the one form of the address in s, as ParseAddress reads it. It returns any
// other text as it is: some senders give each visitor a pseudonym instead of an address.
func Address(s string) string {
	if a, ok := ParseAddress(s); ok {
		var room [64]byte
		if text := a.AppendTo(room[:0]); string(text) != s {
			return string(text)
		}
	}
	return s
}
