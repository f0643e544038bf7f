package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// othersBits are the permissions of everybody but the owner.
const othersBits = 0o077

// keepPrivate makes all files that the process makes from now on the owner's alone:
// those of the stores' own code too.
func keepPrivate() { syscall.Umask(othersBits) }

// tighten takes from others the stores that they may read: an earlier version made
// some so. It only warns of the data folder itself, which may be shared on purpose: the
// stores in it are not.
func (s *server) tighten() {
	c := s.cmd
	paths := []string{filepath.Join(c.Data, "FORMAT"), filepath.Join(c.Data, "node")}
	for _, path := range []string{c.hot.Folder, c.cold.File, c.metaFile} {
		if path != "" {
			paths = append(paths, path, path+".wal", path+"-wal", path+"-shm")
		}
	}
	if c.Spill != "" {
		paths = append(paths, c.Spill)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&othersBits == 0 {
			continue // what is not there yet is made private
		}
		if err := os.Chmod(path, info.Mode().Perm()&^othersBits); err != nil {
			s.log.Warn("others on this machine may read a store, and its permissions cannot be changed", "path", path, "error", err)
			continue
		}
		s.log.Warn("others on this machine could read a store: it is its owner's alone now", "path", path, "was", info.Mode().Perm().String())
	}
	if info, err := os.Stat(c.Data); err == nil && info.Mode().Perm()&othersBits != 0 {
		s.log.Warn("others on this machine may look into the data folder, though not at its stores: chmod 700 keeps them out", "path", c.Data, "mode", info.Mode().Perm().String())
	}
}
