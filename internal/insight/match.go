package insight

import (
	"context"
	"fmt"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Match names stored events: those that pass the filter and have a time in [From, To). A
// zero time is no bound.
type Match struct {
	Filter   weir.Filter
	From, To time.Time
	Before   time.Time // received before; zero is no bound
}

// Matched are the numbers of events that match.
type Matched struct {
	Events int64
	Visits int64     // that some of them are in
	Days   int64     // of the project, that some of them are in
	First  time.Time // of the first of them; zero without any
	Last   time.Time
}

// matching returns a reader, and the table and the condition of the events.
func (e *Engine) matching(ctx context.Context, p *weir.Project, m Match) (r *reader, from, where fragment, err error) {
	q, err := e.resolve(ctx, p, weir.Trend{Common: weir.Common{Filter: m.Filter}})
	if err != nil {
		return nil, from, where, err
	}
	f, err := checkFilter(e.d, p, m.Filter, q.Base().Resolved)
	if err != nil {
		return nil, from, where, err
	}
	if err := checkTests(p, q); err != nil {
		return nil, from, where, err
	}
	if r, err = e.reader(ctx, p, f.identities); err != nil {
		return nil, from, where, err
	}
	in := always
	where = sql("project_id = @", bind(p.ID))
	if !m.From.IsZero() {
		in.from = m.From.UnixMicro()
		where = sql("@ AND ts >= @ AND quarter >= @", where, r.at(in.from), bind(int64(weir.Quarter(m.From))))
	}
	if !m.To.IsZero() {
		in.to = m.To.UnixMicro()
		where = sql("@ AND ts < @ AND quarter <= @", where, r.at(in.to), bind(int64(weir.Quarter(m.To))))
	}
	if !m.Before.IsZero() {
		where = sql("@ AND received_at < @", where, r.at(m.Before.UnixMicro()))
	}
	return r, r.events(in, f, nil), all(where, r.passes(f)), nil
}

// Matched counts the events that match. Error: EINVALID.
func (e *Engine) Matched(ctx context.Context, p *weir.Project, m Match) (out Matched, err error) {
	r, from, where, err := e.matching(ctx, p, m)
	if err != nil {
		return out, fmt.Errorf("insight: match: %w", err)
	}
	err = r.each(ctx, sql("SELECT COUNT(*), CAST(MIN("+r.d.Micros("ts")+") AS BIGINT), CAST(MAX("+r.d.Micros("ts")+") AS BIGINT) FROM @ WHERE @", from, where), func(scan func(...any) error) error {
		var first, last *int64
		if err := scan(&out.Events, &first, &last); err != nil || out.Events == 0 {
			return err
		}
		out.First, out.Last = r.local(*first), r.local(*last)
		return nil
	})
	if err == nil && out.Events > 0 {
		err = r.each(ctx, sql("SELECT COUNT(*) FROM (SELECT device_id, session_id FROM @ WHERE @ AND device_id <> '' AND session_id <> '' GROUP BY device_id, session_id) AS visited", from, where), func(scan func(...any) error) error {
			return scan(&out.Visits)
		})
	}
	if err == nil && out.Events > 0 {
		days := map[weir.Date]bool{}
		err = r.each(ctx, sql("SELECT DISTINCT quarter FROM @ WHERE @", from, where), func(scan func(...any) error) error {
			var quarter int32
			if err := scan(&quarter); err != nil {
				return err
			}
			days[weir.DateOf(time.Unix(int64(quarter)*weir.QuarterSeconds, 0), p.Location())] = true
			return nil
		})
		out.Days = int64(len(days))
	}
	if err != nil {
		return out, fmt.Errorf("insight: match: %w", err)
	}
	return out, nil
}

// matchColumns are the columns of events that MatchPage reads.
var matchColumns = schema.Events.Only(slices.DeleteFunc(columnNames(schema.DeletedEvents.Stored()), func(name string) bool { return name == "deletion_id" })...)

func columnNames[R any](columns []schema.Column[R]) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// MatchPage returns the next events that match, limit at most, in the order of quarter, shard,
// seq and id. after is the last event of the page before; nil for the first page.
func (e *Engine) MatchPage(ctx context.Context, p *weir.Project, m Match, after *weir.EventRow, limit int) ([]weir.EventRow, error) {
	r, from, where, err := e.matching(ctx, p, m)
	if err != nil {
		return nil, fmt.Errorf("insight: match: %w", err)
	}
	if after != nil {
		q, shard, seq := bind(int64(weir.Quarter(after.Time))), bind(after.Shard), bind(after.Seq)
		where = sql("@ AND quarter >= @ AND (quarter > @ OR shard > @ OR shard = @ AND (seq > @ OR seq = @ AND id > @))", where, q, q, shard, shard, seq, seq, bind(after.ID))
	}
	read := schema.Scanner(matchColumns)
	var rows []weir.EventRow
	stmt := sql("SELECT "+schema.Names(matchColumns)+" FROM @ WHERE @"+fmt.Sprintf(" ORDER BY quarter, shard, seq, id LIMIT %d", limit), from, where)
	err = r.each(ctx, stmt, func(scan func(...any) error) error {
		rows = append(rows, weir.EventRow{})
		return read(scan, &rows[len(rows)-1])
	})
	if err != nil {
		return nil, fmt.Errorf("insight: match: %w", err)
	}
	return rows, nil
}

// Invalidate drops the project's stored answers.
func (e *Engine) Invalidate(ctx context.Context, p *weir.Project) {
	e.cache.invalidate(ctx, p.ID, e.clock.Now())
}
