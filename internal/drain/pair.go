package drain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/outage"
)

// Pair compares a hot and a cold tier, at the start. They fit if the cold tier has the
// batches that the hot tier has committed, and of the others only that of an intent. If they
// were restored from copies of two moments they do not fit: answers would lack events, or
// have them twice, and nothing would say so.
type Pair struct {
	Hot    hot.Log
	Cold   cold.Store
	Clock  weir.Clock
	Logger *slog.Logger

	Lags        bool          // a replica of the cold tier may lack the last writes
	BatchesKept time.Duration // how long the cold tier certainly stores the tokens of batches; 0 is for ever
	Accept      bool          // a mismatch is stored as accepted, and is no error
	Advice      string        // ends the error of a mismatch: what to do
}

const (
	pairTries = 5 // of a cold tier that lags
	pairPause = time.Second
)

// Check returns an error if the stores do not fit. It waits for stores that are
// unavailable, until ctx is done.
func (p Pair) Check(ctx context.Context) error {
	waiting := outage.New(p.Logger, nil, "waiting for the stores, to compare them", "the stores answer")
	for try := 1; ; {
		bad, err := p.mismatch(ctx)
		if err == nil {
			waiting.Up()
		}
		switch {
		case err == nil && bad == nil:
			return nil
		case err != nil && weir.ErrorCode(err) != weir.EUNAVAILABLE:
			return fmt.Errorf("compare the hot with the cold tier: %w", err)
		case err != nil:
			waiting.Down(err)
		case p.Lags && try < pairTries:
			try++
		case p.Accept:
			return p.accept(ctx, bad)
		default:
			return errors.New(bad.String() + p.Advice)
		}
		t := time.NewTimer(pairPause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// shardPair is what the two tiers say about a shard.
type shardPair struct {
	shard     int
	committed uint64 // by the hot tier
	reached   uint64 // committed, or the end of the intent's batch
	accepted  bool   // a mismatch was accepted at an earlier start
	batches   int    // of this log, in the cold tier, written since then
	last      uint64 // the last event of these
	newest    int64  // when the newest batch of the log was written, marks included; µs
	complete  bool   // the cold tier stores tokens for ever, and all of them are of drains
}

// String says what does not fit; "" is that all does.
func (p *shardPair) String() string {
	switch {
	case p.last > p.reached:
		return fmt.Sprintf("the hot tier is older than the cold tier: of shard %d the cold tier has the events up to %d, the hot tier only those up to %d. "+
			"The hot tier was restored from an older copy, or has lost its end; it would give the numbers in between to other events, and deliver again what the cold tier has", p.shard, p.last, p.reached)
	case p.batches > 0 && p.last < p.committed:
		return fmt.Sprintf("the cold tier is older than the hot tier: of shard %d it has the events up to %d, and the hot tier has delivered those up to %d. "+
			"It was restored from an older copy; the events in between would be missing from all answers", p.shard, p.last, p.committed)
	case p.batches == 0 && p.committed > 0 && p.complete && !p.accepted:
		return fmt.Sprintf("the cold tier has nothing of this hot tier, which has delivered the events up to %d of shard %d: it is another one, or a new one. "+
			"These events would be missing from all answers", p.committed, p.shard)
	}
	return ""
}

// mismatch returns the first shard whose two sides do not fit, nil if all do.
func (p Pair) mismatch(ctx context.Context) (*shardPair, error) {
	others, err := p.otherLogs(ctx)
	if err != nil {
		return nil, err
	}
	for shard := range p.Hot.Shards() {
		of, err := p.compare(ctx, shard)
		if err != nil {
			return nil, err
		}
		if others.migrated {
			of.complete = false // a migration copies rows, and no tokens
		}
		if of.String() != "" {
			return of, nil
		}
		if shard == 0 && of.committed == 0 && of.batches == 0 && others.any {
			p.Logger.Warn("the cold tier has events of another hot tier: this one begins anew", "log", p.Hot.ID())
		}
	}
	return nil, nil //nolint:nilnil // all fit
}

// compare reads the hot tier before and after the cold one, since other nodes may be
// draining: what was committed before must be in the cold tier, and what is in the cold tier
// must be in the hot tier's progress after.
func (p Pair) compare(ctx context.Context, shard int) (*shardPair, error) {
	before, err := p.Hot.Progress(ctx, shard)
	if err != nil {
		return nil, err
	}
	of := &shardPair{shard: shard, committed: before.Committed, complete: p.BatchesKept == 0}
	if err := p.readBatches(ctx, of); err != nil {
		return nil, err
	}
	after, err := p.Hot.Progress(ctx, shard)
	if err != nil {
		return nil, err
	}
	of.reached = after.Committed
	if after.Intent != nil {
		of.reached = max(of.reached, after.Intent.Last)
	}
	return of, nil
}

// acceptedMark is in the token of a batch without rows. The mark says that what the batches
// before it show was accepted.
const acceptedMark = "accepted"

// readBatches reads what the cold tier has of the shard.
func (p Pair) readBatches(ctx context.Context, to *shardPair) error {
	micros := p.Cold.Dialect().Micros("written_at")
	const of = " FROM batches WHERE shard = ? AND token >= ? AND token < ?"
	first, end, mark := p.Hot.ID()+"/", p.Hot.ID()+"0", "%/"+acceptedMark+"/%" // "0" follows "/"
	var since, until, marks, last, n int64
	err := p.queryRow(ctx, "SELECT CAST(coalesce(max("+micros+"), 0) AS BIGINT)"+of, []any{to.shard, first, end}, &to.newest)
	if err != nil {
		return err
	}
	err = p.queryRow(ctx, "SELECT CAST(coalesce(max("+micros+"), 0) AS BIGINT), CAST(coalesce(max(last_seq), 0) AS BIGINT), CAST(count(*) AS BIGINT)"+of+" AND token LIKE ?",
		[]any{to.shard, first, end, mark}, &since, &until, &marks)
	if err != nil {
		return err
	}
	to.accepted = marks > 0
	var kept int64
	if d := p.BatchesKept; d > 0 {
		kept = p.Clock.Now().Add(-d).UnixMicro()
	}
	// A batch is after the mark if it was written later. If the clock was set back since, it
	// is after the mark if its events are: what was accepted ends with the mark's event.
	err = p.queryRow(ctx, "SELECT CAST(coalesce(max(last_seq), 0) AS BIGINT), CAST(count(*) AS BIGINT)"+of+" AND token NOT LIKE ? AND ("+micros+" > ? OR first_seq > ?) AND "+micros+" > ?",
		[]any{to.shard, first, end, mark, since, until, kept}, &last, &n)
	to.last, to.batches = uint64(max(last, 0)), int(n)
	return err
}

// foreign says what the cold tier has besides this log's batches.
type foreign struct {
	any      bool // batches of another log
	migrated bool // rows that a migration copied
}

func (p Pair) otherLogs(ctx context.Context) (f foreign, err error) {
	var other, migrated int64
	err = p.queryRow(ctx, "SELECT CAST(coalesce(sum(CASE WHEN shard >= 0 AND NOT (token >= ? AND token < ?) THEN 1 ELSE 0 END), 0) AS BIGINT),"+
		" CAST(coalesce(sum(CASE WHEN token LIKE 'migrate/%' THEN 1 ELSE 0 END), 0) AS BIGINT) FROM batches",
		[]any{p.Hot.ID() + "/", p.Hot.ID() + "0"}, &other, &migrated)
	return foreign{other > 0, migrated > 0}, err
}

func (p Pair) queryRow(ctx context.Context, query string, args []any, to ...any) error {
	rows, err := p.Cold.Query(ctx, query, args...)
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

// accept stores in the cold tier that the mismatch was accepted, for all shards: the next
// start needs no flag.
func (p Pair) accept(ctx context.Context, bad *shardPair) error {
	p.Logger.Warn("the hot and the cold tier do not belong together, which is accepted: events are missing or count twice", "why", bad.String())
	now := p.Clock.Now()
	for shard := range p.Hot.Shards() {
		of, err := p.compare(ctx, shard)
		if err != nil {
			return err
		}
		// The mark is neither before the batches that it accepts, or it would be deleted
		// before them, nor older than one of them, if the clock was set back.
		last, at := max(of.last, of.reached), now
		if newest := time.UnixMicro(of.newest); newest.After(at) {
			at = newest
		}
		err = p.Cold.Write(ctx, &cold.Batch{
			Token: fmt.Sprintf("%s/%d/%s/%d", p.Hot.ID(), shard, acceptedMark, at.UnixMicro()),
			Log:   p.Hot.ID(), Shard: shard, First: last + 1, Last: last, Now: at,
		})
		if err != nil {
			return fmt.Errorf("accept that the stores do not belong together: %w", err)
		}
	}
	return nil
}
