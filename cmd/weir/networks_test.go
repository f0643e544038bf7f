package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestTrustedProxiesAreAddressesAndNetworksWithCommasOrSpaces(t *testing.T) {
	want := []string{"10.0.0.5/32", "172.16.0.0/12", "2001:db8::5/128", "fd00::/8"}
	for _, args := range [][]string{
		{"--trusted-proxies", "10.0.0.5,172.16.0.0/12,2001:db8::5,fd00::/8"},
		{"--trusted-proxies", "10.0.0.5, 172.16.0.0/12 , [2001:DB8::5], fd00::/8"},
		{"--trusted-proxies", " ::ffff:10.0.0.5 172.16.1.2/12\n2001:db8::5 fd00::/8,"},
		{"--trusted-proxies", "10.0.0.5 172.16.0.0/12", "--trusted-proxies=2001:db8::5,fd00::/8"},
	} {
		var cmd struct {
			TrustedProxies networks
		}
		p, err := kong.New(&cmd)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Parse(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		var got []string
		for _, n := range cmd.TrustedProxies {
			got = append(got, n.String())
		}
		if !slices.Equal(want, got) {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	var n networks
	if err := n.UnmarshalText([]byte("10.0.0.5, proxy.example")); err == nil || !strings.Contains(err.Error(), `"proxy.example" is neither an address`) {
		t.Errorf("error is %v", err)
	}
}
