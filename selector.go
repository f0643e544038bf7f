package weir

// Selector says which events are meant: those of a name or of an action, that pass a filter.
// All that is given must hold; an empty one means all events.
type Selector struct {
	Event  string `json:"event,omitempty" doc:"an event's name; any when missing"`
	Action string `json:"action,omitempty" doc:"in place of event: the id of an action"`
	Filter Filter `json:"filter,omitempty" doc:"conditions that must hold too"`
}

// Validate checks all that can be checked without the names of columns. Error: EINVALID.
func (s Selector) Validate() error {
	if s.Event != "" && s.Action != "" {
		return Within("action", Errorf(EINVALID, "give event or action, not both"))
	}
	if err := CheckText("event", s.Event); err != nil {
		return Within("event", err)
	}
	return Within("filter", s.Filter.Validate())
}

// Actions returns the ids of the actions that are named, some perhaps twice.
func (s Selector) Actions() []string {
	ids := s.Filter.Actions()
	if s.Action != "" {
		ids = append(ids, s.Action)
	}
	return ids
}

// Canonical returns the form that all spellings share.
func (s Selector) Canonical() Selector {
	s.Filter = s.Filter.canonical()
	return s
}
