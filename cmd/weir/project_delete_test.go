package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestAProjectIsDeletedFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	made := weirs(t, "project", "create", "Shop").out
	shop, key := field(t, made, "project"), field(t, made, "write key")
	if status := posts(t, server.url+"/v1/events?key="+key, `[{"name":"x","device_id":"d"}]`); status != 200 {
		t.Fatalf("send: %d", status)
	}
	if got := weirs(t, "project", "delete", shop, "--name", "shop"); got.status == 0 || !oneLine(got.stderr) {
		t.Errorf("with another name: %+v", got)
	}
	if got := weirs(t, "project", "delete", shop, "--name", "Shop"); got.status != 0 || !strings.Contains(got.out, "waiting") {
		t.Fatalf("delete: %+v", got)
	}
	if status := posts(t, server.url+"/v1/events?key="+key, `[{"name":"x"}]`); status != http.StatusUnauthorized {
		t.Errorf("its key: %d", status)
	}
	server.until("the project is deleted", func() bool {
		list := weirs(t, "project", "deletions")
		return list.status == 0 && strings.Contains(list.out, " deleted ")
	})
}
