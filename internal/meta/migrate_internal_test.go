package meta

import (
	"testing"
	"testing/fstest"
)

func TestMigrationsHaveNumbersWithoutGaps(t *testing.T) {
	if names, err := migrationNames(migrationFiles); err != nil || len(names) == 0 {
		t.Errorf("%d migrations, %v", len(names), err)
	}
	for want, names := range map[string][]string{
		"": {"0001_a.sql", "0002_b.sql", "0003_c.sql"},
		"migrations/0003_c.sql should have number 2": {"0001_a.sql", "0003_c.sql"},
		"migrations/0001_b.sql should have number 2": {"0001_a.sql", "0001_b.sql"},
		"migrations/0002_b.sql should have number 1": {"0002_b.sql"},
		"migrations/notes.sql should have number 2":  {"0001_a.sql", "notes.sql"},
	} {
		files := fstest.MapFS{}
		for _, name := range names {
			files["migrations/"+name] = &fstest.MapFile{}
		}
		got := ""
		if _, err := migrationNames(files); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
}
