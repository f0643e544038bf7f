package duckdb

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	duck "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/weir-analytics/weir/internal/cold"
)

// writer is a connection of its own below database/sql, since only there can
// vectors be filled in place. It is not safe for concurrent use.
type writer struct {
	db     mapping.Database
	conn   mapping.Connection
	chunks map[string]*chunk // by table, kept between batches

	sightings  cold.Sightings
	sighted    int // sightings written since the last look at their order
	linked     cold.Linked
	batches    int // written
	compaction compaction
}

// newWriter joins the instance that the process has open at path.
func newWriter(path string) (*writer, error) {
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return nil, errors.New("no configuration")
	}
	defer mapping.DestroyConfig(&config)
	// As the driver says it, or the instance would not be found.
	options := map[string]string{"duckdb_api": "go"}
	maps.Copy(options, instanceOptions(path))
	for name, value := range options {
		if mapping.SetConfig(config, name, value) == mapping.StateError {
			return nil, errors.New("no configuration")
		}
	}
	w := &writer{chunks: make(map[string]*chunk), sighted: sortAfter} // the order of the file's is not known
	var msg string
	if mapping.GetOrCreateFromCache(duck.GetInstanceCache(), path, &w.db, config, &msg) == mapping.StateError {
		mapping.Close(&w.db)
		return nil, errors.New(msg)
	}
	if mapping.Connect(w.db, &w.conn) == mapping.StateError {
		mapping.Close(&w.db)
		return nil, errors.New("no connection")
	}
	// Else several threads append to collections of their own, and all rows are copied from these to
	// the transaction's: a fifth of the CPU time of a batch of 10,000.
	if err := w.exec("SET SESSION preserve_insertion_order = true"); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *writer) close() {
	for _, c := range w.chunks {
		c.close()
	}
	mapping.Disconnect(&w.conn)
	mapping.Close(&w.db)
}

// exec runs a statement that answers nothing.
func (w *writer) exec(q string) error {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(w.conn, q, &res) == mapping.StateError {
		return fmt.Errorf("%s: %s", q, mapping.ResultError(&res))
	}
	return nil
}

// number is the only value of a query's answer, a BIGINT.
func (w *writer) number(q string) (int64, error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(w.conn, q, &res) == mapping.StateError {
		return 0, fmt.Errorf("%s: %s", q, mapping.ResultError(&res))
	}
	rows := mapping.FetchChunk(res)
	defer mapping.DestroyDataChunk(&rows)
	if rows.Ptr == nil || mapping.DataChunkGetSize(rows) == 0 {
		return 0, fmt.Errorf("%s: no answer", q)
	}
	return *(*int64)(mapping.VectorGetData(mapping.DataChunkGetVector(rows, 0))), nil
}

// hasToken says whether a batch is in.
func (w *writer) hasToken(token string) (bool, error) {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(w.conn, "SELECT 1 FROM batches WHERE token = ?", &stmt) == mapping.StateError {
		return false, fmt.Errorf("look up the token: %s", mapping.PrepareError(stmt))
	}
	if mapping.BindVarchar(stmt, 1, strings.ToValidUTF8(token, "\uFFFD")) == mapping.StateError {
		return false, errors.New("look up the token: not bound")
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.ExecutePrepared(stmt, &res) == mapping.StateError {
		return false, fmt.Errorf("look up the token: %s", mapping.ResultError(&res))
	}
	rows := mapping.FetchChunk(res)
	defer mapping.DestroyDataChunk(&rows)
	return rows.Ptr != nil && mapping.DataChunkGetSize(rows) > 0, nil
}

// transaction runs f between BEGIN and COMMIT, or ROLLBACK when f fails.
func (w *writer) transaction(f func() error) error {
	if err := w.exec("BEGIN TRANSACTION"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		// A failed commit has rolled back already; then this says so, which is
		// no news.
		_ = w.exec("ROLLBACK")
	}
	return err
}

// chunkRows is how many rows a DuckDB vector holds.
var chunkRows = duck.GetDataChunkCapacity()

// appendRows writes rows to a table within the current transaction.
func appendRows[R any](w *writer, l *layout[R], rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	var a mapping.Appender
	defer mapping.AppenderDestroy(&a)
	if mapping.AppenderCreateExt(w.conn, "", "", l.name, &a) == mapping.StateError {
		return fmt.Errorf("append to %s: %s", l.name, mapping.AppenderError(a))
	}
	c := w.chunk(l.name, a)
	if len(c.vectors) != len(l.fill) {
		return fmt.Errorf("append to %s: it has %d columns, want %d", l.name, len(c.vectors), len(l.fill))
	}
	c.reset()
	for len(rows) > 0 {
		rows = fillFrom(c, l, rows)
		if err := c.appendTo(a); err != nil {
			return fmt.Errorf("append to %s: %w", l.name, err)
		}
	}
	if mapping.AppenderFlush(a) == mapping.StateError {
		return fmt.Errorf("append to %s: %s", l.name, mapping.AppenderError(a))
	}
	return nil
}

// chunk is the table's, made on first use.
func (w *writer) chunk(table string, a mapping.Appender) *chunk {
	if c := w.chunks[table]; c != nil {
		return c
	}
	types := make([]mapping.LogicalType, mapping.AppenderColumnCount(a))
	for i := range types {
		types[i] = mapping.AppenderColumnType(a, mapping.IdxT(i))
	}
	c := newChunk(types)
	for i := range types {
		mapping.DestroyLogicalType(&types[i])
	}
	w.chunks[table] = c
	return c
}
