package process

import "syscall"

// RaiseOpenFiles raises the limit of open files as far as the system lets the process, and
// returns it.
func RaiseOpenFiles() (int, error) {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0, err
	}
	if r.Cur < r.Max {
		higher := syscall.Rlimit{Cur: r.Max, Max: r.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &higher) == nil {
			r = higher
		}
	}
	return int(min(r.Cur, 1<<30)), nil
}
