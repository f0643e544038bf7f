package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// networks is a list of networks and addresses, with commas or spaces between them.
type networks []netip.Prefix

// UnmarshalText adds those of a flag or a variable of the environment.
func (n *networks) UnmarshalText(text []byte) error {
	for _, s := range strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		p, err := netip.ParsePrefix(s)
		if a, addrErr := netip.ParseAddr(strings.Trim(s, "[]")); addrErr == nil {
			a = a.Unmap().WithZone("")
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%q is neither an address such as 10.0.0.5 nor a network such as 10.0.0.0/8", s)
		}
		*n = append(*n, p.Masked())
	}
	return nil
}
