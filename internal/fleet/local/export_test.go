package local

// Len returns how many locks are remembered.
func (x *Locks) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.held)
}
