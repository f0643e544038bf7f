package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openToOthers lists what others can reach and read below a folder.
func openToOthers(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			found = append(found, path+" "+info.Mode().String())
		} else if d.IsDir() {
			return fs.SkipDir // nobody else gets into it
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestFilesOfAFolderThatOthersMayReadAreTheOwnersAlone(t *testing.T) {
	const token = "the administrator's own secret"
	asAdmin(t, token)
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func() *running {
		t.Helper()
		r := serves(t, data)
		key := field(t, weirs(t, "project", "create", "Shop", "--url", r.url).out, "write key")
		if got := posts(t, r.url+"/v1/events?key="+key, `{"name":"x"}`); got != 200 {
			t.Fatalf("an event got %d", got)
		}
		if found := openToOthers(t, data); found != nil {
			t.Errorf("while it runs: %q", found)
		}
		if got := r.stops(); got != 0 {
			t.Fatalf("ended with %d: %s", got, r.log)
		}
		if found := openToOthers(t, data); found != nil {
			t.Errorf("after its end: %q", found)
		}
		if !strings.Contains(r.log.String(), "others on this machine may look into the data folder") {
			t.Errorf("the folder is not warned of: %s", r.log)
		}
		return r
	}
	run()
	// As an earlier version left it, or a copy of a backup.
	err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := run(); !strings.Contains(r.log.String(), "could read a store") {
		t.Errorf("that permissions were changed is not told: %s", r.log)
	}

	back := filepath.Join(dir, "back")
	if err := os.Mkdir(back, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(back, 0o755); err != nil {
		t.Fatal(err)
	}
	got := weirs(t, "migrate", "--from", "duckdb:"+filepath.Join(data, "cold.duckdb"), "--to", "duckdb:"+filepath.Join(back, "cold.duckdb"))
	if got.status != 0 {
		t.Fatalf("migrate: %+v", got)
	}
	if found := openToOthers(t, back); found != nil {
		t.Errorf("what migrate wrote: %q", found)
	}
}
