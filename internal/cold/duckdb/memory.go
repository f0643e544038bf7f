package duckdb

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/semaphore"
)

const (
	// LeastMemory is the least limit under which a full batch can be written, and the
	// log of recent writes merged.
	LeastMemory = 64_000_000
	// turnMemory is what a question has for itself, about, when all that may run at
	// the same time do.
	turnMemory = 64 << 20
)

func (o *Options) defaults() error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Memory != 0 && o.Memory < LeastMemory {
		return weir.Errorf(weir.EINVALID, "%d bytes of memory are too few, %d are the least", o.Memory, int64(LeastMemory))
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
		if o.Memory > 0 { // each has buffers of its own
			o.Threads = min(o.Threads, int(max(1, o.Memory/(turnMemory/2))))
		}
	}
	return nil
}

// settings are for the whole instance, not for a connection.
func settings(path string, o Options) []string {
	q := []string{
		fmt.Sprintf("SET GLOBAL threads = %d", o.Threads),
		fmt.Sprintf("SET GLOBAL wal_autocheckpoint = '%dB'", walLimit(o)),
		// Nothing is ever fetched from the network.
		"SET GLOBAL autoinstall_known_extensions = false",
		"SET GLOBAL autoload_known_extensions = false",
		// Answers are ordered by their queries; keeping the order of scans costs memory.
		"SET GLOBAL preserve_insertion_order = false",
		// What does not fit into memory goes here. DuckDB empties it.
		"SET GLOBAL temp_directory = '" + strings.ReplaceAll(path+".tmp", "'", "''") + "'",
	}
	if o.Memory > 0 {
		q = append(q,
			fmt.Sprintf("SET GLOBAL memory_limit = '%dB'", o.Memory),
			fmt.Sprintf("SET GLOBAL max_temp_directory_size = '%dB'", spillLimit(o)),
			// The allocator gives back what a question has used, rather than up to these.
			"SET GLOBAL allocator_flush_threshold = '4MiB'",
			"SET GLOBAL allocator_bulk_deallocation_flush_threshold = '16MiB'",
		)
	}
	// A statement reads no file and no network, whatever it says. The open file, its log and what it spills stay
	// readable. The configuration as a whole is not locked: Trim changes the memory limit.
	return append(q, "SET GLOBAL enable_external_access = false")
}

// walLimit is the size of the log of recent writes at which DuckDB merges it
// into the file. Merging is work beside the writes, reading it back is work at
// the start: see DESIGN.md for the measurement. What is not merged yet is in memory,
// or spilled when it does not fit; and merging takes memory beside DuckDB's limit, to
// compress with, that grows with it: with 512 MB for the process, 80,000 events with a long
// path each took 525 MiB at half of the limit and 490 MiB at a quarter.
func walLimit(o Options) int64 {
	if o.Memory == 0 {
		return 256 << 20
	}
	return min(max(o.Memory/4, 16<<20), 256<<20)
}

// spillLimit is the most that stands in temp_directory.
func spillLimit(o Options) int64 { return max(4*o.Memory, 2<<30) }

// turns bound how many questions run at the same time: DuckDB ends a question that
// finds the memory in use by others, although it would do well alone.
type turns struct {
	all int64
	sem *semaphore.Weighted
}

func newTurns(o Options) turns {
	n := int64(4 * o.Threads)
	if o.Memory > 0 {
		n = min(n, max(1, o.Memory/(turnMemory/2)))
	}
	return turns{n, semaphore.NewWeighted(n)}
}

// take runs f when it is its turn. Where memory is out f runs again, alone.
func (t turns) run(ctx context.Context, f func() error) error {
	err := t.with(ctx, 1, f)
	if t.all > 1 && outOfMemory(err) && ctx.Err() == nil {
		err = t.with(ctx, t.all, f)
	}
	return err
}

// aside runs f, which changes rows, beside the questions. Where memory is out f runs
// again while no question does.
func (t turns) runChange(ctx context.Context, f func() error) error {
	err := f()
	if outOfMemory(err) && ctx.Err() == nil {
		err = t.with(ctx, t.all, f)
	}
	return err
}

func (t turns) with(ctx context.Context, n int64, f func() error) error {
	if err := t.sem.Acquire(ctx, n); err != nil {
		return err
	}
	defer t.sem.Release(n)
	return f()
}

// idleLog is the size of the log of recent writes, in bytes, from which an idle store merges the
// log although writes go on. quietLog is that size while no writes come. A merge rewrites the
// last row group, so a few rows are not worth it.
const (
	idleLog  = 16 << 20
	quietLog = 1 << 20
)

// leastLimit is less than any open file needs.
const leastLimit = "1MB"

// Trim gives back memory that an idle store does not use. One goroutine calls it now and then
// while the process idles. It gives back what was not used since the last call.
//
//   - The log of recent writes is merged into the file. Until then its rows are in memory, and
//     a stop has to merge them. If a stop has no time for that, the next start reads the rows
//     into memory again.
//   - Blocks of the file that were read are dropped; the system's cache of files has them.
//
// It also sorts the sightings, for which an idle store has the time.
func (s *Store) Trim(ctx context.Context) error {
	if err := s.mergeLog(); err != nil {
		return err
	}
	if err := s.sortSightings(ctx); err != nil {
		return err
	}
	asked := s.asked.Load()
	idle := asked == s.trimmed.asked
	s.trimmed.asked = asked
	// Nobody waits for this: a write under way may take long on a slow disk.
	if !idle || !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	if !s.turns.sem.TryAcquire(s.turns.all) {
		return nil
	}
	defer s.turns.sem.Release(s.turns.all)
	return s.dropBlocks(ctx)
}

// mergeLog merges the log of recent writes if it has become large; sooner where nothing has been
// written since the last Trim.
func (s *Store) mergeLog() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return nil
	}
	idle := s.w.batches == s.trimmed.batches
	s.trimmed.batches = s.w.batches
	if size := s.logSize(); size < quietLog || size < idleLog && !idle {
		return nil
	}
	if err := s.w.exec("CHECKPOINT"); err != nil {
		return fmt.Errorf("duckdb: merge the log: %w", err)
	}
	return nil
}

// logSize is the size of the log of recent writes, in bytes.
func (s *Store) logSize() int64 {
	f, err := os.Stat(s.path + ".wal")
	if err != nil {
		return 0
	}
	return f.Size()
}

// dropBlocks drops the blocks of the file from memory. DuckDB does so when its limit is lowered,
// even if it then refuses the new limit. No question and no write may run meanwhile.
func (s *Store) dropBlocks(ctx context.Context) error {
	if s.options.Memory == 0 {
		return nil // the limit to go back to is not known
	}
	db, err := s.reader()
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "SET GLOBAL memory_limit = '"+leastLimit+"'")
	if err != nil && !outOfMemory(err) {
		return fmt.Errorf("duckdb: lower the memory limit: %w", err)
	}
	// Also where ctx has ended.
	if _, err := db.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("SET GLOBAL memory_limit = '%dB'", s.options.Memory)); err != nil {
		return fmt.Errorf("duckdb: set the memory limit: %w", err)
	}
	return nil
}

// outOfMemory says whether the error is DuckDB's memory limit, or the limit of its temporary
// files.
func outOfMemory(err error) bool {
	if err == nil {
		return false
	}
	for _, words := range []string{"Out of Memory", "could not allocate block", "failed to pin block", "failed to allocate data", "failed to offload data"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// Usage is what DuckDB counts of its memory, in bytes.
type Usage struct {
	Memory  int64 // under its limit
	Spilled int64 // on disk
}

// Usage waits for no question.
func (s *Store) Usage(ctx context.Context) (u Usage, err error) {
	db, err := s.reader()
	if err != nil {
		return u, err
	}
	err = db.QueryRowContext(ctx, "SELECT CAST(sum(memory_usage_bytes) AS BIGINT), CAST(sum(temporary_storage_bytes) AS BIGINT) FROM duckdb_memory()").Scan(&u.Memory, &u.Spilled)
	if err != nil {
		return u, fmt.Errorf("duckdb: usage: %w", err)
	}
	return u, nil
}
