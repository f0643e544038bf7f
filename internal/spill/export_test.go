package spill

// Spilling says whether appends go to the local log.
func (s *Spillway) Spilling() bool { return s.spilling.Load() }
