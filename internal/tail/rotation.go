package tail

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// siblings are the regular files that rotation may have made of a path's,
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

// recover looks for a file that was followed at a path and is not there any
// more: under another name, as a copy made before it was emptied, or
// compressed. current is what stands at the path now, or nil.
func (t *Tail) recover(e *entry, path string, current *candidate) {
	var copies, packed []*opened
	defer func() {
		for _, f := range slices.Concat(copies, packed) {
			f.unused()
		}
	}()
	for _, c := range t.siblings(path) {
		if current != nil && c.key == current.key || t.isOpen(c.key) {
			continue
		}
		f, err := c.open()
		if err != nil || f == nil {
			continue
		}
		switch {
		case f.head != e.Head || !f.packed && f.size < e.Offset:
			f.unused()
		case f.packed:
			packed = append(packed, f)
		case f.key == e.key():
			copies = slices.Insert(copies, 0, f)
		default:
			copies = append(copies, f)
		}
	}
	for _, f := range slices.Concat(copies, packed) {
		t.follow(e, f, true)
		return
	}
	if current == nil {
		t.once("%s is not there, nor what it was renamed to; waiting for it", path)
		return
	}
	e.Done, e.Ended = true, t.o.Clock.Now()
	t.o.Tell("%s is not what it was, and neither the file before nor a copy of it was found: what it had after byte %d is lost", path, e.Offset)
}

// isOpen says whether a source has the file.
func (t *Tail) isOpen(k key) bool {
	return slices.ContainsFunc(t.sources, func(s *source) bool { return s.key == k })
}

// rootOf is the path among those that are followed that a rotated file's name
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
		return // what is wrong with the file is told where it matters
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

// known is the entry of a path's file that began so, or nil.
func (t *Tail) known(path, head string) *entry {
	for _, e := range t.state.Files {
		if e.Path == path && e.Head == head {
			return e
		}
	}
	return nil
}

// missed follows whole files that came to a path and were rotated away again
// unseen: they were written after what was last known of the path. Of what stands
// there now, if there is something, fresh is what nobody saw yet; it may have a copy
// already, before it is emptied.
func (t *Tail) missed(path string, current *candidate, fresh *opened) {
	var after time.Time
	for _, e := range t.state.Files {
		if e.Path == path && e.Modified.After(after) {
			after = e.Modified
		}
	}
	for _, s := range t.sources {
		at := s.modified
		if info, err := s.stat(); err == nil {
			at = info.ModTime()
		}
		if s.entry.Path == path && at.After(after) {
			after = at
		}
	}
	for _, c := range t.siblings(path) {
		if c.modified.Before(after) || current != nil && c.key == current.key || t.isOpen(c.key) {
			continue
		}
		f, err := c.open()
		if err != nil || f == nil {
			continue
		}
		if t.known(path, f.head) == nil && (fresh == nil || !f.copyOf(fresh)) {
			t.follow(t.newEntry(path, f), f, true)
		}
		f.unused()
	}
}
