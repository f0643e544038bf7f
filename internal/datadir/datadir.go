// Package datadir keeps the folder of a node's data: one process at a time uses it, in a
// format that this version reads, readable to its owner alone.
package datadir

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// format is raised when a data folder cannot be used by the version before.
const format = "1\n"

// Files of the folder that belong to no store.
const (
	formatFile = "FORMAT"
	nodeFile   = "node"
)

// Dir is a data folder that this process has locked.
type Dir struct {
	// Node is the node's name: 16 characters, made at the first start. It stays in the
	// folder, so that a node that starts again claims its own shards at once.
	Node string
	lock *os.File
}

// Check makes the folder and refuses one of a newer version than this.
func Check(dir, version string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dir, formatFile)
	got, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(got) == 0:
		// A crash while the file was made leaves it empty; no store is older than it.
		if err := os.WriteFile(path, []byte(format), 0o600); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		return nil
	case err != nil:
		return fmt.Errorf("data folder: %w", err)
	case string(got) != format:
		return fmt.Errorf("data folder %s has format %q, this version (%s) reads format %q: it was written by a newer version of Weir; "+
			"run that version, or restore a backup", dir, strings.TrimSpace(string(got)), version, strings.TrimSpace(format))
	}
	return nil
}

// Claim locks the folder for this process. The caller closes it. The kernel releases the
// lock when the process ends, however it ends.
func Claim(dir string) (*Dir, error) {
	f, err := os.OpenFile(filepath.Join(dir, nodeFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	d := &Dir{lock: f}
	if d.Node, err = lockedName(dir, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return d, nil
}

func lockedName(dir string, f *os.File) (string, error) {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return "", fmt.Errorf("another weir is running on the data folder %s: stop it, or use another --data", dir)
	} else if err != nil {
		return "", fmt.Errorf("data folder: lock: %w", err)
	}
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if name := strings.TrimSpace(string(raw)); len(name) == 16 {
		return name, nil
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	name := hex.EncodeToString(id[:])
	if _, err := f.WriteAt([]byte(name+"\n"), 0); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return name, nil
}

// Close unlocks the folder.
func (d *Dir) Close() error { return d.lock.Close() }
