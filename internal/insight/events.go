package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

const (
	defaultEvents = 100
	maxEvents     = 1000
)

// EventsQuery asks for a project's events, newest first. Fields that are zero do not
// restrict.
type EventsQuery struct {
	From, To  time.Time // From inclusive, To exclusive
	Name      string
	ProfileID string // also finds the events of devices linked to the profile
	DeviceID  string
	Filter    weir.Filter
	Limit     int    // 0 is 100, at most 1,000
	Cursor    string // EventPage.NextCursor of the page before
}

// EventPage is a page of events.
type EventPage struct {
	Events     []EventItem `json:"events" nullable:"false" doc:"newest first"`
	NextCursor string      `json:"next_cursor,omitempty" doc:"missing at the end"`
	Meta
}

// Events answers with one page. freshness is as in Asker. Error: EINVALID for a
// query that is not allowed.
func (e *Engine) Events(ctx context.Context, p *weir.Project, q EventsQuery, freshness time.Duration) (*EventPage, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	if _, _, err := (&reader{Engine: e, project: p}).whereEvents(q); err != nil {
		return nil, err
	}
	release, err := e.hold(ctx, min(int64(cmp.Or(q.Limit, defaultEvents))*eventBytes, 2*pageBytes))
	if err != nil {
		return nil, err
	}
	defer release()
	return e.eventPage(ctx, p, q, freshness, pageBytes)
}

// eventPage reads a page of about so many bytes, and of at least one event.
func (e *Engine) eventPage(ctx context.Context, p *weir.Project, q EventsQuery, freshness time.Duration, bytes int) (*EventPage, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	done, err := e.passBarrier(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	r, err := e.reader(ctx, p, q.ProfileID != "" || slices.ContainsFunc(q.Filter, func(c weir.Condition) bool { _, ok := traitOf(c.Column); return ok }))
	if err != nil {
		return nil, fmt.Errorf("insight: events: %w", err)
	}
	from, where, err := r.whereEvents(q)
	if err != nil {
		return nil, err
	}
	a := &EventPage{}
	for whole := false; !whole && err == nil; {
		whole, err = e.newest(ctx, p, from, where, cmp.Or(q.Limit, defaultEvents), bytes, a)
	}
	if err == nil {
		err = e.durations(ctx, p, a.Events)
	}
	if err == nil {
		err = e.fillSources(ctx, p, a.Events)
	}
	if err != nil {
		return nil, fmt.Errorf("insight: events: %w", err)
	}
	a.Meta = done()
	return a, nil
}

// newest fills a page with the newest events for which a condition holds. whole is false if
// it read fewer events than it had counted before, because some were erased meanwhile: there
// may be others behind them, and the page must be read again.
func (e *Engine) newest(ctx context.Context, p *weir.Project, from, where fragment, limit, bytes int, a *EventPage) (whole bool, err error) {
	*a = EventPage{Events: []EventItem{}}
	where, all, err := e.narrow(ctx, from, where, limit+1)
	if err != nil {
		return false, err
	}
	stmt := sql("SELECT "+schema.Names(itemColumns)+" FROM @ WHERE @"+
		fmt.Sprintf(" ORDER BY ts DESC, shard DESC, seq DESC LIMIT %d", limit+1), from, where)
	read := schema.Scanner(itemColumns)
	var last cursor
	size := 0
	err = e.each(ctx, stmt, func(scan func(...any) error) error {
		var row weir.EventRow
		if err := read(scan, &row); err != nil {
			return err
		}
		item, at := itemOf(&row, p.Location()), cursor{row.Time.UnixMicro(), int64(row.Shard), row.Seq}
		size += item.size()
		if len(a.Events) == limit || size > bytes && len(a.Events) > 0 {
			limit = len(a.Events)
			a.NextCursor = last.String()
			return nil
		}
		last = at
		a.Events = append(a.Events, item)
		return nil
	})
	return a.NextCursor != "" || all, err
}

// size returns about how much memory the event takes, in bytes.
func (it *EventItem) size() int {
	return 1000 + len(it.Path) + len(it.Title) + len(it.Referrer) + len(it.Properties)
}

// narrow adds to a condition that rows are not older than the minute before the n-th newest
// one, so that the many columns of a page are read from few rows. It is the minute because
// an erasure moves events to the beginning of theirs. all is true if there are fewer than n
// rows.
func (e *Engine) narrow(ctx context.Context, from, where fragment, n int) (_ fragment, all bool, err error) {
	var oldest *int64
	rows := 0
	q := sql("SELECT MIN(us), COUNT(*) FROM (SELECT "+e.d.Micros("ts")+" AS us FROM @ WHERE @ ORDER BY ts DESC LIMIT "+strconv.Itoa(n)+") AS newest", from, where)
	err = e.each(ctx, q, func(scan func(...any) error) error { return scan(&oldest, &rows) })
	if err != nil || oldest == nil || rows == 0 {
		return where, true, err
	}
	const minute = 60_000_000
	return sql("@ AND ts >= @", where, e.at((*oldest/minute-1)*minute)), rows < n, nil
}

// whereEvents is the condition for the events of a query, and the table in which it can be
// tested. Error: EINVALID.
func (r *reader) whereEvents(q EventsQuery) (from, w fragment, err error) {
	if q.Limit < 0 || q.Limit > maxEvents {
		return from, w, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxEvents)
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return from, w, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	for what, s := range map[string]string{"name": q.Name, "profile_id": q.ProfileID, "device_id": q.DeviceID} {
		if err := weir.CheckText(what, s); err != nil {
			return from, w, err
		}
	}
	f, err := checkFilter(r.d, r.project, q.Filter, nil)
	if err != nil {
		return from, w, err
	}
	w = all(sql("project_id = @", bind(r.project.ID)), r.passes(f))
	if !q.From.IsZero() {
		w = sql("@ AND ts >= @", w, r.at(q.From.UnixMicro()))
	}
	if !q.To.IsZero() {
		w = sql("@ AND ts < @", w, r.at(q.To.UnixMicro()))
	}
	if q.Name != "" {
		w = sql("@ AND name = @", w, bind(q.Name))
	}
	if q.DeviceID != "" {
		w = sql("@ AND device_id = @", w, bind(q.DeviceID))
	}
	if q.ProfileID != "" {
		w = sql("@ AND @", w, r.eventsOfProfile(q.ProfileID))
	}
	if q.Cursor != "" {
		c, err := parseCursor(q.Cursor)
		if err != nil {
			return from, w, err
		}
		at := r.at(c.us)
		w = sql("@ AND ts <= @ AND (ts < @ OR shard < @ OR (shard = @ AND seq < @))", w,
			at, at, bind(c.shard), bind(c.shard), bind(int64(c.seq)))
	}
	in := always
	if !q.From.IsZero() {
		in.from = q.From.UnixMicro()
	}
	if !q.To.IsZero() {
		in.to = q.To.UnixMicro()
	}
	return r.events(in, f, nil), w, nil
}

// durations fills in how long the screen views lasted.
func (e *Engine) durations(ctx context.Context, p *weir.Project, items []EventItem) error {
	type view struct{ device, id string } // an id is unique within its device only
	views := make(map[view]*EventItem)
	var ids []fragment
	var first time.Time
	for i := range items {
		it := &items[i]
		if it.Name != weir.NameScreenView {
			continue
		}
		views[view{it.DeviceID, it.ID}] = it
		ids = append(ids, bind(it.ID))
		if first.IsZero() || it.Time.Before(first) {
			first = it.Time
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// A view is closed by a later event, which came in order or not. Late events correct what
	// others say, see weir.EventRow.
	q := sql("SELECT device_id, closes_event_id, CAST(closes_ms AS DOUBLE) + "+correctedMS+" FROM events WHERE project_id = @ AND ts >= @ AND closes_event_id IN (@)"+
		" UNION ALL SELECT device_id, id, rest_ms FROM events WHERE project_id = @ AND ts >= @ AND name = '"+weir.NameScreenView+"' AND rest_ms IS NOT NULL AND id IN (@)",
		bind(p.ID), e.at(first.UnixMicro()), list(ids, ", "), bind(p.ID), e.at(first.UnixMicro()), list(ids, ", "))
	return e.each(ctx, q, func(scan func(...any) error) error {
		var closed view
		var ms float64
		if err := scan(&closed.device, &closed.id, &ms); err != nil {
			return err
		}
		if it := views[closed]; it != nil {
			if it.Duration == nil {
				it.Duration = new(int64)
			}
			*it.Duration += int64(ms)
		}
		return nil
	})
}
