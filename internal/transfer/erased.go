package transfer

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/weir-analytics/weir/internal/cold"
)

// marks copies who was erased, before any rows: what the source has no more of a person
// must not come to the destination later, from a log that waits.
func (r *run) marks(ctx context.Context, projects []string) error {
	for _, p := range projects {
		there, err := marksIn(ctx, r.to, p)
		if err != nil {
			return err
		}
		erased, err := marksIn(ctx, r.from, p)
		if err != nil {
			return err
		}
		known := cold.Erased{}
		known.Add(there...)
		b := &cold.Batch{Shard: noShard, Now: r.o.Clock.Now()}
		h := xxhash.New()
		for _, m := range erased {
			if !known.Has(m) {
				b.Marks = append(b.Marks, m)
				_, _ = fmt.Fprintln(h, m.Person, m.At.UnixMicro())
			}
		}
		if len(b.Marks) == 0 {
			continue
		}
		b.Token = fmt.Sprintf("migrate/%s/erasures/%016x/%d", p, h.Sum64(), len(there))
		b.Log = logOf(b.Token)
		if err := r.to.Write(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func marksIn(ctx context.Context, from cold.Reader, project string) ([]cold.Mark, error) {
	var out []cold.Mark
	err := each(ctx, from, "SELECT DISTINCT project_id, person, erased_at, erased_by FROM erasures WHERE project_id = ? ORDER BY erased_at, person", []any{project}, func(rows *sql.Rows) error {
		var m cold.Mark
		if err := rows.Scan(&m.ProjectID, &m.Person, &m.At, &m.By); err != nil {
			return err
		}
		m.At = m.At.UTC()
		out = append(out, m)
		return nil
	})
	return out, err
}
