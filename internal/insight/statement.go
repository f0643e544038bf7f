package insight

import (
	"context"
	dbsql "database/sql"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/sqlgate"
	"golang.org/x/sync/semaphore"
)

const (
	// rows that a statement returns
	defaultStatementRows = 1000
	maxStatementRows     = 10_000
	// statementBytes is the most memory of the rows of one answer.
	statementBytes = 4 << 20
	// statementMemory is what an engine may take for one, where it counts that.
	statementMemory = 1 << 30
	// statementsAtOnce run in this process; statementsOfProject run or wait.
	statementsAtOnce    = 2
	statementsOfProject = 4
)

// Statement is SQL that a user wrote.
type Statement struct {
	SQL     string
	Params  []any         // string, int64, float64, bool or nil
	Limit   int           // most rows; 0 is 1,000, the most are 10,000
	Timeout time.Duration // 0 is that of questions, which is the most too
	People  bool          // the asker may see people
}

// StatementAnswer is what a statement returns.
type StatementAnswer struct {
	Columns   []StatementColumn `json:"columns" nullable:"false"`
	Rows      [][]any           `json:"rows" nullable:"false" doc:"a value for each column: text, number, boolean or null; a time is text as in RFC 3339, in UTC"`
	Truncated bool              `json:"truncated" doc:"there are more rows than the limit, or than an answer has room for"`
	AsOf      time.Time         `json:"as_of" doc:"up to when the answer is complete"`
	ElapsedMS int64             `json:"elapsed_ms"`
}

// StatementColumn is a column of the answer.
type StatementColumn struct {
	Name string `json:"name"`
	Type string `json:"type" enum:"text,integer,number,boolean,time,json"`
}

// statements limit how many run.
type statements struct {
	sem *semaphore.Weighted
	mu  sync.Mutex
	of  map[string]int // those of a project that run or wait
}

func newStatements(parallel int) *statements {
	return &statements{sem: semaphore.NewWeighted(int64(max(1, min(statementsAtOnce, parallel-1)))), of: map[string]int{}}
}

// begin waits for a turn. The caller calls done at the end.
func (s *statements) begin(ctx context.Context, project string) (done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[project] == statementsOfProject {
		return nil, weir.Errorf(weir.EUNAVAILABLE, "%d statements of the project run or wait, which is the most: ask again when one has ended", statementsOfProject)
	}
	s.of[project]++
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[project]--; s.of[project] == 0 {
			delete(s.of, project)
		}
	}
	s.mu.Unlock()
	err = s.sem.Acquire(ctx, 1)
	s.mu.Lock()
	if err != nil {
		s.mu.Unlock()
		leave()
		s.mu.Lock()
		return nil, context.Cause(ctx)
	}
	return func() { s.sem.Release(1); leave() }, nil
}

// errStatementTooLong ends a statement that takes longer than it may.
var errStatementTooLong = weir.Wrap(errors.New("statement timed out"), weir.EUNAVAILABLE, "the statement takes too long: read fewer rows, such as those of a shorter range of ts")

// Run runs a statement over one project's rows. It sees what was acknowledged before. Errors: EINVALID for one that
// is not allowed, with the place; EUNAVAILABLE for one that takes too much memory or time.
func (e *Engine) Run(ctx context.Context, p *weir.Project, st Statement) (*StatementAnswer, error) {
	if st.Limit < 0 || st.Limit > maxStatementRows {
		return nil, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxStatementRows)
	}
	if st.Limit == 0 {
		st.Limit = defaultStatementRows
	}
	if st.Timeout <= 0 || st.Timeout > e.o.MaxTime {
		st.Timeout = e.o.MaxTime
	}
	start := e.clock.Now()
	ctx, cancel := context.WithDeadlineCause(ctx, time.Now().Add(st.Timeout), errStatementTooLong)
	defer cancel()
	// A wrong statement takes no turn, and asks nothing of the cold tier.
	if _, err := sqlgate.Check(st.SQL, st.Params, st.Limit+1, (&reader{Engine: e, project: p}).catalog(st.People)); err != nil {
		return nil, wrongStatement(err)
	}
	done, err := e.statements.begin(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	defer done()
	r, err := e.reader(ctx, p, st.People)
	if err != nil {
		return nil, fmt.Errorf("insight: sql: %w", err)
	}
	checked, err := sqlgate.Check(st.SQL, st.Params, st.Limit+1, r.catalog(st.People))
	if err != nil {
		return nil, wrongStatement(err)
	}
	release, err := e.hold(ctx, min(statementBytes, e.held.all))
	if err != nil {
		return nil, err
	}
	defer release()
	passed, err := e.passBarrier(ctx, p, 0)
	if err != nil {
		return nil, err
	}
	a := &StatementAnswer{Columns: []StatementColumn{}, Rows: [][]any{}}
	for _, c := range checked.Columns {
		a.Columns = append(a.Columns, StatementColumn{c.Name, c.Kind.String()})
	}
	if err := r.runStatement(ctx, checked, st, a); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, cold.ErrStatement) {
			// The engine's words may have values and names in them that are not the asker's.
			return nil, weir.Wrap(err, weir.EINVALID, "the cold tier cannot run this statement: write it in another way")
		}
		return nil, fmt.Errorf("insight: sql: %w", err)
	}
	a.AsOf, a.ElapsedMS = passed().AsOf, e.clock.Now().Sub(start).Milliseconds()
	return a, nil
}

// wrongStatement is the error of the gate for the client.
func wrongStatement(err error) error {
	var g *sqlgate.Error
	if !errors.As(err, &g) {
		return fmt.Errorf("insight: sql: %w", err)
	}
	detail := map[string]any{"location": fmt.Sprintf("sql:%d:%d", g.Line, g.Column), "message": g.Message}
	if len(g.Allowed) > 0 {
		detail["allowed"] = g.Allowed
	}
	return &weir.Error{Code: weir.EINVALID, Message: "sql: " + g.Error(), Details: []any{detail}}
}

func (r *reader) runStatement(ctx context.Context, checked *sqlgate.Statement, st Statement, a *StatementAnswer) error {
	bounds := cold.Bounds{Time: st.Timeout, Rows: st.Limit + 1, Memory: statementMemory}
	rows, err := r.r.Statement(ctx, checked.SQL, bounds, checked.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	dest := make([]any, len(checked.Columns))
	for i, c := range checked.Columns {
		dest[i] = cell(c.Kind)
	}
	size := 0
	for rows.Next() {
		if len(a.Rows) == st.Limit {
			a.Truncated = true
			return nil
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		row := make([]any, len(dest))
		for i, d := range dest {
			row[i] = d.(interface{ value() any }).value()
			size += 32
			if s, ok := row[i].(string); ok {
				size += len(s)
			}
		}
		if size > statementBytes {
			a.Truncated = true
			return nil
		}
		a.Rows = append(a.Rows, row)
	}
	if err := rows.Err(); err != nil {
		if weir.ErrorCode(err) == weir.EINTERNAL {
			err = errors.Join(cold.ErrStatement, err) // such as a time that the engine cannot compute
		}
		return err
	}
	return nil
}

// cellOf receives a value of a column and returns it for JSON.
type cellOf[T any] struct {
	dbsql.Null[T]
	shown func(T) any
}

func (c *cellOf[T]) value() any {
	if !c.Valid {
		return nil
	}
	return c.shown(c.V)
}

func same[T any](v T) any { return v }

func cell(k sqlgate.Kind) any {
	switch k {
	case sqlgate.Int:
		return &cellOf[int64]{shown: same[int64]}
	case sqlgate.Float:
		return &cellOf[float64]{shown: func(f float64) any {
			if math.IsNaN(f) || math.IsInf(f, 0) {
				return nil
			}
			return f
		}}
	case sqlgate.Bool:
		return &cellOf[bool]{shown: same[bool]}
	case sqlgate.Time:
		return &cellOf[time.Time]{shown: func(t time.Time) any { return t.UTC().Format(time.RFC3339Nano) }}
	}
	return &cellOf[string]{shown: same[string]}
}
