package deliver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Lookup finds a host's addresses.
type Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

// closed are networks that are not the public Internet, or lead to others through
// a translator, after the special-purpose registries of IANA (RFC 6890). Of IPv6
// only 2000::/3 is looked at, as all else is closed.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's metadata, at a public address
	"2001::/23",        // Teredo, benchmarking, ORCHID
	"2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
)

var global6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, t := range texts {
		out[i] = netip.MustParsePrefix(t)
	}
	return out
}

// Public says whether an address is one of the public Internet. An IPv4 address
// in the form of IPv6 counts as the IPv4 address.
func Public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is6() && !global6.Contains(a) {
		return false // loopback, local, multicast, and NAT64 of 64:ff9b:: among them
	}
	return !within(closed, a)
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, p := range networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// guard lets connections go to public addresses, and to those that are allowed.
type guard struct {
	allow  []netip.Prefix
	lookup Lookup
	dialer net.Dialer
}

func newGuard(allow []netip.Prefix, lookup Lookup, timeout time.Duration) *guard {
	g := &guard{allow: allow, lookup: lookup}
	if lookup == nil {
		g.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	g.dialer = net.Dialer{Timeout: timeout, ControlContext: g.control}
	return g
}

func (g *guard) allows(a netip.Addr) bool {
	return Public(a) || a.Zone() == "" && within(g.allow, a.Unmap())
}

// control runs between the resolution of a name and the connection: it checks the very address
// that is connected to, whatever the name resolved to before.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if !g.allows(to.Addr()) {
		return errPrivate
	}
	return nil
}

// dial connects to the first of a host's addresses that answers.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a)
	} else if addrs, err = g.lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("look up the host: %w", plainDNS(err))
	}
	last := fmt.Errorf("the host has no address")
	for _, a := range addrs {
		conn, err := g.dialer.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		if last = err; ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

// plainDNS is a failed look-up without the resolver's address.
func plainDNS(err error) error {
	if e, ok := err.(*net.DNSError); ok { //nolint:errorlint // it is what a resolver returns as it is
		return fmt.Errorf("%s", e.Err)
	}
	return err
}

const maxURL = 2000

// CheckURL says why no webhook can be at a URL, as far as the URL shows. allow are
// networks that are not public and may be called. Errors: EINVALID.
func CheckURL(text string, allow []netip.Prefix) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > maxURL:
		return weir.Errorf(weir.EINVALID, "a webhook's URL has at most %d characters", maxURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return weir.Errorf(weir.EINVALID, "a webhook's URL is as https://example.org/path")
	case u.User != nil:
		return weir.Errorf(weir.EINVALID, "a webhook's URL holds no user and password: messages are signed instead")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	a, err := netip.ParseAddr(host)
	if err != nil {
		if host == "localhost" || strings.HasSuffix(host, ".localhost") {
			a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		} else {
			return nil // a name: what it means is looked at when it is called
		}
	}
	if !(&guard{allow: allow}).allows(a) {
		return weir.Errorf(weir.EINVALID, "a webhook may not be in a private network; --allow-private-webhooks names those that may be called")
	}
	return nil
}
