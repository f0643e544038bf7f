// Package clickhouse keeps the cold tier in ClickHouse: one server, or the shards
// of a cluster. See internal/cold/DESIGN.md.
package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/outage"
)

var _ cold.Store = (*Store)(nil)

// ErrClosed is returned after Close.
var ErrClosed = errors.New("clickhouse: store is closed")

// Options tune a store. The zero value is good.
type Options struct {
	Wait   time.Duration // how long Open waits for a server that is not there yet
	Logger *slog.Logger  // nil is silent
}

// Store is a cold tier in ClickHouse. All methods are safe for concurrent use, in
// any number of processes.
type Store struct {
	url    *URL
	log    *slog.Logger
	db     *sql.DB
	writer *writer
}

// Open connects, and brings the tables up to date. Errors: cold.ErrNewer, and what
// Explain makes of ClickHouse's.
func Open(ctx context.Context, u *URL, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{url: u, log: o.Logger}
	if err := s.waitMigrated(ctx, o.Wait); err != nil {
		return nil, fmt.Errorf("clickhouse: open: %w", Explain(err))
	}
	s.db = u.open(u.Addrs, u.Database)
	s.writer = newWriter(u)
	return s, nil
}

// waitMigrated migrates, and waits for a server that is not there yet, or not ready.
func (s *Store) waitMigrated(ctx context.Context, wait time.Duration) error {
	end := time.Now().Add(wait)
	away := outage.New(s.log, nil, "waiting for ClickHouse", "ClickHouse is there")
	for {
		err := s.migrate(ctx, migrations)
		switch {
		case err == nil:
			away.Up("addresses", s.url.Addrs)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing(err) || !time.Now().Before(end):
			return err
		}
		away.Down(Explain(err), "addresses", s.url.Addrs)
		pause(ctx, time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// open makes a pool of connections. It does not connect yet.
func (u *URL) open(addrs []string, database string) *sql.DB {
	db := openDB(&ch.Options{
		Addr:     addrs,
		Auth:     ch.Auth{Database: database, Username: u.User, Password: u.Password},
		TLS:      u.TLS,
		Settings: u.querySettings(),

		DialTimeout: dialTimeout,
		ReadTimeout: u.MaxTime + dialTimeout, // the server's own limit comes first
	})
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(4)
	db.SetConnMaxIdleTime(time.Minute)
	return db
}

const dialTimeout = 5 * time.Second

// querySettings make ClickHouse read SQL as the standard has it, and bound what one
// query may take.
func (u *URL) querySettings() ch.Settings {
	set := ch.Settings{
		"max_execution_time": int(u.MaxTime.Seconds()),
		// A name is a column's before it is that of an expression beside it.
		"prefer_column_name_to_alias":           1,
		"join_use_nulls":                        1,
		"group_by_use_nulls":                    1,
		"cast_keep_nullable":                    1,
		"aggregate_functions_null_for_empty":    1,
		"count_distinct_implementation":         "uniqExact",
		"precise_float_parsing":                 1,
		"force_grouping_standard_compatibility": 1,
		// Long lists of values, and many URL rules: insight bounds both.
		"max_query_size":            16 << 20,
		"max_ast_elements":          1_000_000,
		"max_expanded_ast_elements": 2_000_000,
		// A table of the cluster within a query on another goes to all shards.
		"distributed_product_mode": "global",
	}
	if u.MaxMemory > 0 {
		set["max_memory_usage"] = u.MaxMemory
	}
	if u.MaxRows > 0 {
		set["max_rows_to_read"] = u.MaxRows
	}
	for _, q := range u.quorum() {
		set[q.setting] = q.value
	}
	return set
}

// servers are those whose tables are to be migrated: the one, or all of a cluster.
func (s *Store) servers(ctx context.Context) (_ []*sql.DB, done func(), err error) {
	u := s.url
	first := u.open(u.Addrs, "default")
	all := []*sql.DB{first}
	done = func() {
		for _, db := range all {
			_ = db.Close()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	if u.Cluster == "" {
		return all, done, first.PingContext(ctx)
	}
	rows, err := first.QueryContext(ctx, "SELECT host_name, toString(port) FROM system.clusters WHERE cluster = '"+u.Cluster+"' ORDER BY shard_num, replica_num")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var host, port string
		if err := rows.Scan(&host, &port); err != nil {
			return nil, nil, err
		}
		all = append(all, u.open([]string{net.JoinHostPort(host, port)}, "default"))
	}
	if len(all) == 1 && rows.Err() == nil {
		return nil, nil, fmt.Errorf("cluster %q: %w", u.Cluster, errNoCluster)
	}
	return all[1:], done, rows.Err()
}

// Query answers SQL; the caller closes the rows. Cancelling ctx stops it.
func (s *Store) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, bound, err := bindings(query, args)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: query: %w", err)
	}
	var rows *sql.Rows
	err = retry(ctx, func() error {
		rows, err = s.db.QueryContext(ctx, query, bound...) //nolint:rowserrcheck,sqlclosecheck // the caller reads and closes them
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("clickhouse: query: %w", asked(err))
	}
	return rows, nil
}

// Dialect is ClickHouse's SQL.
func (s *Store) Dialect() cold.Dialect { return Dialect{} }

// spacing keeps parts from piling up when someone asks all the time.
const spacing = 250 * time.Millisecond

// Spacing is 250 ms: each insert makes a part, which has to be merged.
func (s *Store) Spacing() time.Duration { return spacing }

// Close ends the store. A second Close does nothing.
func (s *Store) Close() error {
	s.writer.close()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("clickhouse: close: %w", err)
	}
	return nil
}
