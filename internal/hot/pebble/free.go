package pebble

import "golang.org/x/sys/unix"

// free returns the number of bytes that an unprivileged process may still write on
// the disk of dir.
func free(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
