package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	chgo "github.com/ClickHouse/ch-go"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// recountTimeout is how long a recount of some days may take.
const recountTimeout = 10 * time.Minute

// Recount implements cold.Recounter. Tallies of different logs are never added up, so
// those of a copy's logs can be compared with the events of these logs. Example: events has
// 5 rows of a kind, tallies says 3: a tally of 2 is added. Rows are counted by their seq:
// while somebody is erased an event is there twice.
func (s *Store) Recount(ctx context.Context, project, logs string, from, to time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, recountTimeout)
	defer cancel()
	if s.url.Replicated {
		select {
		case s.writer.turn <- struct{}{}:
			defer func() { <-s.writer.turn }()
		case <-ctx.Done():
			return fmt.Errorf("clickhouse: recount: wait for the batch before: %w", ctx.Err())
		}
	}
	const kind = "project_id, quarter, name, method, route, status, log, shard"
	const where = " WHERE project_id = {project:String} AND quarter >= {from:Int32} AND quarter < {to:Int32} AND startsWith(log, {logs:String}) GROUP BY " + kind
	columns := strings.Join([]string{kind, "events", "last_seq"}, ", ")
	q := chgo.Query{
		Body: "INSERT INTO tallies (" + columns + ") SELECT " + kind + ", sum(n) AS missing, max(last) FROM (" +
			"SELECT " + kind + ", toInt64(uniqExact(seq)) AS n, max(seq) AS last FROM events" + where +
			" UNION ALL SELECT " + kind + ", -toInt64(sum(events)) AS n, toUInt64(0) AS last FROM tallies" + where +
			") AS counts GROUP BY " + kind + " HAVING missing > 0",
		Parameters: chgo.Parameters(map[string]any{
			"project": clean(project), "logs": logs, "from": cold.Quarter(&weir.Event{Time: from}), "to": cold.Quarter(&weir.Event{Time: to}),
		}),
	}
	err := retry(ctx, func() error {
		c, err := s.writer.acquire(ctx)
		if err != nil {
			return err
		}
		q.Settings = []chgo.Setting{{Key: "insert_deduplication_token", Value: fmt.Sprintf("recount/%d", time.Now().UnixNano()), Important: true}}
		err = c.client.Do(ctx, q)
		s.writer.give(c, err)
		return err
	})
	if err != nil {
		return fmt.Errorf("clickhouse: recount: %w", Explain(err))
	}
	return nil
}
