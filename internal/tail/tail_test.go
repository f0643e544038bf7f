package tail_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/tail"
)

func TestLinesComeAsTheyAreWrittenAndOnlyWhenTheyAreWhole(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.gets()
	w.writes("access.log", "one\ntwo\r\nthr")
	w.gets("one", "two")
	w.writes("access.log", "ee")
	w.gets()
	w.writes("access.log", "\n\n \nfour\n")
	w.gets("three", "four")
	w.quiet()
}

func TestARestartGoesOnAndAnUncommittedLineComesAgainUnderItsID(t *testing.T) {
	w := newWorld(t)
	w.writes("access.log", "one\ntwo\n")
	w.starts()
	w.gets("one", "two")
	w.writes("access.log", "three\n")
	if got := w.polls(); len(got) != 1 {
		t.Fatal(got)
	}
	before := len(w.ids)
	w.dies()
	w.renames("access.log", "access.log.1")
	w.writes("access.log", "four\n")
	w.starts()
	w.gets("three", "four")
	if len(w.ids) != before+1 {
		t.Errorf("ids %v: want three under the id of before", w.ids)
	}
	w.quiet()
}

func TestAFileThatIsRenamedIsReadToItsEnd(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.writes("access.log", "one\n")
	w.gets("one")
	w.renames("access.log", "access.log.1")
	w.writes("access.log.1", "two\n") // the writer has not noticed yet
	w.gets("two")
	w.writes("access.log", "four\n")
	w.writes("access.log.1", "three\nhal")
	w.gets("three", "four")
	w.now = w.now.Add(2 * time.Minute)
	w.gets("hal") // nobody will end this line
	if open, _ := w.tail.Files(); open != 1 {
		t.Errorf("%d files are open, want one", open)
	}
	w.dies()
	w.starts()
	w.gets()
	w.quiet()
}

func TestRotationsWhileTheFollowerIsDeadLoseNothing(t *testing.T) {
	for name, rotate := range map[string]func(w *world){
		"rename": func(w *world) { w.renames("access.log", "access.log.1") },
		"dates": func(w *world) {
			w.now = w.now.Add(time.Hour)
			w.renames("access.log", "access-"+w.now.Format("2006-01-02T15-04-05.000")+".log")
		},
		"copytruncate": func(w *world) { w.copiesAndEmpties("access.log", "access.log.1") },
		"compressed": func(w *world) {
			w.renames("access.log", "x")
			w.compresses("x", "access.log.1.gz")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.starts()
			w.writes("access.log", "one\n")
			w.gets("one")
			w.dies()
			w.writes("access.log", "two\n")
			rotate(w)
			w.writes("access.log", "three\n")
			w.starts()
			w.gets("two", "three")
			w.dies()
			w.writes("access.log", "four\n")
			for _, n := range []string{"access.log.1", "access.log.1.gz"} {
				if _, err := os.Stat(w.path(n)); err == nil {
					w.renames(n, strings.Replace(n, "1", "2", 1))
				}
			}
			rotate(w)
			w.writes("access.log", "five\n") // a whole file that nobody saw
			if _, err := os.Stat(w.path("access.log.1")); err == nil {
				w.renames("access.log.2", "access.log.3")
				w.renames("access.log.1", "access.log.2")
			} else if _, err := os.Stat(w.path("access.log.1.gz")); err == nil {
				w.renames("access.log.2.gz", "access.log.3.gz")
				w.renames("access.log.1.gz", "access.log.2.gz")
			}
			rotate(w)
			w.writes("access.log", "six\n")
			w.starts()
			w.gets("four", "five", "six")
			w.quiet()
		})
	}
}

func TestCopyTruncateGivesWhatTheCopyHas(t *testing.T) {
	w := newWorld(t, "access.log*")
	w.starts()
	w.writes("access.log", "one\n")
	w.gets("one")
	w.writes("access.log", "two\n")
	w.copiesAndEmpties("access.log", "access.log.1")
	w.writes("access.log", "three, which is longer than all before\n")
	w.gets("two", "three, which is longer than all before")
	w.now = w.now.Add(2 * time.Minute)
	w.gets()
	w.dies()
	w.starts()
	w.gets()
	w.quiet()
}

// The follower starts between the beginning of copying and the truncation, and has not
// seen what is copied.
func TestAFileThatIsFirstSeenWhileItIsCopiedIsReadOnce(t *testing.T) {
	for _, copied := range []string{"two\n", "two\nth", "two\nthree\n"} {
		for _, restart := range []bool{false, true} {
			w := newWorld(t)
			w.starts()
			w.writes("access.log", "one\n")
			w.gets("one")
			w.dies()
			w.copiesAndEmpties("access.log", "access.log.2")
			w.writes("access.log", "two\nthree\n")
			w.writes("access.log.1", copied)
			w.starts()
			if diff := cmp.Diff([]string{"two", "three"}, w.polls()); diff != "" {
				t.Errorf("of %q copied, lines (-want +got):\n%s", copied, diff)
			}
			if restart {
				w.dies()
			} else {
				w.commits()
			}
			w.copiesAndEmpties("access.log", "access.log.1")
			w.writes("access.log", "four\n")
			if restart {
				w.starts()
				w.gets("two", "three", "four")
			} else {
				w.gets("four")
			}
			w.quiet()
		}
	}
}

// A first line may be the same in all files, as that of a header is.
func TestAFileThatNobodySawIsNoCopyOfOneThatBeginsAlike(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.writes("access.log", "one\n")
	w.gets("one")
	w.dies()
	w.renames("access.log", "access.log.2")
	w.writes("access.log.1", "#Fields\ntwo\n")
	w.writes("access.log", "#Fields\nfour\nfive\n")
	w.starts()
	w.gets("#Fields", "two", "#Fields", "four", "five")
	w.quiet()
}

func TestTruncatedFileIsReportedAndReadOn(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.writes("access.log", "one\ntwo\n")
	w.gets("one", "two")
	if err := os.Truncate(w.path("access.log"), 0); err != nil {
		t.Fatal(err)
	}
	w.writes("access.log", "new\n")
	w.gets("new")
	if len(w.told) != 1 || !strings.Contains(w.told[0], "what it had after byte 8 is lost") {
		t.Errorf("told: %q", w.told)
	}
}

func TestADeletedFileIsReadToItsEndAndItsSuccessorToo(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.writes("access.log", "one\n")
	w.gets("one")
	w.writes("access.log", "two\n")
	if err := os.Remove(w.path("access.log")); err != nil {
		t.Fatal(err)
	}
	w.gets("two")
	w.writes("access.log", "three\n")
	w.gets("three")
	w.now = w.now.Add(2 * time.Minute)
	w.gets()
	if open, _ := w.tail.Files(); open != 1 {
		t.Errorf("%d files are open", open)
	}
	w.quiet()
}

func TestAFileThatIsAwayAtTheStartIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.starts()
	w.writes("access.log", "one\n")
	w.gets("one")
	w.dies()
	w.renames("access.log", "elsewhere")
	w.starts()
	w.gets()
	if len(w.told) != 1 || !strings.Contains(w.told[0], "waiting for it") {
		t.Errorf("told: %q", w.told)
	}
	w.renames("elsewhere", "access.log")
	w.writes("access.log", "two\n")
	w.gets("two")
}

func TestGlobsFindFilesThatComeLaterAndNoFileTwice(t *testing.T) {
	w := newWorld(t, "*.log*", "a.log")
	w.starts()
	w.writes("a.log", "a1\n")
	w.writes("b.log", "b1\n")
	w.gets("a1", "b1")
	w.renames("a.log", "a.log.1")
	w.writes("a.log", "a2\n")
	w.writes("c.log", "c1\n")
	w.gets("a2", "c1")
	w.dies()
	w.writes("a.log.1", "late\n")
	w.starts()
	w.gets("late")
	w.quiet()
}

func TestFilesThatBeginAlikeAreTwoFiles(t *testing.T) {
	w := newWorld(t, "a.log", "b.log")
	w.writes("a.log", "GET /healthz\nGET /healthz\n")
	w.writes("b.log", "GET /healthz\nGET /healthz\n")
	w.starts()
	w.gets("GET /healthz", "GET /healthz", "GET /healthz", "GET /healthz")
	if len(w.ids) != 4 {
		t.Errorf("%d ids, want 4", len(w.ids))
	}
}

func TestASymlinkIsFollowedWhereItPoints(t *testing.T) {
	w := newWorld(t)
	w.writes("one", "1\n")
	w.writes("two", "2\n")
	if err := os.Symlink("one", w.path("access.log")); err != nil {
		t.Fatal(err)
	}
	w.starts()
	w.gets("1")
	w.writes("one", "1b\n")
	if err := os.Symlink("two", w.path("new")); err != nil {
		t.Fatal(err)
	}
	w.renames("new", "access.log")
	w.gets("1b", "2")
	w.quiet()
}

func TestAHugeLineIsCutAndTheNextIsRead(t *testing.T) {
	w := newWorld(t)
	w.o.MaxLine = 1000
	w.starts()
	w.writes("access.log", "first\n"+strings.Repeat("é", 100_000))
	w.gets("first")
	w.writes("access.log", strings.Repeat("x", 100_000)+"\nnext ünïcode\n")
	lines, err := w.tail.Poll(10, 1<<20)
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if !lines[0].TooLong || len(lines[0].Text) != 1000 || lines[1].TooLong || string(lines[1].Text) != "next ünïcode" {
		t.Errorf("%v %d bytes, %v %q", lines[0].TooLong, len(lines[0].Text), lines[1].TooLong, lines[1].Text)
	}
	if lines[1].Offset != 6+200_000+100_000+1 {
		t.Errorf("offset %d", lines[1].Offset)
	}
}

func TestFromEndLeavesOutOnlyWhatWasThereBefore(t *testing.T) {
	w := newWorld(t, "access.log", "later.log")
	w.o.FromEnd = true
	w.writes("access.log", "old\nolder\nhalf")
	w.starts()
	w.gets()
	w.writes("access.log", " and half\nnew\n")
	w.writes("later.log", "first\n")
	w.gets("half and half", "new", "first")
	w.dies()
	w.writes("access.log", "while dead\n")
	w.starts()
	w.gets("while dead")
}

func TestStateFileOfAnotherProcessOrDamagedIsRefused(t *testing.T) {
	w := newWorld(t)
	w.starts()
	if _, err := tail.Open(w.o); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second one: %v", err)
	}
	w.dies()
	for _, state := range []string{"", "{", `{"version":2}`, `{"version":1,"files":[{"id":"x"}]}`, `{"version":1,"files":[null]}`} {
		if err := os.WriteFile(w.o.State, []byte(state), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := tail.Open(w.o); err == nil {
			t.Errorf("%q is taken", state)
			_ = s.Close()
		}
	}
}

func TestFoldersAndCompressedFilesAreReportedAsNoLogs(t *testing.T) {
	w := newWorld(t, "dir", "old.gz")
	if err := os.Mkdir(w.path("dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.writes("old", "x\n")
	w.compresses("old", "old.gz")
	w.starts()
	w.gets()
	w.gets()
	if len(w.told) != 2 || !strings.Contains(w.told[0], "not a regular file") || !strings.Contains(w.told[1], "compressed") {
		t.Errorf("told: %q", w.told)
	}
}

func TestAWrongPatternIsRefused(t *testing.T) {
	w := newWorld(t, "[")
	if _, err := tail.Open(w.o); err == nil {
		t.Error("taken")
	}
}

func TestABatchEndsAtItsLimits(t *testing.T) {
	w := newWorld(t)
	w.writes("access.log", strings.Repeat("0123456789\n", 100_000))
	w.starts()
	lines, err := w.tail.Poll(500, 1<<20)
	if err != nil || len(lines) != 500 {
		t.Fatal(len(lines), err)
	}
	if lines, err = w.tail.Poll(500, 100); err != nil || len(lines) != 10 || lines[0].Offset != 5500 {
		t.Fatal(len(lines), err)
	}
	w.commits()
	w.dies()
	w.starts()
	if lines, err = w.tail.Poll(1, 1<<20); err != nil || len(lines) != 1 || lines[0].Offset != 5610 {
		t.Fatal(lines, err)
	}
}
