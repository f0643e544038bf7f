//go:build !planted

package main

import "github.com/weir-analytics/weir/internal/hot"

// plant is where the torture's self-test puts a bug in; see plant_on.go.
func plant(s hot.Store) hot.Store { return s }
