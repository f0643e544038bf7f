package visit

import (
	"cmp"
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

// end notes that the visit is over, since a newer one has begun or there is no room for it.
func (f Folder) end(b *batch, key string, s *Sitting) {
	if f.MarkOver {
		b.mark(key, s)
	}
	s.Over = true
}

// mark marks the visit as ended, and says so in its row.
func (b *batch) mark(key string, s *Sitting) {
	if s.Ended {
		return
	}
	i := b.touch(key, s)
	s.Ended = true
	b.visits[i] = s.row(key)
}

// result leaves out states without an event. These are of visits that were merged into others, or
// of visits that DecodeState read from version 1 and that got no event since. If visits of a device
// were merged, the device's rows are sorted, cancellations first.
func (b *batch) result() Result {
	visits := slices.DeleteFunc(b.visits, func(v weir.VisitRow) bool { return v.Events == 0 })
	if b.merged {
		slices.SortStableFunc(visits, func(v, w weir.VisitRow) int {
			return cmp.Or(cmp.Compare(v.ProjectID, w.ProjectID), cmp.Compare(v.DeviceID, w.DeviceID), cmp.Compare(v.Sign, w.Sign))
		})
	}
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
	s.addRevenue(r.Revenue.Value)
	switch {
	case r.IsScreenView():
		if s.ScreenViews == 0 || r.Time.Before(s.EntryAt) {
			s.Entry, s.EntryAt = r.Path, r.Time
		}
		if s.ScreenViews == 0 || !r.Time.Before(s.ExitAt) {
			s.Exit, s.ExitAt = r.Path, r.Time
		}
		s.ScreenViews++
		s.HumanView = s.HumanView || !r.Bot
	case r.Call != nil:
		s.Calls++
	case r.IsInteractive():
		s.Interactive++
	}
	s.Human = s.Human || !r.Bot
	s.Bot = s.isBot()
}

// isBot reports whether the visit is a bot's: if all its screen views are. Without a view, if
// all its events are.
func (s *Sitting) isBot() bool {
	if s.ScreenViews > 0 {
		return !s.HumanView
	}
	return !s.Human
}

// addRevenue leaves out what would make the sum not finite: that could never be cancelled.
func (s *Sitting) addRevenue(v float64) {
	if sum := s.Revenue + v; !math.IsInf(sum, 0) && !math.IsNaN(sum) {
		s.Revenue = sum
	}
}

// takeVisitor takes the columns that belong to a visit's earliest event.
func (s *Sitting) takeVisitor(v *weir.VisitRow) {
	s.Referrer, s.Channel = v.Referrer, v.Channel
	s.UTMSource, s.UTMMedium, s.UTMCampaign = v.UTMSource, v.UTMMedium, v.UTMCampaign
	s.Country, s.Region, s.City = v.Country, v.Region, v.City
	s.Browser, s.OS, s.DeviceType, s.Language = v.Browser, v.OS, v.DeviceType, v.Language
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
