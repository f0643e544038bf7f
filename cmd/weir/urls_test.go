package main

import (
	"strings"
	"testing"
)

func TestURLRulesAreSetFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	shop := field(t, weirs(t, "project", "create", "Shop").out, "project")

	set := weirs(t, "project", "set", shop, "--url-strip-slash", "--url-lower-case", "--url-rule", "/product/*=/product/:id", "--url-rule=/a,b/**=/x=y")
	want := "url rules            slashes at the end do not count\n" +
		"                     capital letters count as small ones\n" +
		"                     /product/* is /product/:id\n" +
		"                     /a,b/** is /x=y\n"
	if set.status != 0 || !strings.Contains(set.out, want) {
		t.Errorf("set: %+v", set)
	}
	if set := weirs(t, "project", "set", shop, "--retention-days", "7"); !strings.Contains(set.out, want) {
		t.Errorf("another change changed the rules: %+v", set)
	}
	if set := weirs(t, "project", "set", shop, "--url-rule", "/b/*=/b"); !strings.Contains(set.out, "url rules            /b/* is /b\n") {
		t.Errorf("replaced: %+v", set)
	}
	for _, args := range [][]string{
		{"--url-rule", "/a/***=/b"}, {"--url-rule", "/a"}, {"--url-rule", "/a="}, {"--url-rule", "=/a"}, {"--url-rule", "/a=/b", "--no-url-rules"}, {"--url-strip-slash", "--no-url-rules"},
	} {
		if got := weirs(t, append([]string{"project", "set", shop}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("set %v: %+v", args, got)
		}
	}
	if set := weirs(t, "project", "set", shop, "--no-url-rules"); set.status != 0 || !strings.Contains(set.out, "url rules            none\n") {
		t.Errorf("taken away: %+v", set)
	}
}
