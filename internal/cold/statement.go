package cold

import (
	"errors"
	"time"
)

// Bounds are the limits of a statement that a user wrote.
type Bounds struct {
	Time   time.Duration
	Rows   int   // of the result
	Memory int64 // bytes, where the engine counts them for each statement
}

// ErrStatement says that the engine refuses what a statement asks for: another try fails too.
var ErrStatement = errors.New("cold: engine refuses the statement")
