package main

import (
	"strings"
	"testing"
)

func TestSitesAreSetFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	shop := field(t, weirs(t, "project", "create", "Shop").out, "project")
	blog := field(t, weirs(t, "project", "create", "Blog").out, "project")

	if set := weirs(t, "project", "set", shop, "--site", "www.Shop.example", "--site", "d.example", "--site", "b.example", "--site=c.example"); set.status != 0 ||
		!strings.Contains(set.out, "sites                b.example, c.example, d.example, shop.example\n") {
		t.Errorf("set: %+v", set)
	}
	if set := weirs(t, "project", "set", blog, "--retention-days", "7"); !strings.Contains(set.out, "sites                none\n") {
		t.Errorf("set: %+v", set)
	}
	if list := weirs(t, "project", "list"); !strings.Contains(list.out, "b.example, c.example, d.example and 1 more") || !strings.Contains(list.out, "SITES") {
		t.Errorf("list: %+v", list)
	}
	for _, args := range [][]string{
		{blog, "--site", "shop.example"}, {blog, "--site", "a b"}, {blog, "--site", ""}, {blog, "--site", "a.example", "--no-sites"}, {"nothing", "--site", "a.example"},
	} {
		if got := weirs(t, append([]string{"project", "set"}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("set %v: %+v", args, got)
		}
	}
	if set := weirs(t, "project", "set", shop, "--no-sites"); set.status != 0 || !strings.Contains(set.out, "sites                none\n") {
		t.Errorf("set: %+v", set)
	}
}
