//go:build !linux

package redistest

import "syscall"

// dieWithParent is nothing here: only the test's cleanup ends its servers.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
