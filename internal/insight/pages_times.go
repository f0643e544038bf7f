package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// pageTimeLimit is the longest time between a view and the event that closes it. A view
// that was open for longer is left out. It bounds how many rows after the range are read.
const pageTimeLimit = 24 * time.Hour

// correctedMS is what is added to closes_ms for the time of the view that an event closes, see
// weir.EventRow.
const correctedMS = "(CASE WHEN name <> '" + weir.NameScreenView + "' THEN COALESCE(rest_ms, 0) ELSE 0 END - COALESCE(replaces_ms, 0))"

// pageTimes fills in the mean time of the views that were closed, wherever the event that
// closes them is.
func (pl *pagesPlan) pageTimes(ctx context.Context, r *reader, a *Pages) error {
	if len(a.Pages) == 0 {
		return nil
	}
	in, byPath := among("page", a)
	closes := raw("closes_path <> ''")
	if byPath[""] != nil {
		// An event that closes no view has an empty closes_path too. Only its
		// closes_event_id differs. That is slow to read, so other paths leave it out.
		closes = raw("closes_event_id <> ''")
	}
	window := r.window("ts", pl.from, pl.to+pageTimeLimit.Microseconds())
	short := raw(fmt.Sprintf("closes_ms < %d", pageTimeLimit.Milliseconds()))
	late := fmt.Sprintf("replaces_ms < %d", pageTimeLimit.Milliseconds())
	closed := selection{
		columns: raw("closes_path AS viewed, " + double("SUM(closes_ms + "+correctedMS+")") + " AS ms, " + double("SUM(CASE WHEN "+late+" THEN 0 ELSE 1 END)") + " AS n"),
		from:    raw("events"), where: all(window, closes, short, pl.closed(r)), groupBy: "closes_path",
	}
	lateViews := selection{
		columns: raw("path AS viewed, " + double("SUM(rest_ms)") + " AS ms, " + double("COUNT(*)") + " AS n"),
		from:    r.events(pl.span(), pl.views, nil), where: all(pl.screenViews(r), raw("rest_ms IS NOT NULL")), groupBy: "path",
	}
	times := sql("(@ UNION ALL @) AS times", closed.statement(), lateViews.statement())
	named := selection{columns: sql("@ AS page, ms, n", pageOf(r.d, r.project, "viewed")), from: times}
	q := selection{columns: raw("page, SUM(ms) / SUM(n)"), from: named.as("named"), where: in, groupBy: "page", having: raw("SUM(n) > 0")}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var path string
		var mean *float64
		if err := scan(&path, &mean); err != nil {
			return err
		}
		byPath[path].PageTime = finite(mean)
		return nil
	})
}

// closed is the condition for the events that close a view of the range which passes the
// filter.
//
// With a filter these views are looked up. Without one there may be too many of them, so the
// view's time is computed: the closing event's minus closes_ms. That is up to a millisecond
// too late, since closes_ms is rounded down. So only the views of the first and of the last
// millisecond are looked up, and those of bots, which are left out.
func (pl *pagesPlan) closed(r *reader) fragment {
	closesOne := func(where fragment) fragment {
		views := selection{columns: raw("device_id, id"), from: r.events(pl.span(), pl.views, nil), where: where}
		return sql("(device_id, closes_event_id) "+r.d.InQuery()+" (@)", views.statement())
	}
	if pl.filtered || pl.bots == weir.BotsOnly {
		return closesOne(pl.screenViews(r))
	}
	const ms = 1000 // µs
	viewed := r.d.Micros("ts") + " - closes_ms * 1000"
	inside := sql(viewed+" >= @ AND "+viewed+" < @", bind(pl.from+ms), bind(pl.to))
	if pl.bots == weir.BotsOut {
		bots := all(r.window("ts", pl.from, pl.to), sql("name = @", bind(weir.NameScreenView)), raw("bot = TRUE"))
		inside = sql("@ AND NOT (@)", inside, closesOne(bots))
	}
	edge := all(pl.screenViews(r), sql("(ts < @ OR ts >= @)", r.at(pl.from+ms), r.at(pl.to-ms)))
	return sql("((@) OR @)", inside, closesOne(edge))
}
