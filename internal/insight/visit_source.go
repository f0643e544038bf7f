package insight

import (
	"context"
	"math"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// visitSources are the columns that say where a visitor came from. They belong to the
// visit: an answer about an event uses the values of the event's visit, so that a purchase
// counts for the campaign that began the visit. The event's own values have eventPrefix.
// An event in no visit has only its own.
var visitSources = []string{"referrer", "channel", "utm_source", "utm_medium", "utm_campaign"}

// visitSession is the session id of the event's visit. The event may be stored with one that
// the visit had before a late event merged it into another, or before its SDK named it.
const visitSession = "session_id"

const (
	visitPrefix = "visit." // a longer name of a visitSource: visit.channel is channel
	eventPrefix = "event_" // the event's own value: event_channel
)

// sourceOf is the SQL of a visitSource or visitSession, over a table that visitsJoined made.
func sourceOf(name string) fragment { return raw("COALESCE(visit_" + name + ", " + name + ")") }

// events is the table of events in which a condition can test a filter's columns, and which
// has the column of a breakdown, if there is one. The range must contain the time of each
// event that is read.
func (r *reader) events(in span, f filter, by *column) fragment {
	return r.joined("events", in, f.sources, by)
}

// joined is a table with what is joined for some visitSources and a breakdown's column.
// Nothing is joined for other columns: that is the usual case, and the fast one.
func (r *reader) joined(table string, in span, sources []string, by *column) fragment {
	from := r.withTrait(table, by)
	if by != nil && by.source != "" {
		sources = append(slices.Clone(sources), by.source)
	}
	if len(sources) == 0 {
		return from
	}
	return sql("@ LEFT JOIN @ ON device_id = visit_device AND session_id = visit_name", from, r.sourcesOfVisits(in, sources, fragment{}))
}

// sourcesOfVisits is a table of (visit_device, visit_name, visit_session_id, visit_NAME…): the
// sources of the visits that have events in a range, by each session id that their events are
// stored with. An event lies between the begin and the end of its visit.
//
// A visit has the values of its earliest event. Its begin only moves back, when a late
// event comes, so the state that begins first has them. A sum of signs that is 0 is a visit
// that no longer counts.
func (r *reader) sourcesOfVisits(in span, sources []string, which fragment) fragment {
	sources = slices.Compact(slices.Sorted(slices.Values(sources)))
	sources = slices.DeleteFunc(sources, func(name string) bool { return name == visitSession })
	columns := raw("device_id AS visit_device, visit_name, session_id AS visit_session_id")
	for _, name := range sources {
		columns = comma(columns, raw(r.d.ArgMin(name, "start_at")+" AS visit_"+name))
	}
	where := all(sql("project_id = @ AND start_at < @ AND end_at >= @", bind(r.project.ID), r.at(in.to), r.at(in.from)), which)
	states := func(name string, where fragment) fragment {
		columns := append([]string{"device_id", name + " AS visit_name", "session_id", "start_at", "sign"}, sources...)
		return selection{columns: names(columns...), from: raw("visits"), where: where}.statement()
	}
	return selection{
		columns: columns,
		from:    sql("(@ UNION ALL @) AS states", states("session_id", where), states(r.d.Words("formerly"), all(where, raw("formerly <> ''")))),
		groupBy: "device_id, visit_name, session_id", having: raw("SUM(sign) > 0"),
	}.as("sources")
}

// always is all the time that events may have.
var always = span{cold.Earliest.UnixMicro(), math.MaxInt64}

// fillSources gives listed events the sources and the session ids of their visits.
func (e *Engine) fillSources(ctx context.Context, p *weir.Project, items []EventItem) error {
	type visit struct{ device, session string }
	in := span{math.MaxInt64, math.MinInt64}
	of := map[visit][]*EventItem{}
	devices := map[string]bool{}
	var ids []fragment
	for i := range items {
		it := &items[i]
		if it.DeviceID == "" {
			continue
		}
		v := visit{it.DeviceID, it.SessionID}
		of[v] = append(of[v], it)
		if !devices[it.DeviceID] {
			devices[it.DeviceID] = true
			ids = append(ids, bind(it.DeviceID))
		}
		in.from, in.to = min(in.from, it.Time.UnixMicro()), max(in.to, it.Time.UnixMicro()+1)
	}
	if len(ids) == 0 {
		return nil
	}
	r := &reader{Engine: e, project: p}
	q := selection{
		columns: raw("visit_device, visit_name, visit_session_id, visit_referrer, visit_channel, visit_utm_source, visit_utm_medium, visit_utm_campaign"),
		from:    r.sourcesOfVisits(in, visitSources, isOneOf(raw("device_id"), ids)),
	}
	return e.each(ctx, q.statement(), func(scan func(...any) error) error {
		var v visit
		var s EventItem
		if err := scan(&v.device, &v.session, &s.SessionID, &s.Referrer, &s.Channel, &s.UTMSource, &s.UTMMedium, &s.UTMCampaign); err != nil {
			return err
		}
		for _, it := range of[v] {
			it.SessionID = s.SessionID
			it.Referrer, it.Channel, it.UTMSource, it.UTMMedium, it.UTMCampaign = s.Referrer, s.Channel, s.UTMSource, s.UTMMedium, s.UTMCampaign
		}
		return nil
	})
}
