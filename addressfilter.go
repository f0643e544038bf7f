package weir

import (
	"net/netip"
	"slices"
	"strings"
)

// AddressFilters are the networks whose events a project refuses. An address alone is a network
// of one address.
type AddressFilters []netip.Prefix

// Bounds of a project's filters. Each event may be compared with all of them.
const (
	MaxAddressFilters    = 200
	maxAddressFilterText = 64 // bytes of one as it is written
)

// ParseAddressFilters reads addresses and networks, such as 203.0.113.5, 203.0.113.0/24 and
// 2001:db8::/48. The result has each once, in order, in one form: IPv4 out of IPv6, and a network
// by its first address. Error: EINVALID; it names the text that is wrong.
func ParseAddressFilters(texts []string) (AddressFilters, error) {
	if len(texts) > MaxAddressFilters {
		return nil, Errorf(EINVALID, "%d address filters: a project has at most %d", len(texts), MaxAddressFilters)
	}
	f := make(AddressFilters, 0, len(texts))
	for _, text := range texts {
		network, ok := parseNetwork(text)
		if !ok {
			return nil, Errorf(EINVALID, "address filter %.80q: use an address or a network, such as 203.0.113.5, 203.0.113.0/24 or 2001:db8::/48", text)
		}
		if network.Bits() == 0 {
			return nil, Errorf(EINVALID, "address filter %.80q: it would refuse everybody", text)
		}
		f = append(f, network)
	}
	slices.SortFunc(f, netip.Prefix.Compare)
	return slices.Compact(f), nil
}

func parseNetwork(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxAddressFilterText {
		return netip.Prefix{}, false
	}
	if !strings.Contains(s, "/") {
		a, ok := ParseHop(s)
		if !ok {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := n.Addr(); a.Is4In6() {
		const mapped = 96 // the bits before the IPv4 address
		if n.Bits() < mapped {
			return netip.Prefix{}, false
		}
		n = netip.PrefixFrom(a.Unmap(), n.Bits()-mapped)
	}
	return n.Masked(), true
}

// Strings returns the filters as ParseAddressFilters reads them, an address alone without its length.
func (f AddressFilters) Strings() []string {
	texts := make([]string, len(f))
	for i, n := range f {
		texts[i] = n.String()
		if n.IsSingleIP() {
			texts[i] = n.Addr().String()
		}
	}
	return texts
}

// Match says whether an address, in the form of ParseAddress, is in one of the networks.
func (f AddressFilters) Match(a netip.Addr) bool {
	return slices.ContainsFunc(f, func(n netip.Prefix) bool { return n.Contains(a) })
}
