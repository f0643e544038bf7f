//go:build unix

package tail

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// keyOf returns the file's device and inode.
func keyOf(info os.FileInfo) key {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return key{uint64(s.Dev), uint64(s.Ino)} //nolint:unconvert,gosec // their types differ between systems
	}
	return key{}
}

// links returns how many names the file has; 0 is deleted.
func links(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink) //nolint:unconvert // its type differs between systems
	}
	return 1
}

// lock holds a lock file until unlock. The system lets go of it when the
// process dies.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil { //nolint:gosec // a file descriptor
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.New("another process follows with this state")
		}
		return nil, err
	}
	return f.Close, nil
}
