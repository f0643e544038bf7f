package tail_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Compression may be delayed, and may not keep the time of the file.
func TestAPackedFileOrACopyWithANewTimeHidesNoFileThatCameAfterIt(t *testing.T) {
	for name, first := range map[string]func(w *world){
		"gzip": func(w *world) { w.compresses("access.log", "access.log.2.gz") },
		"copy": func(w *world) { w.copiesAndEmpties("access.log", "access.log.2") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.writes("access.log", "one\n")
			w.starts()
			w.gets("one")
			w.dies()
			w.writes("access.log", "two\n")
			first(w)
			w.writes("access.log", "three\nfour\n")
			w.renames("access.log", "access.log.1")
			packed, err := filepath.Glob(w.path("access.log.2*"))
			if err != nil || len(packed) != 1 {
				t.Fatal(packed, err)
			}
			later := time.Now().Add(time.Hour)
			if err := os.Chtimes(packed[0], later, later); err != nil {
				t.Fatal(err)
			}
			w.writes("access.log", "five\n")
			w.starts()
			got := w.polls()
			w.commits()
			slices.Sort(got)
			if diff := cmp.Diff([]string{"five", "four", "three", "two"}, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			w.quiet()
		})
	}
}

func TestMoreLogsThanMayBeOpenAreReadInTurn(t *testing.T) {
	for _, fromEnd := range []bool{false, true} {
		w := newWorld(t, "*.log")
		w.o.MaxOpen, w.o.FromEnd = 3, fromEnd
		const logs = 10
		write := func(what string) (lines []string) {
			for i := range logs {
				name := string(rune('a' + i))
				w.writes(name+".log", what+" of "+name+"\n")
				lines = append(lines, what+" of "+name)
			}
			return lines
		}
		reads := func(want []string) {
			t.Helper()
			var got []string
			for range logs {
				got = append(got, w.polls()...)
				if open, _ := w.tail.Files(); open > w.o.MaxOpen+1 { // a log and what was rotated away from it are opened together
					t.Fatalf("%d logs are open", open)
				}
				w.commits()
			}
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("from the end %v: lines (-want +got):\n%s", fromEnd, diff)
			}
			if w.tail.Waiting() {
				t.Error("a log waits though all are read")
			}
		}
		first := write("first")
		if fromEnd {
			first = nil
		}
		w.starts()
		reads(first)
		reads(write("second"))
		w.renames("b.log", "b.log.1")
		third := write("third")
		reads(third)
		w.dies()
		fourth := write("fourth")
		w.starts()
		reads(fourth)
		w.quiet()
		w.dies()
	}
}
