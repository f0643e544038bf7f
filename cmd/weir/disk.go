package main

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// folders are those that the node writes to.
func (s *server) folders() []string {
	c := s.cmd
	all := []string{c.Data}
	for _, file := range []string{c.metaFile, c.cold.File} {
		if file != "" {
			all = append(all, filepath.Dir(file))
		}
	}
	if c.Hot != "" && c.hot.Folder != "" { // not the default one, which is in Data, and not there before it is opened
		all = append(all, c.hot.Folder)
	}
	if s.spill != nil {
		all = append(all, c.Spill)
	}
	return all
}

// probeDisk says whether a disk is full, or has less room than --min-free wants.
func (s *server) probeDisk(context.Context) error {
	least := s.cmd.MinFree << 20
	for _, dir := range s.folders() {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return fmt.Errorf("free space of %s: %w", dir, err)
		}
		if free := st.Bavail * uint64(st.Bsize); free == 0 || free < least {
			return fmt.Errorf("%s has %d MiB of free disk, and --min-free wants %d", dir, free>>20, s.cmd.MinFree)
		}
	}
	return nil
}
