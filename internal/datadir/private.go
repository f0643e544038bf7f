package datadir

import (
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// othersBits are the permissions of everybody but the owner.
const othersBits = 0o077

// KeepPrivate makes all files that the process creates from now on the owner's alone, those
// that the stores' libraries create too.
func KeepPrivate() { syscall.Umask(othersBits) }

// MakePrivate takes the permissions of others from the stores and from the folder's own
// files: earlier versions created some with them. It only warns about the folder itself,
// which may be shared on purpose.
func MakePrivate(dir string, stores []string, log *slog.Logger) {
	paths := []string{filepath.Join(dir, formatFile), filepath.Join(dir, nodeFile)}
	for _, path := range stores {
		paths = append(paths, path, path+".wal", path+"-wal", path+"-shm")
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&othersBits == 0 {
			continue // what is not there yet is created private
		}
		if err := os.Chmod(path, info.Mode().Perm()&^othersBits); err != nil {
			log.Warn("others on this machine may read a store, and its permissions cannot be changed", "path", path, "error", err)
			continue
		}
		log.Warn("others on this machine could read a store: it is its owner's alone now", "path", path, "was", info.Mode().Perm().String())
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&othersBits != 0 {
		log.Warn("others on this machine may look into the data folder, though not at its stores: chmod 700 keeps them out", "path", dir, "mode", info.Mode().Perm().String())
	}
}
