package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheKeyRingIsMadeRotatedAndAskedFor(t *testing.T) {
	asAdmin(t, adminToken)
	data, other := t.TempDir(), t.TempDir()
	file := filepath.Join(data, "keys")
	serves(t, data).stops()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key ring: %v, %v", info, err)
	}
	store := "sqlite:" + filepath.Join(data, "meta.db")

	// Another node that shares the meta store has no ring, or another one.
	start := func(args ...string) said {
		return weirs(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", other, "--meta", store}, args...)...)
	}
	got := start()
	if got.status != 1 || !strings.Contains(got.stderr, "--adopt-key-ring") || !strings.Contains(got.stderr, "Copy the file") {
		t.Fatalf("without the ring: %+v", got)
	}
	if _, err := os.Stat(filepath.Join(other, "keys")); err == nil {
		t.Error("a ring that fits nothing was left behind")
	}
	if got := start("--key-ring", filepath.Join(data, "node")); got.status != 1 || !strings.Contains(got.stderr, "--key-ring") {
		t.Fatalf("a file that is no ring: %+v", got)
	}

	added := weirs(t, "key-ring", "add", "--data", data)
	if added.status != 0 {
		t.Fatalf("add: %+v", added)
	}
	list := weirs(t, "key-ring", "list", "--data", data)
	if list.status != 0 || strings.Count(list.out, "\n") != 3 || !strings.Contains(list.out, field(t, added.out, "key")) {
		t.Fatalf("list: %+v", list)
	}
	serves(t, data).stops()
	serves(t, other, "--meta", store, "--key-ring", file).stops()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"add"}, {"list"}} {
		if got := weirs(t, append([]string{"key-ring"}, append(args, "--data", data)...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("%v of a missing file: %+v", args, got)
		}
	}
	serves(t, data, "--adopt-key-ring").stops()
	serves(t, data).stops()
}
