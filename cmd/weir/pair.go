package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/outage"
)

// A hot and a cold tier belong together when what the one says of a shard fits what
// the other says: the log has what was committed and perhaps an intent, the cold tier
// has the batches that it took of this log. Restored from copies of two moments they
// do not fit, and answers would lack events, or have them twice, and say nothing.

const (
	pairTries = 5 // for a cold tier whose replicas may be a little behind
	pairPause = time.Second
)

// checkPair refuses stores that do not belong together, unless that was accepted.
func (s *server) checkPair(ctx context.Context) error {
	waiting := outage.New(s.log, nil, "waiting for the stores, to compare them", "the stores answer")
	for try := 1; ; {
		odd, err := s.oddShard(ctx)
		if err == nil {
			waiting.Up()
		}
		switch {
		case err == nil && odd == nil:
			return nil
		case err != nil && weir.ErrorCode(err) != weir.EUNAVAILABLE:
			return fmt.Errorf("compare the hot with the cold tier: %w", err)
		case err != nil:
			waiting.Down(err)
		case s.cmd.cold.Lags && try < pairTries:
			try++
		case s.cmd.AcceptMismatch:
			return s.acceptPair(ctx, odd)
		default:
			return errors.New(odd.String() + s.wayOut())
		}
		if err := waitFor(ctx, pairPause); err != nil {
			return err
		}
	}
}

// shardPair is what the two tiers say of a shard.
type shardPair struct {
	shard     int
	committed uint64 // by the hot tier
	reached   uint64 // committed, or the end of a batch that is under way
	accepted  bool   // a mismatch, at an earlier start
	batches   int    // that the cold tier has of the log, since
	last      uint64 // the last event of these
	newest    int64  // when the newest batch of the log was written, marks among them; µs
	alone     bool   // the cold tier keeps what it knows for ever
}

// String says what does not fit, "" when all does.
func (p *shardPair) String() string {
	switch {
	case p.last > p.reached:
		return fmt.Sprintf("the hot tier is older than the cold tier: of shard %d the cold tier has the events up to %d, the hot tier knows of those up to %d only. "+
			"It was restored from an older copy, or has lost its end; it would give the numbers in between to other events, and deliver again what the cold tier has", p.shard, p.last, p.reached)
	case p.batches > 0 && p.last < p.committed:
		return fmt.Sprintf("the cold tier is older than the hot tier: of shard %d it has the events up to %d, and the hot tier has delivered those up to %d. "+
			"It was restored from an older copy; the events in between would be missing from all answers", p.shard, p.last, p.committed)
	case p.batches == 0 && p.committed > 0 && p.alone && !p.accepted:
		return fmt.Sprintf("the cold tier has nothing of this hot tier, which has delivered the events up to %d of shard %d: it is another one, or a new one. "+
			"These events would be missing from all answers", p.committed, p.shard)
	}
	return ""
}

func (s *server) wayOut() string {
	return ". Restore both from copies of one moment. Or begin a new log: " + s.cmd.hot.Renew +
		". Or start once with --accept-mismatch to go on as it is: what is missing stays missing, and what is delivered again counts twice"
}

// oddShard is the first shard whose two sides do not fit, nil when all do.
func (s *server) oddShard(ctx context.Context) (*shardPair, error) {
	others, err := s.otherLogs(ctx)
	if err != nil {
		return nil, err
	}
	for shard := range s.hot.Shards() {
		p, err := s.pairOf(ctx, shard)
		if err != nil {
			return nil, err
		}
		if others.migrated {
			p.alone = false // migrate copies the rows, and not what is known of batches
		}
		if p.String() != "" {
			return p, nil
		}
		if shard == 0 && p.committed == 0 && p.batches == 0 && others.any {
			s.log.Warn("the cold tier has events of another hot tier: this one begins anew", "log", s.hot.ID())
		}
	}
	return nil, nil //nolint:nilnil // all fit
}

// pairOf reads the hot tier before and after the cold one: other nodes may be
// draining. What was committed before is in the cold tier, and what is in the cold
// tier is known to the hot one after.
func (s *server) pairOf(ctx context.Context, shard int) (*shardPair, error) {
	before, err := s.hot.Progress(ctx, shard)
	if err != nil {
		return nil, err
	}
	p := &shardPair{shard: shard, committed: before.Committed, alone: s.cmd.cold.BatchesKept == 0}
	if err := s.readBatches(ctx, p); err != nil {
		return nil, err
	}
	after, err := s.hot.Progress(ctx, shard)
	if err != nil {
		return nil, err
	}
	p.reached = reachedBy(after)
	return p, nil
}

func reachedBy(p hot.Progress) uint64 {
	if p.Intent == nil {
		return p.Committed
	}
	return max(p.Committed, p.Intent.Last)
}

// acceptedMark is in the token of a batch without rows that says: what the batches
// before it show was accepted.
const acceptedMark = "accepted"

// readBatches reads what the cold tier has of the shard.
func (s *server) readBatches(ctx context.Context, p *shardPair) error {
	micros := s.cold.Dialect().Micros("written_at")
	const of = " FROM batches WHERE shard = ? AND token >= ? AND token < ?"
	from, to, mark := s.hot.ID()+"/", s.hot.ID()+"0", "%/"+acceptedMark+"/%" // "0" follows "/"
	var since, until, marks, last, n int64
	err := s.queryRow(ctx, "SELECT CAST(coalesce(max("+micros+"), 0) AS BIGINT)"+of, []any{p.shard, from, to}, &p.newest)
	if err != nil {
		return err
	}
	err = s.queryRow(ctx, "SELECT CAST(coalesce(max("+micros+"), 0) AS BIGINT), CAST(coalesce(max(last_seq), 0) AS BIGINT), CAST(count(*) AS BIGINT)"+of+" AND token LIKE ?",
		[]any{p.shard, from, to, mark}, &since, &until, &marks)
	if err != nil {
		return err
	}
	p.accepted = marks > 0
	var kept int64
	if d := s.cmd.cold.BatchesKept; d > 0 {
		kept = s.clock.Now().Add(-d).UnixMicro()
	}
	// A batch is after the mark by its time. If the clock was set back since, it still
	// is by its place: what was accepted ends with the mark's.
	err = s.queryRow(ctx, "SELECT CAST(coalesce(max(last_seq), 0) AS BIGINT), CAST(count(*) AS BIGINT)"+of+" AND token NOT LIKE ? AND ("+micros+" > ? OR first_seq > ?) AND "+micros+" > ?",
		[]any{p.shard, from, to, mark, since, until, kept}, &last, &n)
	p.last, p.batches = uint64(max(last, 0)), int(n)
	return err
}

// foreign is what the cold tier has of others than this log.
type foreign struct{ any, migrated bool }

func (s *server) otherLogs(ctx context.Context) (f foreign, err error) {
	var other, migrated int64
	err = s.queryRow(ctx, "SELECT CAST(coalesce(sum(CASE WHEN shard >= 0 AND NOT (token >= ? AND token < ?) THEN 1 ELSE 0 END), 0) AS BIGINT),"+
		" CAST(coalesce(sum(CASE WHEN shard < 0 THEN 1 ELSE 0 END), 0) AS BIGINT) FROM batches",
		[]any{s.hot.ID() + "/", s.hot.ID() + "0"}, &other, &migrated)
	return foreign{other > 0, migrated > 0}, err
}

func (s *server) queryRow(ctx context.Context, query string, args []any, to ...any) error {
	rows, err := s.cold.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// acceptPair writes down, in the cold tier, that what does not fit was accepted: for
// all shards, so that the next start needs no flag.
func (s *server) acceptPair(ctx context.Context, odd *shardPair) error {
	s.log.Warn("the hot and the cold tier do not belong together, which is accepted: events are missing or count twice", "why", odd.String())
	now := s.clock.Now()
	for shard := range s.hot.Shards() {
		p, err := s.pairOf(ctx, shard)
		if err != nil {
			return err
		}
		// Its last event is one that no later batch precedes, or the mark would be
		// forgotten before the batches that it speaks of.
		last := max(p.last, p.reached)
		// Nor one that is older than a batch that it speaks of, if the clock was set back.
		at := now
		if newest := time.UnixMicro(p.newest); newest.After(at) {
			at = newest
		}
		err = s.cold.Write(ctx, &cold.Batch{
			Token: fmt.Sprintf("%s/%d/%s/%d", s.hot.ID(), shard, acceptedMark, at.UnixMicro()),
			Log:   s.hot.ID(), Shard: shard, First: last + 1, Last: last, Now: at,
		})
		if err != nil {
			return fmt.Errorf("accept that the stores do not belong together: %w", err)
		}
	}
	return nil
}
