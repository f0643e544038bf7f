package tail

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

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
