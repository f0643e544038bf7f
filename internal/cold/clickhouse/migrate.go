package clickhouse

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"text/template"

	"github.com/weir-analytics/weir/internal/cold"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables to the newest version, on each server of a cluster.
// Servers of the version before may be writing meanwhile, and several nodes may
// migrate at once: each statement leaves alone what is there, and only adds.
func (s *Store) migrate(ctx context.Context, steps fs.FS) error {
	files, err := fs.Glob(steps, "migrations/*.sql") // sorted by name, so by version
	if err != nil {
		return err
	}
	servers, done, err := s.servers(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, db := range servers {
		have, err := s.version(ctx, db)
		if err != nil {
			return err
		}
		if have > len(files) {
			return fmt.Errorf("%w: its tables have version %d, this program knows up to %d: upgrade Weir", cold.ErrNewer, have, len(files))
		}
	}
	tuning, err := tuning(ctx, servers[0])
	if err != nil {
		return err
	}
	// Step by step over all servers: what one adds may name the tables of another.
	for i, name := range files {
		if n, err := strconv.Atoi(strings.SplitN(path.Base(name), "_", 2)[0]); err != nil || n != i+1 {
			return fmt.Errorf("%s should have number %d", name, i+1)
		}
		statements, err := s.render(steps, name, tuning)
		if err != nil {
			return err
		}
		for _, db := range servers {
			if err := s.step(ctx, db, i+1, statements); err != nil {
				return fmt.Errorf("to version %d: %w", i+1, err)
			}
		}
	}
	return nil
}

// version is that of a server's tables; 0 when there are none.
func (s *Store) version(ctx context.Context, db *sql.DB) (have int, err error) {
	for _, q := range []string{
		"CREATE DATABASE IF NOT EXISTS " + s.url.Database,
		"CREATE TABLE IF NOT EXISTS " + s.url.Database + ".schema_version (version UInt32, applied_at DateTime) ENGINE = MergeTree ORDER BY version",
	} {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return 0, err
		}
	}
	err = db.QueryRowContext(ctx, "SELECT toInt64(coalesce(max(version), 0)) FROM "+s.url.Database+".schema_version").Scan(&have)
	return have, err
}

func (s *Store) step(ctx context.Context, db *sql.DB, version int, statements []string) error {
	have, err := s.version(ctx, db)
	if err != nil || have >= version {
		return err
	}
	for _, q := range statements {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s.schema_version VALUES (%d, now())", s.url.Database, version))
	return err
}

// render makes a migration's statements for the kind of ClickHouse that this is.
func (s *Store) render(steps fs.FS, name string, tuning []string) ([]string, error) {
	u := s.url
	t, err := template.New(path.Base(name)).Funcs(template.FuncMap{
		"local":  func(table string) string { return u.Database + "." + u.local(table) },
		"global": func(table string) string { return u.Database + "." + table },
		"engine": u.engine,
		"cold":   u.coldTTL,
		"settings": func() string {
			return strings.Join(append(u.tableSettings(), tuning...), ", ")
		},
		"distributed": func(table, key string) string {
			if u.Cluster == "" {
				return ""
			}
			return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %[1]s.%[2]s AS %[1]s.%[3]s ENGINE = Distributed('%[4]s', '%[1]s', '%[3]s', %[5]s)",
				u.Database, table, u.local(table), u.Cluster, key)
		},
	}).ParseFS(steps, name)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return nil, err
	}
	var out []string
	for q := range strings.SplitSeq(b.String(), "\n;\n") {
		if q = strings.TrimSpace(q); q != "" && q != ";" {
			out = append(out, q)
		}
	}
	return out, nil
}

// local is the name of a server's own part of a table.
func (u *URL) local(table string) string {
	if u.Cluster == "" {
		return table
	}
	return table + "_local"
}

// engine is a table's engine, replicated or not. {shard} and {replica} are the
// server's macros.
func (u *URL) engine(engine, table string) string {
	if !u.Replicated {
		return engine
	}
	kind, args, _ := strings.Cut(strings.TrimSuffix(engine, ")"), "(")
	if args != "" {
		args = ", " + args
	}
	return fmt.Sprintf("Replicated%s('/clickhouse/tables/{shard}/%s/%s', '{replica}'%s)", kind, u.Database, table, args)
}

// coldTTL moves what is old to the cold volume.
func (u *URL) coldTTL(column string) string {
	if u.ColdAfter == 0 {
		return ""
	}
	return fmt.Sprintf("TTL toDateTime(%s) + INTERVAL %d DAY TO VOLUME '%s'", column, u.ColdAfter, u.ColdVolume)
}

// tuned makes merges cheaper, see DESIGN.md. Not every version knows all of it.
var tuned = []struct{ setting, value string }{
	{"merge_max_block_size", "65536"},
	{"merge_selector_base", "10"},
	{"auto_statistics_types", "''"},
}

// tuning are the settings of tuned that a server knows.
func tuning(ctx context.Context, db *sql.DB) ([]string, error) {
	var out []string
	for _, t := range tuned {
		var known bool
		if err := db.QueryRowContext(ctx, "SELECT count() > 0 FROM system.merge_tree_settings WHERE name = '"+t.setting+"'").Scan(&known); err != nil {
			return nil, err
		}
		if known {
			out = append(out, t.setting+" = "+t.value)
		}
	}
	return out, nil
}

// dedupWindow is how many inserts of a table are remembered by their tokens.
const dedupWindow = 10_000

func (u *URL) tableSettings() []string {
	var out []string
	if u.Replicated {
		// The time too: a shard's last batch may come again days later.
		out = append(out, fmt.Sprintf("replicated_deduplication_window = %d", dedupWindow), "replicated_deduplication_window_seconds = 604800")
	} else {
		out = append(out, fmt.Sprintf("non_replicated_deduplication_window = %d", dedupWindow))
	}
	if u.Fsync {
		out = append(out, "fsync_after_insert = 1", "fsync_part_directory = 1")
	}
	if u.Policy != "" {
		out = append(out, "storage_policy = '"+u.Policy+"'")
	}
	return out
}

var errNoCluster = errors.New("the server does not know it: it has to stand in remote_servers")
