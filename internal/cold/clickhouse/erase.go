package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
	"golang.org/x/sync/errgroup"
)

// withoutErased is the batch without those who were erased after its rows were
// received. It also forgets which sightings and links are there once somebody was erased.
func (c *session) withoutErased(ctx context.Context, b *cold.Batch) (*cold.Batch, error) {
	if len(b.Events)+len(b.Visits)+len(b.Links)+len(b.Traits)+len(b.Dead) == 0 {
		return b, nil
	}
	oldest := b.Now
	older := func(at, ts time.Time) {
		if at.IsZero() {
			at = ts
		}
		if at = at.Add(-cold.SharedAfter); at.Before(oldest) {
			oldest = at
		}
	}
	for i := range b.Events {
		older(b.Events[i].ReceivedAt, b.Now)
	}
	for i := range b.Visits {
		older(b.Visits[i].ReceivedAt, b.Visits[i].Start)
	}
	for i := range b.Links {
		older(b.Links[i].ReceivedAt, b.Links[i].At)
	}
	for i := range b.Traits {
		older(b.Traits[i].ReceivedAt, b.Traits[i].At)
	}
	for i := range b.Dead {
		older(b.Dead[i].At, b.Now)
	}
	if c.marked.IsZero() {
		c.marked = oldest
	}
	from := oldest
	if c.marked.Before(from) {
		from = c.marked
	}
	erased, newest, err := c.erased(ctx, from)
	if err != nil {
		return nil, err
	}
	if newest.After(c.marked) {
		c.marked, c.sightings, c.linked = newest, cold.Sightings{}, cold.Linked{}
	}
	return erased.Filter(b), nil
}

// erased says who was erased after a time, and the time of the newest mark.
func (c *session) erased(ctx context.Context, after time.Time) (erased cold.Erased, newest time.Time, err error) {
	erased = cold.Erased{}
	var projects, persons proto.ColStr
	var at proto.ColInt64
	err = c.ask(ctx, "SELECT CAST(project_id, 'String') AS project, person, toUnixTimestamp64Micro(max(erased_at)) AS us FROM erasures"+
		" WHERE erased_at > fromUnixTimestamp64Micro({from:Int64}) GROUP BY project, person", map[string]any{"from": after.UnixMicro()}, nil,
		proto.Results{{Name: "project", Data: &projects}, {Name: "person", Data: &persons}, {Name: "us", Data: &at}}, func() {
			for i, us := range at {
				m := cold.Mark{ProjectID: projects.Row(i), Person: persons.Row(i), At: time.UnixMicro(us)}
				erased.Add(m)
				if m.At.After(newest) {
					newest = m.At
				}
			}
		})
	if err != nil {
		return nil, newest, fmt.Errorf("look who was erased: %w", err)
	}
	return erased, newest, nil
}

// Erased implements cold.Writer.
func (s *Store) Erased(ctx context.Context, since time.Time) (erased cold.Erased, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err = retry(ctx, func() error {
		c, err := s.writer.acquire(ctx)
		if err != nil {
			return err
		}
		erased, _, err = c.erased(ctx, since.Add(-time.Microsecond))
		s.writer.give(c, err)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", Explain(err))
	}
	return erased, nil
}

// Mark implements cold.Eraser.
func (s *Store) Mark(ctx context.Context, e cold.Erasure) error {
	if err := e.Check(); err != nil {
		return err
	}
	if err := s.mark(ctx, e); err != nil {
		return fmt.Errorf("clickhouse: mark: %w", Explain(err))
	}
	return nil
}

// Erase notes it, and goes from server to server. A server that is away is an error;
// the others are done.
func (s *Store) Erase(ctx context.Context, e cold.Erasure) error {
	if err := e.Check(); err != nil {
		return err
	}
	if err := s.mark(ctx, e); err != nil {
		return fmt.Errorf("clickhouse: erase: %w", Explain(err))
	}
	u := *s.url
	u.MaxTime = forgetTimeout
	servers, done, err := (&Store{url: &u}).servers(ctx)
	if err != nil {
		return fmt.Errorf("clickhouse: erase: %w", Explain(err))
	}
	defer done()
	e.ProjectID, e.ProfileID = clean(e.ProjectID), clean(e.ProfileID)
	s.writer.forgetSightings()
	defer s.writer.forgetSightings()
	var errs []error
	var there []*sql.DB
	for _, db := range servers {
		if err := u.share(ctx, db, &e); err != nil {
			errs = append(errs, Explain(err))
			continue
		}
		there = append(there, db)
	}
	if len(e.Visits) > 0 {
		if err := s.mark(ctx, cold.Erasure{ProjectID: e.ProjectID, Visits: e.Visits, At: e.At}); err != nil {
			return fmt.Errorf("clickhouse: erase: %w", Explain(err))
		}
	}
	for _, db := range there {
		if err := u.erase(ctx, db, e); err != nil {
			errs = append(errs, Explain(err))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, s.addAnew(ctx, e))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clickhouse: erase: %w", err)
	}
	return nil
}

// addAnew adds sightings and links of what came since.
func (s *Store) addAnew(ctx context.Context, e cold.Erasure) error {
	insert := func(q string, p cold.Part) error {
		q, bound, err := bindings(q+p.Where, p.Args)
		if err != nil {
			return err
		}
		err = retry(ctx, func() error {
			_, err := s.db.ExecContext(ch.Context(ctx, ch.WithSettings(ch.Settings{"insert_deduplicate": 0, "insert_distributed_sync": 1})), q, bound...)
			return err
		})
		return Explain(err)
	}
	for _, p := range e.Parts(Dialect{}) {
		if p.Table != "sightings" {
			continue
		}
		if err := insert("INSERT INTO sightings SELECT DISTINCT project_id, quarter, person FROM events WHERE ", p); err != nil {
			return err
		}
	}
	for _, p := range e.Relink() {
		p.Where += " GROUP BY " + cold.LinkGroups
		if err := insert("INSERT INTO identities (project_id, device_id, profile_id, linked_at, received_at) SELECT "+cold.LinkColumns+" FROM events WHERE ", p); err != nil {
			return err
		}
	}
	return nil
}

// mark notes the erasure.
func (s *Store) mark(ctx context.Context, e cold.Erasure) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return retry(ctx, func() error {
		c, err := s.writer.acquire(ctx)
		if err != nil {
			return err
		}
		err = insert(ctx, c, erasures, fmt.Sprintf("erase/%d", time.Now().UnixNano()), e.Marks(), schema.Origin{})
		s.writer.give(c, err)
		return err
	})
}

// anonymous returns the columns of events and what an erasure leaves in them, for an
// INSERT … SELECT.
func anonymous() (columns, values string) {
	for _, a := range cold.AnonymousSQL(Dialect{}) {
		columns, values = columns+a.Column+", ", values+a.Value+", "
	}
	origin := schema.Names(schema.Events.Origin)
	return columns + origin, values + origin
}

// erase does a server's part. The sorting key has the device in it, so events are
// not changed: what is left of them is added, where it is not there yet, and then
// they are deleted. In between both are counted.
func (u *URL) erase(ctx context.Context, db *sql.DB, e cold.Erasure) error {
	into, from := anonymous()
	events := u.Database + "." + u.local("events")
	if err := u.eraseOthers(ctx, db, events, e); err != nil {
		return err
	}
	// Each change passes over the parts of its table, and mostly waits for that: so tables go at
	// once. The links go last: an erasure that failed finds the devices by them when it is repeated.
	var rows, links [][]cold.Part
	for _, p := range e.Parts(Dialect{}) {
		if p.Table == "identities" || p.Table == "aliases" {
			links = ofTable(links, p)
		} else {
			rows = ofTable(rows, p)
		}
	}
	for _, tables := range [][][]cold.Part{rows, links} {
		var g errgroup.Group
		for _, parts := range tables {
			g.Go(func() error {
				for _, p := range parts {
					if err := u.erasePart(ctx, db, e, p, into, from); err != nil {
						return fmt.Errorf("%s: %w", p.Table, err)
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return u.eraseDead(ctx, db, e)
}

// ofTable adds a part to those of its table.
func ofTable(tables [][]cold.Part, p cold.Part) [][]cold.Part {
	for i, parts := range tables {
		if parts[0].Table == p.Table {
			tables[i] = append(parts, p)
			return tables
		}
	}
	return append(tables, []cold.Part{p})
}

// erasePart deletes the rows of a part. Those of events are stored without the person before.
func (u *URL) erasePart(ctx context.Context, db *sql.DB, e cold.Erasure, p cold.Part, into, from string) error {
	table := u.Database + "." + u.local(p.Table)
	if p.Table == "events" {
		q, bound, err := bindings("INSERT INTO "+table+" ("+into+") SELECT "+from+" FROM "+table+" WHERE "+p.Where+
			" AND (log, shard, seq, "+cold.ErasedIDOf(Dialect{})+") NOT IN (SELECT log, shard, seq, id FROM "+table+" WHERE project_id = ? AND person = '' AND id LIKE '"+cold.FormerErasedID+"-%')"+
			// A version before may have got so far.
			" AND (log, shard, seq) NOT IN (SELECT log, shard, seq FROM "+table+" WHERE project_id = ? AND person = '' AND id = '"+cold.FormerErasedID+"')",
			append(append([]any{}, p.Args...), e.ProjectID, e.ProjectID))
		if err == nil {
			err = retry(ctx, func() error {
				_, err := db.ExecContext(ch.Context(ctx, ch.WithSettings(ch.Settings{"insert_deduplicate": 0, "max_partitions_per_insert_block": 0})), q, bound...)
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return forgetRows(ctx, db, table+" WHERE "+p.Where, p.Args...)
}

// share looks on a server for visits that the person shared with others.
func (u *URL) share(ctx context.Context, db *sql.DB, e *cold.Erasure) error {
	events := u.Database + "." + u.local("events")
	if u.Replicated { // another replica may have added some
		if _, err := db.ExecContext(ctx, "SYSTEM SYNC REPLICA "+events); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	if err := e.Share(ctx, bound(db), events, u.Database+"."+u.local("visits"), Dialect{}, nil); err != nil {
		return fmt.Errorf("visits of several: %w", err)
	}
	return nil
}

// bound asks a server with the arguments in the query's text.
func bound(db *sql.DB) func(context.Context, string, ...any) (*sql.Rows, error) {
	return func(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
		q, bound, err := bindings(q, args)
		if err != nil {
			return nil, err
		}
		return db.QueryContext(ctx, q, bound...)
	}
}

// eraseOthers takes what is of the person out of events and visits of others.
func (u *URL) eraseOthers(ctx context.Context, db *sql.DB, events string, e cold.Erasure) (err error) {
	for _, p := range e.SharedParts(Dialect{}) {
		from := u.Database + "." + u.local(p.Table)
		if p.Table == "events" {
			err = updateRows(ctx, db, from, cold.Unshared, 0, p.Where, p.Args...)
		} else {
			err = forgetRows(ctx, db, from+" WHERE "+p.Where, p.Args...)
		}
		if err != nil {
			return fmt.Errorf("%s of several: %w", p.Table, err)
		}
	}
	for _, p := range e.Consumed(Dialect{}) {
		if err := updateRows(ctx, db, events, "consumer = ''", 0, p.Where, p.Args...); err != nil {
			return fmt.Errorf("consumers: %w", err)
		}
	}
	renamed, err := e.Rename(ctx, bound(db), events, "log, toInt64(shard), seq", 3, Dialect{})
	if err != nil {
		return fmt.Errorf("aliases in events: %w", err)
	}
	for _, r := range renamed {
		set := "properties = NULL"
		args := []any{}
		if r.Properties != nil {
			set, args = "properties = ?", append(args, string(r.Properties))
		}
		args = append(append(args, e.ProjectID), r.Place...)
		if err := updateRows(ctx, db, events, set, len(args)-1-len(r.Place), "project_id = ? AND log = ? AND shard = ? AND seq = ?", args...); err != nil {
			return fmt.Errorf("aliases in events: %w", err)
		}
	}
	return nil
}

// deadAtOnce is how many dead letters one statement names: ClickHouse limits how large
// one is.
const deadAtOnce = 1000

func (u *URL) eraseDead(ctx context.Context, db *sql.DB, e cold.Erasure) error {
	dead := u.Database + "." + u.local("dead_letters")
	places, err := deadOf(ctx, db, dead, e)
	if err != nil {
		return fmt.Errorf("dead_letters: %w", err)
	}
	for some := range slices.Chunk(places, deadAtOnce) {
		where, args := "", []any{e.ProjectID}
		for i, p := range some {
			if i > 0 {
				where += " OR "
			}
			where += "shard = ? AND seq = ? AND refused_at = " + Dialect{}.Time("?")
			args = append(args, p...)
		}
		if err := forgetRows(ctx, db, dead+" WHERE project_id = ? AND ("+where+")", args...); err != nil {
			return fmt.Errorf("dead_letters: %w", err)
		}
	}
	return nil
}

// deadOf are the places of the dead letters that are the person's: shard, seq and when
// they were refused.
func deadOf(ctx context.Context, db *sql.DB, dead string, e cold.Erasure) (places [][]any, err error) {
	q, bound, err := bindings("SELECT shard, seq, toUnixTimestamp64Micro(refused_at), event FROM "+dead+" WHERE project_id = ?", []any{e.ProjectID})
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, q, bound...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var shard int32
		var seq uint64
		var us int64
		var event []byte
		if err := rows.Scan(&shard, &seq, &us, &event); err != nil {
			return nil, err
		}
		if e.Is(event) {
			places = append(places, []any{int(shard), seq, us})
		}
	}
	return places, rows.Err()
}
