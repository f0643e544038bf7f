package spill

import (
	"context"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// backlog is the sum of what waits in the local log. It is updated with events
// before they are appended and after they are committed, so it is never less
// than what waits.
type backlog struct {
	mu     sync.Mutex
	events int
	bytes  int64
	oldest time.Time
}

// add counts events that are about to be appended, unless they exceed the limit.
func (b *backlog) add(events int, bytes, limit int64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes+bytes > limit {
		return false
	}
	if b.events == 0 {
		b.oldest = now
	}
	b.events += events
	b.bytes += bytes
	return true
}

// drop takes events out that were not appended, or are delivered.
func (b *backlog) drop(events int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = max(0, b.events-events)
	b.bytes = max(0, b.bytes-bytes)
	if b.events == 0 {
		b.bytes, b.oldest = 0, time.Time{}
	}
}

// since says when the oldest of the events was received.
func (b *backlog) since(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events > 0 {
		b.oldest = t
	}
}

func (b *backlog) sum() (events int, bytes int64, oldest time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events, b.bytes, b.oldest
}

// recount sums up what an earlier run left in the local log.
func (s *Spillway) recount(ctx context.Context) error {
	p, err := s.local.Progress(ctx, 0)
	if err != nil {
		return err
	}
	s.committed = p.Committed
	var b backlog
	for after := p.Committed; ; {
		records, err := s.local.Read(ctx, 0, after, hot.Limit{Events: 1000})
		if err != nil {
			return err
		}
		if len(records) == 0 {
			s.backlog.events, s.backlog.bytes, s.backlog.oldest = b.events, b.bytes, b.oldest
			return nil
		}
		if b.events == 0 {
			b.oldest = records[0].Event.ReceivedAt
		}
		b.events += len(records)
		b.bytes += sizeOf(itemsOf(records))
		after = records[len(records)-1].Seq
	}
}

// sizeOf returns the bytes of the events' records.
func sizeOf(items []hot.Item) int64 {
	var n int64
	buf := make([]byte, 0, 1024)
	for _, it := range items {
		buf = hot.AppendRecord(buf[:0], it.Event)
		n += int64(len(buf))
	}
	return n
}

// itemsOf returns the records' events, as far as records say.
func itemsOf(records []hot.Record) []hot.Item {
	items := make([]hot.Item, len(records))
	for i := range records {
		items[i].Event = &records[i].Event
	}
	return items
}

func pick(items []hot.Item, at []int) []hot.Item {
	picked := make([]hot.Item, len(at))
	for i, n := range at {
		picked[i] = items[n]
	}
	return picked
}
