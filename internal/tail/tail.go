// Package tail follows growing files as tail -F does, and stores the offset of each. It
// returns lines in order, each once, over rotation by rename, over copytruncate, and over
// the death of the process at any moment.
//
// A file is identified by device, inode and a hash of its first line, and gets an id of its
// own when it is first seen. DESIGN.md says when lines can be lost.
package tail

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Options of a Tail.
type Options struct {
	Patterns []string // paths and globs; a path need not exist yet
	State    string   // the file of the offsets; its folder is made
	// FromEnd skips what the files have already, if there is no state.
	FromEnd bool
	// MaxLine is the longest line, in bytes, that is returned whole; 0 is 1 MiB.
	MaxLine int
	// Quiet is how long a rotated file must not have grown before it is closed; 0 is a
	// minute.
	Quiet time.Duration
	// MaxOpen is how many logs are open at once, but for the rotated files of one; 0 is all. More logs are
	// opened in turn.
	MaxOpen int
	Clock   weir.Clock
	Random  io.Reader // of the files' ids; nil is crypto/rand
	// Tell reports to the operator what is lost and what cannot be read.
	Tell func(format string, args ...any)
}

// Line is a line of a file. Empty lines are left out.
type Line struct {
	File    string // where the file was when the line was read
	Offset  int64  // of the line's first byte
	Text    []byte // without its ending; the caller's to keep
	TooLong bool   // Text is the line's first MaxLine bytes
	Source  string // the file's id, the same over renaming and restarts: 32 hex digits
}

// Tail follows files. It is not safe for concurrent use.
type Tail struct {
	o       Options
	state   *state
	unlock  func() error
	fresh   bool // there was no state, and no scan yet
	sources []*source
	ignored map[key]time.Time // files of no interest, by when they were changed
	told    map[string]bool   // what was said and would be said at each poll
	skipped map[string]bool   // paths of the first scan whose content FromEnd leaves out
	turn    string            // the first path that waits for others to be closed, "" is none
}

// Open reads the state and locks it. The caller closes the Tail. Errors: the
// state is another process', is damaged, or cannot be written.
func Open(o Options) (*Tail, error) {
	if o.MaxLine <= 0 {
		o.MaxLine = 1 << 20
	}
	if o.Quiet <= 0 {
		o.Quiet = time.Minute
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Tell == nil {
		o.Tell = func(string, ...any) {}
	}
	for i, p := range o.Patterns {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("tail: %q: %w", p, err)
		}
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("tail: %q: %w", p, err)
		}
		if i == 0 {
			o.Patterns = slices.Clone(o.Patterns)
		}
		o.Patterns[i] = abs
	}
	if err := os.MkdirAll(filepath.Dir(o.State), 0o700); err != nil {
		return nil, fmt.Errorf("tail: state: %w", err)
	}
	unlock, err := lock(o.State + ".lock")
	if err != nil {
		return nil, fmt.Errorf("tail: state %s: %w", o.State, err)
	}
	s, fresh, err := loadState(o.State)
	if err == nil && fresh {
		err = s.save(o.State)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tail: %w", err), unlock())
	}
	return &Tail{o: o, state: s, fresh: fresh, unlock: unlock, ignored: map[key]time.Time{}, told: map[string]bool{}}, nil
}

// Close closes the files and the state. What was returned since the last
// Commit is returned again by the next Tail of the same state.
func (t *Tail) Close() error {
	for _, s := range t.sources {
		s.close()
	}
	t.sources = nil
	return t.unlock()
}

// Poll reads all files and returns the new lines, at most limit and about maxBytes of text.
// It does not wait. Its errors are those of the state file alone: an error of a log is
// reported with Tell, and the log is read again at the next poll.
func (t *Tail) Poll(limit, maxBytes int) ([]Line, error) {
	known := len(t.state.Files)
	t.scan()
	if len(t.state.Files) != known {
		// A file's id must be on disk before a line has it.
		if err := t.state.save(t.o.State); err != nil {
			return nil, fmt.Errorf("tail: %w", err)
		}
	}
	var lines []Line
	for _, s := range slices.Clone(t.sources) {
		if len(lines) >= limit || maxBytes <= 0 {
			break
		}
		got, whole := s.read(t, limit-len(lines), maxBytes)
		if !whole {
			t.drop(s) // emptied meanwhile: the next scan looks for the rest
			continue
		}
		for _, l := range got {
			maxBytes -= len(l.Text)
		}
		lines = append(lines, got...)
	}
	return lines, nil
}

// Commit remembers that all lines returned so far are delivered.
func (t *Tail) Commit() error {
	changed := false
	for _, s := range slices.Clone(t.sources) {
		e := s.entry
		if e.Offset != s.next || s.ended {
			e.Offset, e.Modified, changed = s.next, s.modified, true
		}
		if s.ended {
			e.Done, e.Ended = true, t.o.Clock.Now()
			t.drop(s)
		}
	}
	if t.turn != "" {
		for _, s := range slices.Clone(t.sources) {
			if s.idle && !s.away {
				t.drop(s)
			}
		}
	}
	changed = t.state.prune(t.o.Clock.Now(), func(e *entry) bool { return t.there(e) }) || changed
	if !changed {
		return nil
	}
	if err := t.state.save(t.o.State); err != nil {
		return fmt.Errorf("tail: %w", err)
	}
	return nil
}

// Files returns how many files are open. Behind is how many bytes of them were not
// returned yet.
func (t *Tail) Files() (open int, behind int64) {
	for _, s := range t.sources {
		if info, err := s.stat(); err == nil && info.Size() > s.next {
			behind += info.Size() - s.next
		}
	}
	return len(t.sources), behind
}

// Waiting says whether logs with new lines wait until others are closed.
func (t *Tail) Waiting() bool { return t.turn != "" }

// full says whether no more logs may be opened. The path then has its turn at the next scan.
func (t *Tail) full(path string) bool {
	if t.o.MaxOpen <= 0 || len(t.sources) < t.o.MaxOpen {
		return false
	}
	if t.turn == "" {
		t.turn = path
	}
	return true
}

func (t *Tail) drop(s *source) {
	s.close()
	t.sources = slices.DeleteFunc(t.sources, func(x *source) bool { return x == s })
}

// once says something that would be true at every poll.
func (t *Tail) once(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !t.told[text] && len(t.told) < 1000 {
		t.told[text] = true
		t.o.Tell("%s", text)
	}
}
