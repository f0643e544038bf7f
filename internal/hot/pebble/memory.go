package pebble

// Memory is what the store holds in memory, in bytes: the parts that have a
// bound of their own in Options.
type Memory struct {
	Blocks    int64 // of files
	MemTables int64 // two of Options.MemTableBytes at most
	Counts    int64
	Uniques   int64 // of fixed size
}

// Memory tells what the store holds in memory.
func (s *Store) Memory() Memory {
	m := s.db.Metrics()
	return Memory{
		Blocks:    m.BlockCache.Size,
		MemTables: int64(m.MemTable.Size),
		Counts:    s.counts.held.Load(),
		Uniques:   uniquesTable * 16,
	}
}
