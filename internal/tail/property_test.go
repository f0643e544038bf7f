package tail_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever happens in whatever order — writes in pieces, rotations of both
// kinds, compression, polls, commits and deaths — each line is delivered
// exactly once by its id, and nothing is told.
func TestWhateverHappensEachLineComesOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "world") //nolint:usetesting // one for each try
		if err != nil {
			r.Fatal(err)
		}
		w := newPropertyWorld(t, r, dir)
		defer w.dies()
		w.starts()
		w.line() // a log that was rotated away before it was first seen is not looked for
		w.take(true)
		for range rapid.IntRange(5, 60).Draw(r, "steps") {
			w.step()
		}
		w.settle()
		if len(w.told) > 0 {
			r.Fatalf("told: %q", w.told)
		}
		slices.Sort(w.delivered) // files come in the order in which they were met
		slices.Sort(w.written)
		if !slices.Equal(w.delivered, w.written) {
			state, _ := os.ReadFile(w.o.State)
			names, _ := os.ReadDir(w.dir)
			for _, n := range names {
				b, _ := os.ReadFile(w.path(n.Name()))
				i, _ := n.Info()
				r.Logf("%s %v %q", n.Name(), i.ModTime(), b)
			}
			r.Logf("%s", state)
			r.Fatalf("delivered %q\nwritten   %q", w.delivered, w.written)
		}
	})
}

// propertyWorld is a world that changes at random.
type propertyWorld struct {
	world
	r         *rapid.T
	n         int
	partial   string // begun, not ended
	written   []string
	seen      map[string]bool // ids that the server has
	delivered []string        // lines that it took
	copying   bool            // this world rotates by copytruncate
	rotated   int
}

func newPropertyWorld(t *testing.T, r *rapid.T, dir string) *propertyWorld {
	w := &propertyWorld{r: r, seen: map[string]bool{}, copying: rapid.Bool().Draw(r, "copytruncate")}
	w.world = world{t: t, dir: dir, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), ids: map[string]string{}}
	pattern := rapid.SampledFrom([]string{"access.log", "access.log*", "*.log*"}).Draw(r, "pattern")
	w.o.Patterns = []string{w.path(pattern)}
	w.o.State = w.path("state.json")
	w.o.MaxLine = 200
	w.o.Clock = func() time.Time { return w.now }
	w.o.Tell = func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !strings.Contains(text, "is compressed") && !strings.Contains(text, "waiting for it") {
			w.told = append(w.told, text)
		}
	}
	return w
}

func (w *propertyWorld) step() {
	switch rapid.SampledFrom([]string{"write", "write", "write", "part", "poll", "poll", "poll", "crash", "restart", "rotate", "compress", "wait"}).Draw(w.r, "step") {
	case "write":
		for range rapid.IntRange(1, 5).Draw(w.r, "lines") {
			w.line()
		}
	case "part":
		if w.partial == "" {
			w.n++
			w.partial = fmt.Sprintf("part %d ", w.n)
			w.writes("access.log", w.partial)
		}
	case "poll":
		w.take(true)
	case "crash":
		w.take(rapid.Bool().Draw(w.r, "commits"))
		w.dies()
		w.starts()
	case "restart":
		w.dies()
		for range rapid.IntRange(0, 6).Draw(w.r, "while dead") {
			w.line()
			if rapid.IntRange(0, 2).Draw(w.r, "rotates") == 0 {
				w.rotate()
			}
		}
		w.starts()
	case "rotate":
		w.rotate()
	case "compress":
		if w.rotated > 0 {
			name := fmt.Sprintf("access.log.%d", w.rotated)
			if _, err := os.Stat(w.path(name)); err == nil {
				w.compresses(name, name+".gz")
			}
		}
	case "wait":
		w.now = w.now.Add(2 * time.Minute)
	}
}

func (w *propertyWorld) line() {
	w.n++
	text := w.partial + fmt.Sprintf("line %d", w.n)
	w.writes("access.log", strings.TrimPrefix(text, w.partial)+"\n")
	w.partial = ""
	w.written = append(w.written, text)
}

// rotate keeps the names of before and after apart by number, newest highest.
func (w *propertyWorld) rotate() {
	if _, err := os.Stat(w.path("access.log")); err != nil || len(w.written) == 0 {
		return
	}
	if w.partial != "" {
		w.line() // a server ends its lines before it opens another file
	}
	if info, err := os.Stat(w.path("access.log")); err != nil || info.Size() == 0 {
		return
	}
	w.rotated++
	name := fmt.Sprintf("access.log.%d", w.rotated)
	if w.copying {
		w.copies(name)
		w.copiesAndEmpties("access.log", name)
	} else {
		w.renames("access.log", name)
	}
}

// copies begins a copy, which the follower may see, and may be started at.
func (w *propertyWorld) copies(name string) {
	b, err := os.ReadFile(w.path("access.log"))
	if err != nil {
		w.r.Fatal(err)
	}
	for range rapid.IntRange(0, 2).Draw(w.r, "looks while it is copied") {
		if err := os.WriteFile(w.path(name), b[:rapid.IntRange(0, len(b)).Draw(w.r, "copied")], 0o600); err != nil {
			w.r.Fatal(err)
		}
		running := w.tail != nil
		if !running {
			w.starts()
		}
		w.take(rapid.Bool().Draw(w.r, "commits"))
		if !running || rapid.Bool().Draw(w.r, "dies") {
			w.dies()
		}
		if running && w.tail == nil {
			w.starts()
		}
	}
}

// take delivers what there is; the commit may be lost in a crash.
func (w *propertyWorld) take(commit bool) {
	for range rapid.IntRange(1, 4).Draw(w.r, "polls") {
		lines, err := w.tail.Poll(rapid.IntRange(1, 5).Draw(w.r, "limit"), 1<<20)
		if err != nil {
			w.r.Fatal(err)
		}
		for _, l := range lines {
			if id := fmt.Sprint(l.Source, "+", l.Offset); !w.seen[id] {
				w.seen[id] = true
				w.delivered = append(w.delivered, string(l.Text))
			}
		}
		if !commit {
			return
		}
		if err := w.tail.Commit(); err != nil {
			w.r.Fatal(err)
		}
	}
}

// settle ends the line that is open and delivers all.
func (w *propertyWorld) settle() {
	w.line()
	for range 3 + len(w.written) {
		w.take(true)
	}
}
