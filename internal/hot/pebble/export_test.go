package pebble

import (
	"bytes"
	"context"
)

// NewLogger is what Pebble logs to.
var NewLogger = newLogger

// Values returns how many values of the store have the text in them, by the tag of their keys.
func Values(s *Store, text string) (map[string]int, error) {
	n := map[string]int{}
	return n, s.scan(context.Background(), nil, nil, func(key, value []byte) error {
		if bytes.Contains(value, []byte(text)) {
			n[string(key[:1])]++
		}
		return nil
	})
}
