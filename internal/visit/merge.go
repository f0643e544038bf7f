package visit

import (
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// mostNames bounds how many session ids a visit had before. A visit that would have more is
// neither merged nor named.
const mostNames = 16

// formerly returns the session ids that the visit's events may have beside SessionID.
func formerly(s *Sitting) []string { return strings.Fields(s.Formerly) }

// nameVisit gives a visit without a name the session id that an event of its SDK says. It
// returns false if the visit had too many session ids before.
func (f Folder) nameVisit(b *batch, key string, st *State, from, to string) bool {
	i := st.index(from)
	if len(formerly(&(*st)[i])) >= mostNames {
		return false
	}
	*st = f.free(b, key, *st, to)
	s := &(*st)[st.index(from)]
	row := b.touch(key, s) // cancels the state under the former id
	delete(b.at, visitKey{key, from})
	b.at[visitKey{key, to}] = row
	s.SessionID, s.Named = to, true
	b.note(key, s, from)
	return true
}

// note stores that the visit has the events of a session id that it had before.
func (b *batch) note(key string, s *Sitting, former string) {
	k := visitKey{key, former}
	if b.began[k] { // none of its events is stored yet
		b.renamed[k] = s.SessionID
		return
	}
	s.Formerly = strings.Join(append(formerly(s), former), " ")
}

// rename gives the batch's events the session ids that their visits have at its end.
func (b *batch) rename(rows []weir.EventRow) {
	if len(b.renamed) == 0 {
		return
	}
	for i := range rows {
		r := &rows[i]
		for to := r.SessionID; to != ""; to = b.renamed[visitKey{Key(r.ProjectID, r.DeviceID), to}] {
			r.SessionID = to
		}
	}
}

// merge merges a visit into another one, and returns the session id that both have then. That
// is the one that the SDK said, else the one of the visit that began first. Visits that have
// to stay apart are not merged.
func (f Folder) merge(b *batch, key string, st *State, session, other string) string {
	s, o := &(*st)[st.index(session)], &(*st)[st.index(other)]
	if o.Named || !s.Named && o.Start.Before(s.Start) {
		s, o = o, s
	}
	both := s.with(o)
	first, second := s, o
	if o.Start.Before(s.Start) {
		first, second = o, s
	}
	switch {
	case s.Named && o.Named,
		first.Final && second.Start.After(first.End),
		!s.Named && both.End.Sub(both.Start) > MaxAge,
		len(formerly(s))+len(formerly(o)) >= mostNames,
		f.hasErased(key, &both):
		return session
	}
	i := b.touch(key, s)
	gone := b.touch(key, o)
	b.visits[gone] = weir.VisitRow{} // result leaves it out, and keeps the cancellation before it
	delete(b.at, visitKey{key, o.SessionID})
	both.Version = s.Version
	for _, former := range formerly(o) {
		both.Formerly = strings.Join(append(formerly(&both), former), " ")
	}
	b.note(key, &both, o.SessionID)
	b.merged = true
	b.visits[i] = both.row(key)
	*s = both
	gone = st.index(o.SessionID)
	*st = slices.Delete(*st, gone, gone+1)
	return both.SessionID
}

// with returns the visit s with the events of o, under the name of s.
func (s *Sitting) with(o *Sitting) Sitting {
	n := *s
	if o.Start.Before(s.Start) {
		n.takeVisitor(&o.VisitRow)
	}
	if o.End.After(s.End) {
		n.Ended, n.Final, n.Over = o.Ended, o.Final, o.Over
	}
	n.Start, n.End = earlier(s.Start, o.Start), later(s.End, o.End)
	n.ReceivedAt, n.Touched = earlier(s.ReceivedAt, o.ReceivedAt), later(s.Touched, o.Touched)
	n.Events, n.ScreenViews = s.Events+o.Events, s.ScreenViews+o.ScreenViews
	n.Interactive, n.Calls = s.Interactive+o.Interactive, s.Calls+o.Calls
	n.addRevenue(o.Revenue)
	if o.ScreenViews > 0 && (s.ScreenViews == 0 || o.EntryAt.Before(s.EntryAt)) {
		n.Entry, n.EntryAt = o.Entry, o.EntryAt
	}
	if o.ScreenViews > 0 && (s.ScreenViews == 0 || !o.ExitAt.Before(s.ExitAt)) {
		n.Exit, n.ExitAt = o.Exit, o.ExitAt
	}
	n.Human, n.HumanView = s.Human || o.Human, s.HumanView || o.HumanView
	n.Bot = n.isBot()
	if o.Events > 0 {
		n.see(o.ProfileID, o.ProfileAt)
	}
	for _, who := range o.Beside.All() {
		n.Beside = n.Beside.Add(who)
	}
	n.Trail = slices.Concat(s.Trail, o.Trail)
	slices.SortStableFunc(n.Trail, func(v, w Step) int { return v.At.Compare(w.At) })
	n.Trail = trimmed(n.Trail)
	return n
}
