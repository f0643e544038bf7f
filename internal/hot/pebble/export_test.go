package pebble

import (
	"bytes"
	"context"

	dto "github.com/prometheus/client_model/go"
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

// Written returns how often the store has synced its write-ahead log, and how many bytes it has given it.
func Written(s *Store) (syncs, size uint64, err error) {
	m := s.db.Metrics()
	var h dto.Metric
	err = m.LogWriter.FsyncLatency.Write(&h)
	return h.GetHistogram().GetSampleCount(), m.WAL.BytesIn, err
}
