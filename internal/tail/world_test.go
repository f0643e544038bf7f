package tail_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/tail"
)

// world is a folder of logs and a follower of them that may die.
type world struct {
	t    *testing.T
	dir  string
	tail *tail.Tail
	now  time.Time
	told []string
	o    tail.Options
	ids  map[string]string // line by source and offset
}

func newWorld(t *testing.T, patterns ...string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ids: map[string]string{}}
	if len(patterns) == 0 {
		patterns = []string{"access.log"}
	}
	for i := range patterns {
		patterns[i] = filepath.Join(w.dir, patterns[i])
	}
	w.o = tail.Options{
		Patterns: patterns, State: filepath.Join(w.dir, "state", "follow.json"), Clock: func() time.Time { return w.now },
		Tell: func(format string, args ...any) { w.told = append(w.told, fmt.Sprintf(format, args...)) },
	}
	t.Cleanup(w.dies)
	return w
}

func (w *world) starts() {
	w.t.Helper()
	var err error
	if w.tail, err = tail.Open(w.o); err != nil {
		w.t.Fatal(err)
	}
}

// dies ends the follower; what was not committed is forgotten, as in a crash.
func (w *world) dies() {
	if w.tail != nil {
		if err := w.tail.Close(); err != nil {
			w.t.Error(err)
		}
		w.tail = nil
	}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// writes appends to a file, which is made if need be.
func (w *world) writes(name, text string) {
	w.t.Helper()
	f, err := os.OpenFile(w.path(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) renames(from, to string) {
	w.t.Helper()
	if err := os.Rename(w.path(from), w.path(to)); err != nil {
		w.t.Fatal(err)
	}
}

// copiesAndEmpties is logrotate's copytruncate.
func (w *world) copiesAndEmpties(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(w.path(from))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(to), b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Truncate(w.path(from), 0); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) compresses(from, to string) {
	w.t.Helper()
	b, err := os.ReadFile(w.path(from))
	if err != nil {
		w.t.Fatal(err)
	}
	info, err := os.Stat(w.path(from))
	if err != nil {
		w.t.Fatal(err)
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		w.t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(to), out.Bytes(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(w.path(to), info.ModTime(), info.ModTime()); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Remove(w.path(from)); err != nil {
		w.t.Fatal(err)
	}
}

// polls returns what comes, until nothing does; it is not committed.
func (w *world) polls() []string {
	w.t.Helper()
	var out []string
	for {
		lines, err := w.tail.Poll(2, 1<<20)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(lines) == 0 {
			return out
		}
		for _, l := range lines {
			out = append(out, string(l.Text))
			id := fmt.Sprint(l.Source, "+", l.Offset)
			if before, ok := w.ids[id]; ok && before != string(l.Text) {
				w.t.Errorf("%s is %q and was %q", id, l.Text, before)
			}
			w.ids[id] = string(l.Text)
		}
	}
}

func (w *world) commits() {
	w.t.Helper()
	if err := w.tail.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// gets asserts what comes next, and commits it.
func (w *world) gets(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.polls()); diff != "" {
		w.t.Errorf("lines (-want +got):\n%s", diff)
	}
	w.commits()
}

// quiet says that nothing was told.
func (w *world) quiet() {
	w.t.Helper()
	if len(w.told) > 0 {
		w.t.Errorf("told: %q", w.told)
	}
}
