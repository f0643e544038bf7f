package pebble

// Memory is what the store holds in memory, in bytes: the parts that have a
// bound of their own in Options.
type Memory struct {
	Blocks      int64 // of files
	MemTables   int64 // two of Options.MemTableBytes at most
	Counts      int64
	Uniques     int64 // of fixed size
	Filters     int64 // of ids
	BucketCache int64 // of inquiries
	Presence    int64 // devices seen lately
}

// Memory returns what the store holds in memory.
func (s *Store) Memory() Memory {
	m := s.db.Metrics()
	s.presence.mu.Lock()
	presence := s.presence.devices.bytes
	s.presence.mu.Unlock()
	s.buckets.mu.Lock()
	pages := s.buckets.bytes
	s.buckets.mu.Unlock()
	return Memory{
		Blocks:      m.BlockCache.Size,
		MemTables:   int64(m.MemTable.Size),
		Counts:      s.counts.held.Load(),
		Uniques:     uniquesTable * 16,
		Filters:     s.seen.held.Load(),
		BucketCache: int64(pages),
		Presence:    int64(presence),
	}
}

// PresenceRefused returns how many events came from devices that presence had no room
// for: Options.MaxLive or Options.PresenceBytes was reached. They are stored.
func (s *Store) PresenceRefused() uint64 {
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	return s.presence.devices.refused
}
