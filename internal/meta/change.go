package meta

// OnChange sets what is called after each change of projects, keys, tokens, members and
// administrators by this process: it tells the other nodes, and returns soon. Call it before
// the store is used.
func (s *Store) OnChange(tell func()) { s.tell.Store(&tell) }

// changed drops what this process remembers, and tells the others.
func (s *Store) changed() {
	s.Forget()
	if tell := s.tell.Load(); tell != nil {
		(*tell)()
	}
}
