package coldtest

import (
	"sort"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// list is all events that a query finds, newest first, each described.
func (o *oracle) list(q insight.EventsQuery) []string {
	from, to := q.From, q.To
	if to.IsZero() {
		to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	lasted := make(map[[2]string]*int64) // by device and id
	for i := range o.w.events {
		if e := &o.w.events[i]; e.ClosesEventID != "" {
			lasted[[2]string{e.DeviceID, e.ClosesEventID}] = &e.ClosesMS
		}
	}
	var found []*weir.EventRow
	for _, e := range o.match(from, to, q.Filter, q.Name) {
		if q.DeviceID != "" && e.DeviceID != q.DeviceID {
			continue
		}
		if p, _ := o.person(e); q.ProfileID != "" && p != [2]string{"profile", q.ProfileID} {
			continue
		}
		found = append(found, e)
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if !a.Time.Equal(b.Time) {
			return a.Time.After(b.Time)
		}
		if a.Shard != b.Shard {
			return a.Shard > b.Shard
		}
		return a.Seq > b.Seq
	})
	var out []string
	for _, e := range found {
		out = append(out, describe(e.ID, lasted[[2]string{e.DeviceID, e.ID}]))
	}
	return out
}
