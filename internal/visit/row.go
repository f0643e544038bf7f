package visit

import (
	"math"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

// touch is the index of the visit's new state in b.visits, to be called before
// the first change of it: that is when the state before is cancelled.
func (b *batch) touch(key string, s *Sitting) int {
	k := visitKey{key, s.SessionID}
	if i, ok := b.at[k]; ok {
		return i
	}
	if s.Events > 0 {
		before := s.row(key)
		before.Sign = -1
		b.visits = append(b.visits, before)
	}
	s.Version++
	b.at[k] = len(b.visits)
	b.visits = append(b.visits, s.row(key))
	return b.at[k]
}

// end marks the visit as ended, and says so in its row.
func (b *batch) end(key string, s *Sitting) {
	if s.Ended {
		return
	}
	i := b.touch(key, s)
	s.Ended = true
	b.visits[i] = s.row(key)
}

// result leaves out states of visits without a known event: DecodeState read them from version
// 1, and since then they only ended.
func (b *batch) result() Result {
	visits := slices.DeleteFunc(b.visits, func(v weir.VisitRow) bool { return v.Events == 0 })
	return Result{visits, b.changed, b.outside}
}

// row is the visit's state as it is written.
func (s *Sitting) row(key string) weir.VisitRow {
	v := s.VisitRow
	v.ProjectID, v.DeviceID = Split(key)
	v.Sign = 1
	return v
}

// Split is the inverse of Key.
func Split(key string) (project, device string) {
	for i := range len(key) {
		if key[i] == 0 {
			return key[:i], key[i+1:]
		}
	}
	return "", key
}

// add adds the event to the visit.
func (s *Sitting) add(r *weir.EventRow) {
	if s.Events == 0 || r.Time.Before(s.Start) {
		s.Referrer, s.Channel = r.Referrer, r.Channel
		s.UTMSource, s.UTMMedium, s.UTMCampaign = r.UTMSource, r.UTMMedium, r.UTMCampaign
		s.Country, s.Region, s.City = r.Country, r.Region, r.City
		s.Browser, s.OS, s.DeviceType, s.Language = r.Browser, r.OS, r.DeviceType, r.Language
	}
	s.Start, s.End = earlier(s.Start, r.Time), later(s.End, r.Time)
	s.Events++
	s.Bot = s.Bot || r.Bot
	// A sum that is not finite could never be cancelled.
	if sum := s.Revenue + r.Revenue.Value; !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		s.Revenue = sum
	}
	switch {
	case r.IsScreenView():
		if s.ScreenViews == 0 || r.Time.Before(s.EntryAt) {
			s.Entry, s.EntryAt = r.Path, r.Time
		}
		if s.ScreenViews == 0 || !r.Time.Before(s.ExitAt) {
			s.Exit, s.ExitAt = r.Path, r.Time
		}
		s.ScreenViews++
	case r.Call != nil:
		s.Calls++
	case r.IsInteractive():
		s.Interactive++
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
