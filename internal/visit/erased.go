package visit

import weir "github.com/weir-analytics/weir"

// HasErased reports whether the device of key has a visit with somebody who was erased
// since it began.
func (f Folder) HasErased(key string, st State) bool {
	for i := range st {
		if f.hasErased(key, &st[i]) {
			return true
		}
	}
	return false
}

func (f Folder) hasErased(key string, s *Sitting) bool {
	if f.Erased == nil {
		return false
	}
	v := s.row(key)
	return f.Erased(&v)
}

// apart reports whether an erasure lies between the visit and the event: of the event's
// person after the visit began, or of somebody in the visit after the event was received.
// Together they would be a visit that is only partly from before that erasure, and its row
// does not say which part.
func (f Folder) apart(key string, s *Sitting, r *weir.EventRow) bool {
	if f.Erased == nil {
		return false
	}
	joined := *s
	joined.see(r.ProfileID, r.Time)
	joined.ReceivedAt = earlier(s.ReceivedAt, r.ReceivedAt)
	return f.hasErased(key, &joined)
}
