//go:build !linux

package servertest

import "syscall"

// dieWithParent is nothing here: only the test's cleanup ends its servers.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
