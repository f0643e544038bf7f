// Package tail follows growing files as tail -F does, and stores the offset of each. It
// returns lines in order, each once, over rotation by rename, over copytruncate, and over
// the death of the process at any moment.
//
// A file is identified by device, inode and a hash of its first line, and gets an id of its
// own when it is first seen. DESIGN.md says when lines can be lost.
package tail

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// upToDate says whether a file that was closed has nothing new.
func (t *Tail) upToDate(c *candidate) bool {
	read := false
	for _, e := range t.state.Files {
		if e.key() == c.key && e.Path == c.path && !e.Done {
			read = e.Offset == c.size && e.Modified.Equal(c.modified)
		} else if t.lacks(e, c.path) {
			return false
		}
	}
	return read && t.o.MaxOpen > 0
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

// scan brings the sources in line with what the paths name now.
func (t *Tail) scan() {
	paths := t.paths()
	if t.fresh && t.o.FromEnd {
		t.skipped = map[string]bool{}
		for _, path := range paths {
			t.skipped[path] = true
		}
	}
	first, _ := slices.BinarySearch(paths, t.turn)
	paths, t.turn = append(slices.Clone(paths[first:]), paths[:first]...), ""
	rotated := map[string]string{} // root by path
	for _, path := range paths {
		if root := rootOf(path, paths); root != "" {
			rotated[path] = root
		} else {
			t.visit(path)
		}
	}
	for _, path := range paths {
		if root := rotated[path]; root != "" {
			t.visitRotated(path, root)
		}
	}
	t.fresh = false
}

// paths returns what the patterns name, sorted, each once: also what does not exist
// and what was followed before.
func (t *Tail) paths() []string {
	seen := map[string]bool{}
	for _, p := range t.o.Patterns {
		if !strings.ContainsAny(p, `*?[`) {
			seen[p] = true
			continue
		}
		found, err := filepath.Glob(p)
		if err != nil {
			t.once("%s: %v", p, err)
		}
		for _, f := range found {
			seen[f] = true
		}
		for _, e := range t.state.Files {
			if ok, _ := filepath.Match(p, e.Path); ok && !e.Done {
				seen[e.Path] = true
			}
		}
	}
	out := make([]string, 0, len(seen))
	for p := range seen {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// visit looks at what stands at a path now.
func (t *Tail) visit(path string) {
	c, err := t.candidate(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.once("%s cannot be read: %v", path, err)
		}
		c = nil
	}
	for _, s := range t.sources {
		if s.entry.Path == path {
			s.away = c != nil && c.key != s.key
		}
	}
	if c != nil && t.followed(c) {
		return
	}
	if c != nil && t.upToDate(c) {
		return
	}
	if t.waiting(path) || c != nil && !t.ignored[c.key].Equal(c.modified) {
		if t.full(path) {
			return
		}
		t.change(path, c)
	}
	delete(t.skipped, path)
}

// followed says whether a source has the file open, and finds out whether it
// was emptied: then the source is gone.
func (t *Tail) followed(c *candidate) bool {
	for _, s := range t.sources {
		if s.key != c.key || s.file == nil {
			continue
		}
		if s.stream != nil || c.size >= s.next && s.same() {
			return true
		}
		t.drop(s)
		return false
	}
	return false
}

// waiting says whether a file that was followed at the path was not read to its
// end and is not open.
func (t *Tail) waiting(path string) bool {
	return slices.ContainsFunc(t.state.Files, func(e *entry) bool { return t.lacks(e, path) })
}

func (t *Tail) lacks(e *entry, path string) bool {
	return e.Path == path && !e.Done && !slices.ContainsFunc(t.sources, func(s *source) bool { return s.entry == e })
}

// change handles a path that names another file than before, and one that is
// seen for the first time; c is nil when nothing stands there. What was written
// before comes before it.
func (t *Tail) change(path string, c *candidate) {
	var f *opened
	if c != nil {
		var err error
		if f, err = c.open(); errors.Is(err, fs.ErrNotExist) {
			return // renamed since it was looked at
		} else if err != nil {
			t.once("%s cannot be read: %v", path, err)
			return
		}
		if f == nil && !t.waiting(path) {
			return // without a whole line it cannot be identified
		}
		if f != nil {
			defer f.unused()
			c = &f.candidate // it may be another file by now
		}
	}
	known := false
	var gone []*entry
	for _, e := range t.state.Files {
		known = known || e.Path == path
		switch {
		case !t.lacks(e, path):
		case f != nil && !f.used && f.continues(e):
			t.follow(e, f, false)
		default:
			gone = append(gone, e)
		}
	}
	if len(gone) == 0 && (f == nil || f.used) {
		return
	}
	var rotated []*opened
	if known {
		after := t.lastWritten(path)
		var ok bool
		if rotated, ok = t.look(path, c, func(r *opened) bool {
			return slices.ContainsFunc(gone, r.continues) || !r.modified.Before(after) && t.known(path, r.head) == nil
		}); !ok {
			return
		}
		defer unused(rotated)
	}
	for _, e := range gone {
		t.recover(e, path, rotated, c != nil)
	}
	if f == nil || f.used || !t.meets(path, f) {
		if len(gone) > 0 && (f != nil || c == nil || !c.begun()) {
			t.missed(path, rotated, nil)
		}
		return
	}
	t.missed(path, rotated, f)
	if known && !f.same() {
		return // emptied meanwhile: the next poll sees what it is now, and the copy
	}
	e := t.newEntry(path, f)
	if t.skipped[path] {
		e.Offset = f.lastLineEnd()
	}
	t.follow(e, f, false)
}

// meets says whether the file at a path was not followed yet. If it was, it is read on if it
// has grown.
func (t *Tail) meets(path string, f *opened) bool {
	e := t.state.find(f.key, f.head)
	switch {
	case e != nil && (!e.Done || e.Path == path && f.size > e.Offset): // given up too early
		e.Done = false
		t.follow(e, f, e.Path != path)
		return false
	case e == nil && !f.packed:
		return true
	case e == nil:
		t.once("%s is compressed: it is imported without --follow", path)
	}
	t.ignored[f.key] = f.modified
	return false
}

// newEntry gives a file an id.
func (t *Tail) newEntry(path string, f *opened) *entry {
	var id [16]byte
	if _, err := io.ReadFull(t.o.Random, id[:]); err != nil {
		panic(fmt.Sprintf("tail: no randomness: %v", err)) // crypto/rand never fails
	}
	e := &entry{ID: hex.EncodeToString(id[:]), Path: path, Head: f.head, HeadLen: f.headLen, Modified: f.modified}
	t.state.Files = append(t.state.Files, e)
	return e
}

// follow makes a source of a file from where its entry was left.
func (t *Tail) follow(e *entry, f *opened, away bool) {
	own := !f.packed && (e.key() == f.key || e.key() == key{})
	e.Device, e.Inode = f.key.device, f.key.inode
	s, err := f.source(e, own, t.o.Clock.Now())
	if err != nil {
		t.once("%s cannot be read: %v", f.path, err)
		return
	}
	s.away = away
	t.sources = append(t.sources, s)
}

// there says whether a file that is done with is still where it could be met
// again.
func (t *Tail) there(e *entry) bool {
	_, err := os.Stat(e.Path)
	if err == nil {
		for _, c := range t.siblings(e.Path) {
			if c.key == e.key() {
				return true
			}
		}
	}
	return false
}
