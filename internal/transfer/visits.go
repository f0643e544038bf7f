package transfer

import (
	"context"
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// visitColumns are what a state of a visit is, but for its sign.
const visitColumns = `device_id, session_id, version, start_at, project_id, profile_id, end_at, entry, exit, entry_at, exit_at,
events, screen_views, interactive, calls, revenue, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign,
country, region, city, browser, os, device_type, language`

// states are the states that are not cancelled: one engine merges a state with its
// cancellation away, another keeps both. A cancellation without its state is read
// with n below 0.
var states = relation{
	name: "visits", at: "start_at", count: "CAST(SUM(sign) AS BIGINT)",
	columns: visitColumns + ", MAX(received_at) AS received, COALESCE(MAX(beside), '') AS others, CAST(SUM(sign) AS BIGINT) AS n",
	group:   " GROUP BY " + visitColumns + " HAVING SUM(sign) <> 0",
	order:   "device_id, session_id, version, start_at",
}

var visits = &table[weir.VisitRow]{
	relation: states,
	scanner:  func() func(func(...any) error, *weir.VisitRow) (int, error) { return scanVisit },
	encode:   encodeVisit,
	put: func(b *cold.Batch, v *weir.VisitRow, n int) {
		v.Sign = 1
		if n < 0 {
			v.Sign, n = -1, -n
		}
		for range n {
			b.Visits = append(b.Visits, *v)
		}
	},
	rows:           func(b *cold.Batch) []weir.VisitRow { return b.Visits },
	label:          func(v *weir.VisitRow) string { return fmt.Sprintf("%s of %s", v.SessionID, v.DeviceID) },
	findSuccessors: visitSuccessors,
}

func scanVisit(scan func(...any) error, v *weir.VisitRow) (n int, err error) {
	var entryAt, exitAt, received *time.Time
	err = scan(&v.DeviceID, &v.SessionID, &v.Version, &v.Start, &v.ProjectID, &v.ProfileID, &v.End, &v.Entry, &v.Exit, &entryAt, &exitAt,
		&v.Events, &v.ScreenViews, &v.Interactive, &v.Calls, &v.Revenue, &v.Ended, &v.Bot, &v.Referrer, &v.Channel, &v.UTMSource, &v.UTMMedium, &v.UTMCampaign,
		&v.Country, &v.Region, &v.City, &v.Browser, &v.OS, &v.DeviceType, &v.Language, &received, &v.Beside, &n)
	v.Start, v.End = v.Start.UTC(), v.End.UTC()
	v.EntryAt, v.ExitAt, v.ReceivedAt = timeOr(entryAt), timeOr(exitAt), timeOr(received)
	return n, err
}

func encodeVisit(b encoding, v *weir.VisitRow) (encoding, int) {
	b = b.text(v.DeviceID).text(v.SessionID).uint(uint64(v.Version)).time(v.Start)
	key := len(b)
	b = b.text(v.ProjectID).text(v.ProfileID).time(v.End).text(v.Entry).text(v.Exit).time(v.EntryAt).time(v.ExitAt)
	b = b.int(v.Events).int(v.ScreenViews).int(v.Interactive).int(v.Calls).float(v.Revenue).flag(v.Ended).flag(v.Bot)
	b = b.text(v.Referrer).text(v.Channel).text(v.UTMSource).text(v.UTMMedium).text(v.UTMCampaign)
	return b.text(v.Country).text(v.Region).text(v.City).text(v.Browser).text(v.OS).text(v.DeviceType).text(v.Language), key
}

// settled is what other states of the same visits mean for some that are missing.
type successors struct {
	// over says of each whether the destination has a later state, which has
	// cancelled it: a server went on with the visit there.
	superseded []bool
	// stale are earlier states in the destination, by the missing one that they have
	// to give way to: the source went on with the visit since an earlier run.
	stale map[int][]weir.VisitRow
}

// settleVisits looks for other states of visits. A later state covers the span of an
// earlier one; another visit of the same name, which begins again at version 1, does
// not.
func visitSuccessors(ctx context.Context, r *run, rows []weir.VisitRow) (successors, error) {
	out := successors{superseded: make([]bool, len(rows)), stale: map[int][]weir.VisitRow{}}
	const most = 200 // devices that are asked for at once
	for begin := 0; begin < len(rows); begin += most {
		some := rows[begin:min(begin+most, len(rows))]
		found, err := statesOf(ctx, r.to, some)
		if err != nil {
			return successors{}, fmt.Errorf("look for other states of visits: %w", err)
		}
		for i := range some {
			v := &some[i]
			for _, s := range found[visitName{v.DeviceID, v.SessionID}] {
				switch {
				case s.Version > v.Version && covers(&s, v):
					out.superseded[begin+i] = true
				case s.Version < v.Version && covers(v, &s):
					out.stale[begin+i] = append(out.stale[begin+i], s)
				}
			}
		}
	}
	return out, nil
}

type visitName struct{ device, session string }

func covers(v, w *weir.VisitRow) bool { return !v.Start.After(w.Start) && !v.End.Before(w.End) }

// longest is how much earlier than a state another of the same visit may begin. A
// visit is a day long at most, unless its SDK keeps the name.
const longest = 7 * 24 * time.Hour

// statesOf are the states, not cancelled, of all visits with the names of some of
// one project.
func statesOf(ctx context.Context, from cold.Reader, some []weir.VisitRow) (map[visitName][]weir.VisitRow, error) {
	w := window{some[0].Start.UnixMicro(), some[0].End.UnixMicro()}
	devices := make([]any, len(some))
	for i := range some {
		w.from, w.to = min(w.from, some[i].Start.UnixMicro()), max(w.to, some[i].End.UnixMicro())
		devices[i] = some[i].DeviceID
	}
	w.from, w.to = w.from-longest.Microseconds(), w.to+1
	var q strings.Builder
	fmt.Fprintf(&q, "SELECT %s FROM visits%s AND device_id IN (%s)%s", states.columns, states.where(from.Dialect()), places(len(some)), states.group)
	out := map[visitName][]weir.VisitRow{}
	rows, err := from.Query(ctx, q.String(), append(states.args(some[0].ProjectID, w), devices...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v weir.VisitRow
		n, err := scanVisit(rows.Scan, &v)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			name := visitName{v.DeviceID, v.SessionID}
			out[name] = append(out[name], v)
		}
	}
	return out, rows.Err()
}
