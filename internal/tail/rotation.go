package tail

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// isRotated says whether a file's name is one that rotation gives to what was
// at base: access.log.1, access.log-20260301, access.log.2.gz by logrotate;
// access-2026-03-01T12-00-00.000.log by Caddy. access-admin.log is not.
func isRotated(base, name string) bool {
	digit := func(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }
	if rest, ok := strings.CutPrefix(name, base); ok && rest != "" {
		return strings.ContainsRune(".-_", rune(rest[0])) && digit(rest[1:])
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	rest, ok := strings.CutPrefix(name, stem)
	if !ok || rest == "" || ext == "" || !strings.ContainsRune(".-_", rune(rest[0])) || !digit(rest[1:]) {
		return false
	}
	for _, packed := range []string{"", ".gz", ".zst"} {
		if strings.HasSuffix(rest, ext+packed) {
			return true
		}
	}
	return false
}

// siblings returns the regular files that rotation may have made of a path's,
// beside it and beside what it points to, oldest first.
func (t *Tail) siblings(path string) []*candidate {
	places := []string{path}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		places = append(places, target)
	}
	var out []*candidate
	for _, place := range places {
		dir, base := filepath.Split(place)
		names, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, n := range names {
			if !isRotated(base, n.Name()) {
				continue
			}
			if c, err := t.candidate(filepath.Join(dir, n.Name())); err == nil {
				out = append(out, c)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *candidate) int { return a.modified.Compare(b.modified) })
	return out
}

// looks is how often one poll lists a path's rotated files until nothing moved meanwhile.
const looks = 10

// look opens the rotated files of a path that are wanted and that no source reads,
// oldest first; the caller closes them. Rotation may rename and compress files at any
// moment: a file that moves from one name to the next between the listing and the
// opening is seen under neither. So the names are listed again afterwards, and nothing
// counts until they still mean the same files. current is what stood at the path, or
// nil. ok is false when too much moves: the next poll looks again.
func (t *Tail) look(path string, current *candidate, wanted func(*opened) bool) (found []*opened, ok bool) {
	for range looks {
		names := t.siblings(path)
		found, ok = t.openSiblings(names, current, wanted)
		if ok && sameFiles(names, t.siblings(path)) {
			now, _ := t.candidate(path)
			if now == nil && current == nil || now != nil && current != nil && now.key == current.key {
				return found, true
			}
		}
		unused(found)
	}
	return nil, false
}

// openSiblings returns false when a name does not mean the file any more that it meant.
func (t *Tail) openSiblings(names []*candidate, current *candidate, wanted func(*opened) bool) (found []*opened, ok bool) {
	for _, c := range names {
		if current != nil && c.key == current.key || t.isOpen(c.key) {
			continue
		}
		f, err := c.open()
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EMFILE):
			return found, false
		case err != nil || f == nil: // not ours to read, or without a whole line
		case f.key != c.key:
			f.unused()
			return found, false
		case wanted(f):
			found = append(found, f)
		default:
			f.unused()
		}
	}
	return found, true
}

// sameFiles says whether two listings have the same files under the same names.
func sameFiles(a, b []*candidate) bool {
	byName := func(x, y *candidate) int { return strings.Compare(x.path, y.path) }
	return slices.EqualFunc(slices.SortedFunc(slices.Values(a), byName), slices.SortedFunc(slices.Values(b), byName),
		func(x, y *candidate) bool { return x.path == y.path && x.key == y.key })
}

func unused(files []*opened) {
	for _, f := range files {
		f.unused()
	}
}

// recover looks for the rest of a file that was followed at a path and is not there any more:
// under another name, as a copy made before it was emptied, or compressed. current says
// whether the path has another file now.
func (t *Tail) recover(e *entry, path string, rotated []*opened, current bool) {
	var best *opened
	rank := func(f *opened) int { // of several, the newest
		switch {
		case f.key == e.key():
			return 3
		case !f.packed:
			return 2
		}
		return 1
	}
	for _, f := range rotated {
		if !f.used && f.continues(e) && (best == nil || rank(f) > rank(best)) {
			best = f
		}
	}
	switch {
	case best != nil:
		t.follow(e, best, true)
	case !current:
		t.once("%s is not there, nor what it was renamed to; waiting for it", path)
	default:
		e.Done, e.Ended = true, t.o.Clock.Now()
		t.o.Tell("%s is not what it was, and neither the file before nor a copy of it was found: what it had after byte %d is lost", path, e.Offset)
	}
}

// continues says whether a file is what an entry was left at, or has it.
func (o *opened) continues(e *entry) bool {
	return o.head == e.Head && (o.packed || o.size >= e.Offset)
}

// isOpen says whether a source has the file.
func (t *Tail) isOpen(k key) bool {
	return slices.ContainsFunc(t.sources, func(s *source) bool { return s.key == k })
}

// rootOf returns the path among those that are followed that a rotated file's name
// comes from, or "".
func rootOf(path string, paths []string) string {
	dir, name := filepath.Split(path)
	for _, p := range paths {
		if d, base := filepath.Split(p); d == dir && isRotated(base, name) {
			return p
		}
	}
	return ""
}

// visitRotated looks at a file that a glob names beside the path that it was
// rotated away from. It is new, or it is what is known of that path: the file
// itself, or a copy.
func (t *Tail) visitRotated(path, root string) {
	c, err := t.candidate(path)
	if err != nil || t.isOpen(c.key) || t.ignored[c.key].Equal(c.modified) {
		return // the error is reported where the file is read
	}
	if t.full(path) {
		return
	}
	f, err := c.open()
	if err != nil || f == nil {
		return
	}
	defer f.unused()
	e := t.known(root, f.head)
	switch {
	case f.packed:
		t.ignored[f.key] = f.modified // read where something is missing
	case e == nil:
		t.follow(t.newEntry(root, f), f, true)
	case t.lacks(e, root) && e.key() == f.key && f.size >= e.Offset:
		t.follow(e, f, true)
	case !t.lacks(e, root):
		t.ignored[f.key] = f.modified
	}
}

// known returns the entry of a path's file that began so, or nil.
func (t *Tail) known(path, head string) *entry {
	for _, e := range t.state.Files {
		if e.Path == path && e.Head == head {
			return e
		}
	}
	return nil
}

// lastWritten returns when what is known of a path was last written to.
func (t *Tail) lastWritten(path string) time.Time {
	var last time.Time
	for _, e := range t.state.Files {
		if e.Path == path && e.Modified.After(last) {
			last = e.Modified
		}
	}
	for _, s := range t.sources {
		at := s.modified
		if info, err := s.stat(); err == nil && s.own {
			at = info.ModTime()
		}
		if s.entry.Path == path && at.After(last) {
			last = at
		}
	}
	return last
}

// missed follows files from their first byte that came to a path and were rotated away between
// two polls: they were written after the last known file of the path. fresh is the file at the
// path now, if it was not followed yet. It may have a copy already, before it is emptied.
func (t *Tail) missed(path string, rotated []*opened, fresh *opened) {
	after := t.lastWritten(path)
	for _, f := range rotated {
		if !f.used && !f.modified.Before(after) && t.known(path, f.head) == nil && (fresh == nil || !f.copyOf(fresh)) {
			t.follow(t.newEntry(path, f), f, true)
		}
	}
}
