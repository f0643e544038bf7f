package main

import (
	"os/signal"
	"syscall"
)

// outliveReaders lets a long command go on when nobody reads its output any more,
// such as a log collector that has ended: without it the next line would end the
// process by SIGPIPE, which systemd takes for a clean exit. Writes then fail
// with EPIPE, and what they said is lost.
func outliveReaders() { signal.Ignore(syscall.SIGPIPE) }
