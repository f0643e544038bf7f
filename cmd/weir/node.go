package main

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

// claimNode takes the data folder for this process and returns the node's name,
// which stays in it: a node that starts again is the one that it was, and takes
// its shards at once.
func (s *server) claimNode() (string, error) {
	dir := s.cmd.Data
	f, err := os.OpenFile(filepath.Join(dir, "node"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	s.onClose(f.Close)
	// The kernel lets go of the lock when the process ends, however it ends.
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
	_, _ = rand.Read(id[:])
	name := hex.EncodeToString(id[:])
	if _, err := f.WriteAt([]byte(name+"\n"), 0); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return name, nil
}
