//go:build race

package main

// underRace says that the race detector is on, which makes a large test last ten
// times as long.
const underRace = true
