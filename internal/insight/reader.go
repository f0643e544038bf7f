package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"golang.org/x/sync/errgroup"
)

// reader writes and runs the statements of one question about one project. The project's
// identities are known by then.
type reader struct {
	*Engine
	project *weir.Project
	identities
	asOf time.Time // up to when the answer is complete
}

// local returns a time in microseconds in the project's timezone.
func (r *reader) local(us int64) time.Time { return time.UnixMicro(us).In(r.project.Location()) }

// window is the condition for the project's rows between two times in microseconds;
// column is the table's timestamp.
func (r *reader) window(column string, from, to int64) fragment {
	return sql("project_id = @ AND "+column+" >= @ AND "+column+" < @", bind(r.project.ID), r.at(from), r.at(to))
}

// quarters is the same by the column quarter. The range must be one of whole quarters of
// an hour. This column is cheaper to read than the timestamp.
func (r *reader) quarters(b buckets) fragment {
	return sql("project_id = @ AND quarter >= @ AND quarter < @", bind(r.project.ID), bind(b.from/quarterOfHour), bind(b.to/quarterOfHour))
}

// in is the condition for the events in a range, by the cheaper of the two columns.
func (r *reader) in(b buckets) fragment {
	if b.wholeQuarters() {
		return r.quarters(b)
	}
	return r.window("ts", b.from, b.to)
}

// parallel runs the parts of a question, so many at once as a question may have. It
// returns the first error.
func (r *reader) parallel(ctx context.Context, parts ...func(context.Context) error) error {
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(r.o.Parallel)
	for _, part := range parts {
		eg.Go(func() error { return part(ctx) })
	}
	return eg.Wait()
}

// each runs a statement and calls scan for each row. Error: EUNAVAILABLE if it takes
// longer than a question may.
func (e *Engine) each(ctx context.Context, f fragment, scan func(scan func(...any) error) error) error {
	limited, cancel := context.WithTimeout(ctx, e.o.MaxTime)
	defer cancel()
	err := e.rowsOf(limited, f, scan)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return errTooLong
	}
	return err
}

func (e *Engine) rowsOf(ctx context.Context, f fragment, scan func(scan func(...any) error) error) error {
	rows, err := e.r.Query(ctx, f.sql, f.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// at is a time to compare a timestamp with. It is cut to what rows may have, since not
// every engine has times beyond that.
func (e *Engine) at(us int64) fragment {
	return call(e.d.Time, bind(min(max(us, cold.Earliest.UnixMicro()), cold.Latest.UnixMicro())))
}

// badBucket is the error of a row whose bucket number is not one of the n of the question.
func badBucket(bucket int64, n int) error { return fmt.Errorf("row of bucket %d among %d", bucket, n) }
