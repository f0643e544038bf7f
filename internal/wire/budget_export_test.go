package wire

import "time"

// SetWait has requests wait for so long for memory.
func (b *Budget) SetWait(d time.Duration) { b.wait = d }
