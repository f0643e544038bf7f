package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
)

// day counts days of UTC from the first of January of the year 1, so that all times
// that a store may hold have a number that is not negative.
type day int64

const dayMicros = 24 * 60 * 60 * 1_000_000

// yearOne is the day 0, in microseconds since 1970.
var yearOne = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func (d day) window() window {
	from := yearOne + int64(d)*dayMicros
	return window{from, from + dayMicros}
}

func (d day) time() time.Time { return time.UnixMicro(d.window().from).UTC() }

func (d day) String() string { return d.time().Format(time.DateOnly) }

// span is some days in a row, first and last among them.
type span struct{ first, last day }

func (s span) window() window { return window{s.first.window().from, s.last.window().to} }

func (s span) String() string {
	if s.first == s.last {
		return s.first.String()
	}
	return s.first.String() + ".." + s.last.String()
}

// content is how many rows of a project a store has of a day, in short form: of a
// source that is only ever added to, equal contents are equal rows.
type content struct {
	events, received int64 // received is the latest time, in microseconds
	visits, versions int64 // sums over the states that are not cancelled
	links            int64 // different ones
	aliases          int64 // of these
	traits           int64 // different changes
	dead             int64
}

func (c content) rows() int64 { return c.events + c.visits + c.links + c.aliases + c.traits + c.dead }

func (c content) plus(d content) content {
	return content{
		c.events + d.events, max(c.received, d.received), c.visits + d.visits, c.versions + d.versions, c.links + d.links, c.aliases + d.aliases, c.traits + d.traits, c.dead + d.dead,
	}
}

// survey is the content of a store by project and day.
type survey map[string]map[day]content

func (s survey) equal(other survey) bool {
	return maps.EqualFunc(s, other, maps.Equal[map[day]content, map[day]content])
}

// take makes a survey of some projects, or of all.
func takeSurvey(ctx context.Context, from cold.Reader, projects []string) (survey, error) {
	s := survey{}
	for _, q := range []struct {
		table, at, values string
		put               func(c *content, a, b int64)
	}{
		{"events", "ts", "COUNT(*), MAX(" + from.Dialect().Micros("received_at") + ")", func(c *content, a, b int64) { c.events, c.received = a, b }},
		{"visits", "start_at", "CAST(SUM(sign) AS BIGINT), CAST(SUM(sign * version) AS BIGINT)", func(c *content, a, b int64) { c.visits, c.versions = a, b }},
		{"(SELECT DISTINCT project_id, device_id, profile_id, linked_at FROM identities) AS links", "linked_at", "COUNT(*), COUNT(*)", func(c *content, a, _ int64) { c.links = a }},
		{"(SELECT DISTINCT project_id, alias, profile_id, linked_at FROM aliases) AS aliases", "linked_at", "COUNT(*), COUNT(*)", func(c *content, a, _ int64) { c.aliases = a }},
		{"(SELECT DISTINCT project_id, profile_id, trait, place, changed_at FROM traits) AS changes", "changed_at", "COUNT(*), COUNT(*)", func(c *content, a, _ int64) { c.traits = a }},
		{"dead_letters", "refused_at", "COUNT(*), COUNT(*)", func(c *content, a, _ int64) { c.dead = a }},
	} {
		number := from.Dialect().IntDiv(fmt.Sprintf("(%s - (%d))", from.Dialect().Micros(q.at), yearOne), fmt.Sprint(dayMicros))
		where, args := among(projects)
		err := each(ctx, from, "SELECT project_id, "+number+" AS day, "+q.values+" FROM "+q.table+where+" GROUP BY 1, 2", args, func(rows *sql.Rows) error {
			var project string
			var d, a, b int64
			if err := rows.Scan(&project, &d, &a, &b); err != nil {
				return err
			}
			days := s[project]
			if days == nil {
				days = map[day]content{}
				s[project] = days
			}
			c := days[day(d)]
			q.put(&c, a, b)
			days[day(d)] = c
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func among(projects []string) (where string, args []any) {
	if len(projects) == 0 {
		return "", nil
	}
	for _, p := range projects {
		args = append(args, p)
	}
	return " WHERE project_id IN (" + places(len(projects)) + ")", args
}

// places are n places for arguments.
func places(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// each calls f for every row of an answer.
func each(ctx context.Context, from cold.Reader, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := from.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// count is the one number that a query answers.
func count(ctx context.Context, from cold.Reader, query string, args ...any) (n int64, err error) {
	err = each(ctx, from, query, args, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n, err
}
