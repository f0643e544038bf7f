package pebble

// NewLogger is what Pebble logs to.
var NewLogger = newLogger
