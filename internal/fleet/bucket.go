package fleet

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
)

// Digest returns what a secret or an address is called in the name of a bucket. Other
// nodes, and the operator of the shared store, can read those names.
func Digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	var text [2 * len(sum)]byte
	return string(hex.AppendEncode(text[:0], sum[:]))
}

// CustomerBits is the length of the IPv6 prefix from which one customer chooses addresses.
const CustomerBits = 64

// Customer returns the address as it is, or of an IPv6 address its network of
// CustomerBits, so that a customer with many addresses has one bucket.
func Customer(ip string) string {
	if n := Network(ip, CustomerBits); n != "" {
		return n
	}
	return ip
}

// Network returns the network of an IPv6 address, and "" for any other text.
func Network(ip string, bits int) string {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() {
		return ""
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
