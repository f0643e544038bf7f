//go:build !clocked

package main

import weir "github.com/weir-analytics/weir"

// systemClock returns the machine's clock. The tortures set another; see clock_on.go.
func systemClock() weir.Clock { return nil }
