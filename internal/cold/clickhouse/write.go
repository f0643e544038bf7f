package clickhouse

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Write adds the batch with one insert a table, each under the batch's token, of
// which ClickHouse takes one. The row of batches comes last and says that all is in.
func (s *Store) Write(ctx context.Context, b *cold.Batch) error {
	if err := cold.Validate(b.Events); err != nil {
		return err
	}
	for i := range b.Events {
		if r := &b.Events[i]; b.Again && (r.Shard != b.Shard || r.Seq < b.First || r.Seq > b.Last) {
			return fmt.Errorf("clickhouse: write: event %d of shard %d is not of the batch %s", r.Seq, r.Shard, b.Token)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if s.url.Replicated {
		select {
		case s.writer.turn <- struct{}{}:
			defer func() { <-s.writer.turn }()
		case <-ctx.Done():
			return fmt.Errorf("clickhouse: write: wait for the batch before: %w", ctx.Err())
		}
	}
	// What is repeated here is known by its tokens, which are seconds old.
	err := retry(ctx, func() error { return s.writeOnce(ctx, b) })
	if err != nil {
		return fmt.Errorf("clickhouse: write: %w", Explain(err))
	}
	return nil
}

func (s *Store) writeOnce(ctx context.Context, b *cold.Batch) error {
	c, err := s.writer.acquire(ctx)
	if err != nil {
		return err
	}
	if b, err = c.withoutErased(ctx, b); err == nil {
		err = c.write(ctx, b)
	}
	s.writer.give(c, err)
	return err
}

// writeTimeout is how long the write of a batch may take. After it the result is unknown, and
// the batch is written again.
const writeTimeout = time.Minute

func (c *session) write(ctx context.Context, b *cold.Batch) error {
	// What may stand twice needs no search when a batch comes again, only another
	// token: see missing for why the first does not do.
	harmless := b.Token
	if b.Again {
		whole, err := c.hasBatch(ctx, b.Token)
		if whole || err != nil {
			return err
		}
		harmless = fmt.Sprintf("%s/%d", b.Token, time.Now().UnixNano())
	}
	rows := c.rows
	if b.Again {
		rows = c.missingRows
	}
	if err := rows(ctx, b); err != nil {
		if spoiled[code(err)] {
			return c.isolate(ctx, b, err)
		}
		return err
	}
	from := originOf(b)
	for _, f := range []func() error{
		func() error { return insert(ctx, c, sightings, harmless, c.sightings.New(b.Events), from) },
		func() error { return insert(ctx, c, identities, harmless, c.linked.New(b), from) },
		func() error { return insert(ctx, c, aliases, harmless, cold.Aliases(b.Links), from) },
		func() error { return insert(ctx, c, traits, harmless, cold.Traits(b), from) },
		func() error { return insert(ctx, c, erasures, harmless, b.Marks, from) },
		func() error { return insert(ctx, c, batches, harmless, []schema.Token{b.Row()}, from) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	c.sightings.Keep()
	c.linked.Keep()
	return nil
}

// rows writes what must not stand twice, under the batch's token.
func (c *session) rows(ctx context.Context, b *cold.Batch) error {
	return c.send(ctx, b, partsOf(b), b.Token)
}

// parts are rows of a batch that must not stand twice.
type parts struct {
	events  []weir.EventRow
	visits  []weir.VisitRow
	dead    []weir.DeadLetter
	tallies []cold.Tally
}

func partsOf(b *cold.Batch) parts { return parts{b.Events, b.Visits, b.Dead, cold.Tallies(b.Events)} }

func (p *parts) empty() bool { return len(p.events)+len(p.visits)+len(p.dead)+len(p.tallies) == 0 }

// send writes parts of a batch under a token.
func (c *session) send(ctx context.Context, b *cold.Batch, p parts, token string) error {
	from := originOf(b)
	for _, f := range []func() error{
		func() error { return insert(ctx, c, events, token, p.events, from) },
		func() error { return insert(ctx, c, visits, token, p.visits, from) },
		func() error { return insert(ctx, c, tallies, token, p.tallies, from) },
		func() error { return insert(ctx, c, deadLetters, token, p.dead, from) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// mostAttempts bounds how often rows are inserted that then are not there: a fault
// of ours or of the tables, which must not fill them.
const mostAttempts = 3

// missingRows writes the rows of a batch that comes again which are not there, and
// looks again, until none is missing.
//
// The token alone does not do. ClickHouse remembers so many of a table's last ones,
// in Keeper too, and a batch may come again long after; and a server that dies, or
// finds its disk full, between the two steps of an insert has noted the token and not
// the rows. Of replicated tables only a replica that has all acknowledged inserts
// answers, see quorum; one that is not acknowledged yet is refused by its token.
//
// The first time the token is the batch's own, since an insert of it may still be
// under way elsewhere.
func (c *session) missingRows(ctx context.Context, b *cold.Batch) error {
	token := b.Token
	for attempt := 1; ; attempt++ {
		missing, err := c.missing(ctx, b)
		if err != nil {
			return fmt.Errorf("look for the batch's rows: %w", err)
		}
		if missing.empty() {
			return nil
		}
		// Another node may have finished the batch meanwhile, and later batches, which
		// cancelled some of these states of visits.
		if whole, err := c.hasBatch(ctx, b.Token); whole || err != nil {
			return err
		}
		if attempt > mostAttempts {
			return fmt.Errorf("%d events, %d states of visits and %d tallies do not appear though they were inserted",
				len(missing.events), len(missing.visits), len(missing.tallies))
		}
		if err := c.send(ctx, b, missing, token); err != nil {
			return err
		}
		token = fmt.Sprintf("%s/%d", b.Token, attempt)
	}
}

// insert writes rows to a table in one block: all or nothing of them, a month, and
// once for a token.
func insert[R any](ctx context.Context, c *session, t *table[R], token string, rows []R, from schema.Origin) error {
	return insertInto(ctx, c, t.name, t, token, rows, from)
}

// insertInto writes rows to the table with a name, which has the columns of t.
func insertInto[R any](ctx context.Context, c *session, name string, t *table[R], token string, rows []R, from schema.Origin) error {
	if len(rows) == 0 {
		return nil
	}
	b := blockOf(c, t)
	fill(b, t, rows, from)
	if err := c.insert(ctx, name, token, b); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// missing are the parts of a batch that are not in the tables.
func (c *session) missing(ctx context.Context, b *cold.Batch) (parts, error) {
	var out parts
	all := partsOf(b)
	have, err := c.presentEvents(ctx, b)
	if err != nil {
		return out, err
	}
	for _, e := range all.events {
		if !have[place{e.Seq, e.ID}] {
			out.events = append(out.events, e)
		}
	}
	states, err := c.presentVisits(ctx, b)
	if err != nil {
		return out, err
	}
	for i, v := range all.visits {
		if !states.has(all.visits, i) {
			out.visits = append(out.visits, v)
		}
	}
	counted, err := c.presentTallies(ctx, b)
	if err != nil {
		return out, err
	}
	for _, t := range all.tallies {
		if !counted[kindOf(t)] {
			out.tallies = append(out.tallies, t)
		}
	}
	if have, err = c.presentDead(ctx, b); err != nil {
		return out, err
	}
	for _, d := range all.dead {
		if !have[place{seq: d.Seq}] {
			out.dead = append(out.dead, d)
		}
	}
	return out, nil
}

// span is the projects and times of some rows, which keep a search for them short.
func span(rows []weir.EventRow) (projects []string, from, to time.Time) {
	seen := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if !seen[r.ProjectID] {
			seen[r.ProjectID] = true
			projects = append(projects, r.ProjectID)
		}
		if i == 0 || r.Time.Before(from) {
			from = r.Time
		}
		if i == 0 || r.Time.After(to) {
			to = r.Time
		}
	}
	return projects, from, to
}
