package report

import (
	"context"
	"encoding/json"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// ahead is more than an event may lie in the future when it comes, and so more than
// it can be refused before it happened.
const ahead = 48 * time.Hour

// CountDead counts the events of a stretch of a project's time that the cold tier
// refused for ever, and the calls among them.
func CountDead(ctx context.Context, r cold.Reader, p *weir.Project, from, to time.Time) (events, calls int64, err error) {
	rows, err := r.Query(ctx, "SELECT event FROM dead_letters WHERE project_id = ? AND refused_at >= "+r.Dialect().Time("?"),
		p.ID, from.Add(-ahead).UnixMicro())
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return 0, 0, err
		}
		var e struct { // of weir.Event
			Time time.Time
			Call *struct{}
		}
		if json.Unmarshal(raw, &e) != nil || e.Time.Before(from) || !e.Time.Before(to) {
			continue
		}
		events++
		if e.Call != nil {
			calls++
		}
	}
	return events, calls, rows.Err()
}
