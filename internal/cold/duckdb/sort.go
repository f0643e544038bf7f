package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	// sortSpan is the time whose sightings are sorted together, in quarters of an hour: 32 days. The
	// longer it is, the more rows of one person lie side by side, and the more a question about
	// one day reads.
	sortSpan = 32 * 96
	// sortRows is how many rows a span must have. A table of fewer persons fits into the cache of
	// the processor in any order.
	sortRows = 200_000
	// sortAfter is how many rows must have been written since the last look at the order.
	sortAfter = 20_000
	// sampledRows is about how many rows the look reads.
	sampledRows = 200_000
)

// sorting lets one transaction at a time sort rows or delete them: DuckDB ends a transaction
// that deletes a row which another one has deleted. Sorting deletes each row, and inserts it in
// another place. A deletion does not wait for it to end, but cancels it.
type sorting struct {
	mu        sync.Mutex // held while rows are sorted or deleted
	deletions atomic.Int32
	cancel    atomic.Pointer[context.CancelFunc]
}

// deletion runs f, which deletes rows.
func (s *Store) deletion(ctx context.Context, f func() error) error {
	s.sorting.deletions.Add(1)
	defer s.sorting.deletions.Add(-1)
	if cancel := s.sorting.cancel.Load(); cancel != nil {
		(*cancel)()
	}
	s.sorting.mu.Lock()
	defer s.sorting.mu.Unlock()
	return s.turns.runChange(ctx, f)
}

// sortSightings sorts by person the sightings of each span of time in which many are not sorted.
//
// They come in the order of time, so those of one person lie far apart. A question about
// persons brings them together, and finds each row's person in another place of a large table in
// memory. Sorted rows take a fifth of the time and half of the space. Their order means nothing else.
// It is called by one goroutine, while the store idles. Writes go on meanwhile.
func (s *Store) sortSightings(ctx context.Context) error {
	if !s.sortDue() {
		return nil
	}
	db, err := s.reader()
	if err != nil {
		return err
	}
	spans, err := unsorted(ctx, db)
	if err != nil {
		return fmt.Errorf("duckdb: look at the order of sightings: %w", err)
	}
	for _, span := range spans {
		err := s.turns.with(ctx, 1, func() error { return s.sortSpan(ctx, db, span) })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			// A deletion came, or there is no memory for it. Questions are answered as well.
			s.log.Debug("sightings were not sorted", "error", err)
		}
	}
	return nil
}

// sortDue says whether enough sightings were written since it last said so, or since the file was
// opened.
func (s *Store) sortDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil || s.w.sighted < sortAfter {
		return false
	}
	s.w.sighted = 0
	return true
}

// unsorted returns the spans to sort: those in which many neighbours in the file fall, which means
// that the second one is less than the first. Where rows lie at random, half of them do. Of the newest
// span a quarter of the rows may be unsorted, since more come: so a row is sorted about four times. Of
// others, one in fifty may be.
func unsorted(ctx context.Context, db *sql.DB) (spans []int64, err error) {
	var all int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sightings").Scan(&all); err != nil || all < sortRows {
		return nil, err
	}
	part := min(1, sampledRows/float64(all))
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT span, COUNT(*) AS n, 2 * SUM(CASE WHEN (project_id, person) < (project_before, person_before) THEN 1 ELSE 0 END) / COUNT(*) AS falling
FROM (SELECT CAST(FLOOR(quarter / %d) AS BIGINT) AS span, project_id, person, rowid AS place, LAG(rowid) OVER places AS place_before,
LAG(project_id) OVER places AS project_before, LAG(person) OVER places AS person_before
FROM sightings TABLESAMPLE SYSTEM (%.6f PERCENT) WINDOW places AS (ORDER BY rowid)) AS neighbours
WHERE place = place_before + 1 GROUP BY span ORDER BY span DESC`, sortSpan, 100*part))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for allowed := 0.25; rows.Next(); allowed = 0.02 {
		var span, n int64
		var falling float64
		if err := rows.Scan(&span, &n, &falling); err != nil {
			return nil, err
		}
		if float64(n) >= sortRows*part && falling > allowed {
			spans = append(spans, span)
		}
	}
	return spans, rows.Err()
}

// sortSpan sorts one span in a transaction of its own.
func (s *Store) sortSpan(ctx context.Context, db *sql.DB, span int64) error {
	s.sorting.mu.Lock()
	defer s.sorting.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.sorting.cancel.Store(&cancel)
	defer s.sorting.cancel.Store(nil)
	if s.sorting.deletions.Load() > 0 {
		return context.Canceled
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	of := fmt.Sprintf(" FROM sightings WHERE quarter >= %d AND quarter < %d", span*sortSpan, (span+1)*sortSpan)
	var last int64 // the rows of the transaction itself come after it
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(rowid), -1)"+of).Scan(&last); err != nil {
		return err
	}
	for _, q := range []string{
		"INSERT INTO sightings SELECT *" + of + " ORDER BY project_id, person, quarter",
		fmt.Sprint("DELETE", of, " AND rowid <= ", last),
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}
