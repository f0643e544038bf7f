package coldtest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// endless compares each pair, triple … of events: 8 to the power of 12.
const endless = "SELECT count(*) FROM events a, events b, events c, events d, events e, events f, events g, events h, events i, events j, events k, events l WHERE length(a.name || b.name || c.path || l.path) + d.status > length(e.path || k.name || f.name) - a.status"

// testStatementBounds runs statements that take too long, and answers that are too large.
func testStatementBounds(t *testing.T, open func(t *testing.T, dir string) cold.Store, _ Part) {
	s := begin(t, open)
	p := statementWorld(t, s)
	e := statementEngine(s)
	t.Run("a statement ends at its time", func(t *testing.T) {
		_, err := e.Run(t.Context(), p, insight.Statement{SQL: endless, Timeout: time.Second})
		if weir.ErrorCode(err) != weir.EUNAVAILABLE {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a statement whose asker is gone ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err := e.Run(ctx, p, insight.Statement{SQL: endless}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("an answer has at most as many rows as are asked for, and says so", func(t *testing.T) {
		for _, c := range []struct {
			sql       string
			limit     int
			rows      int
			truncated bool
		}{
			{"SELECT name FROM events", 8, 8, false},
			{"SELECT name FROM events", 7, 7, true},
			{"SELECT name FROM events LIMIT 3", 7, 3, false},
			{"SELECT name FROM events LIMIT 100", 7, 7, true},
			{"SELECT name FROM events UNION ALL SELECT name FROM events", 7, 7, true},
			{"SELECT a.name FROM events a, events b, events c, events d, events e", 0, 1000, true},
		} {
			a, err := e.Run(t.Context(), p, insight.Statement{SQL: c.sql, Limit: c.limit})
			if err != nil {
				t.Fatalf("%s with the limit %d: %v", c.sql, c.limit, err)
			}
			if len(a.Rows) != c.rows || a.Truncated != c.truncated {
				t.Errorf("%s with the limit %d: %d rows, truncated %t", c.sql, c.limit, len(a.Rows), a.Truncated)
			}
		}
	})
	t.Run("an answer has at most as many bytes as there is room for, and says so", func(t *testing.T) {
		long := "SELECT '" + string(make16k()) + "' || a.name FROM events a, events b, events c"
		a, err := e.Run(t.Context(), p, insight.Statement{SQL: long})
		if err != nil || !a.Truncated || len(a.Rows) == 0 {
			t.Fatalf("%v, truncated %v", err, a)
		}
		if b, _ := json.Marshal(a); len(b) > 5<<20 {
			t.Errorf("an answer of %d bytes", len(b))
		}
	})
}

func make16k() []byte {
	b := make([]byte, 16<<10)
	for i := range b {
		b[i] = 'x'
	}
	return b
}

// FuzzStatements runs whatever passes the gate: it answers with rows of one project alone, or is refused.
func FuzzStatements(f *testing.F, s cold.Store) {
	for _, st := range statements {
		f.Add(st.sql)
	}
	for _, sql := range refusedStatements {
		if len(sql) < 1000 {
			f.Add(sql)
		}
	}
	for _, sql := range harmlessStatements {
		f.Add(sql)
	}
	var e *insight.Engine
	var p *weir.Project
	f.Fuzz(func(t *testing.T, sql string) {
		if e == nil {
			p, e = statementWorld(t, s), statementEngine(s)
		}
		a, err := e.Run(t.Context(), p, insight.Statement{SQL: sql, Params: []any{"x", int64(1)}, People: true, Timeout: time.Second})
		if err != nil {
			if c := weir.ErrorCode(err); c != weir.EINVALID && c != weir.EUNAVAILABLE {
				t.Fatalf("%q: %v", sql, err)
			}
			return
		}
		checkOwn(t, sql, a)
	})
}
