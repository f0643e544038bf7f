package datadir

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// CheckSpace says which of the folders is on a disk that is full, or has less free space
// than least bytes.
func CheckSpace(folders []string, least uint64) error {
	for _, dir := range folders {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			return fmt.Errorf("free space of %s: %w", dir, err)
		}
		if free := st.Bavail * uint64(st.Bsize); free == 0 || free < least {
			return fmt.Errorf("%s has %d MiB of free disk, and --min-free wants %d", dir, free>>20, least>>20)
		}
	}
	return nil
}
