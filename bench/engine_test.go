package bench_test

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/visit"
)

// engine is a cold tier to measure.
type engine struct {
	cold.Store
	name string
	cpu  func() time.Duration // what its server used so far, if it has one
	// bytes is what is on disk.
	bytes func() int64
	exec  func(query string)
}

// engines runs f on a new store of each engine, or of the one that WEIR_BENCH_COLD
// names.
func engines(b *testing.B, f func(b *testing.B, e *engine)) {
	for _, name := range []string{"duckdb", "clickhouse"} {
		if only := os.Getenv("WEIR_BENCH_COLD"); only != "" && only != name {
			continue
		}
		b.Run(name, func(b *testing.B) {
			e := openEngine(b, name)
			e.name = name
			f(b, e)
		})
	}
}

func openEngine(b testing.TB, name string) *engine {
	b.Helper()
	if name == "clickhouse" {
		return openClickHouse(b)
	}
	path := filepath.Join(b.TempDir(), "cold.duckdb")
	s, err := duckdb.Open(path, duckdb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	run := func(query string) {
		rows, err := s.Query(b.Context(), query)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
		}
		if err := rows.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return &engine{
		Store: s, exec: run,
		cpu: func() time.Duration { return 0 },
		bytes: func() int64 {
			run("CHECKPOINT")
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			return info.Size()
		},
	}
}

func openClickHouse(b testing.TB) *engine {
	b.Helper()
	server := clickhousetest.Start(b)
	u, err := clickhouse.Parse(server.URL("weir") + os.Getenv("WEIR_BENCH_OPTIONS"))
	if err != nil {
		b.Fatal(err)
	}
	s, err := clickhouse.Open(b.Context(), u, clickhouse.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	if set := os.Getenv("WEIR_BENCH_SETTINGS"); set != "" {
		for _, t := range []string{"events", "visits", "sightings"} {
			server.Do("ALTER TABLE weir." + t + " MODIFY SETTING " + set)
		}
	}
	number := func(query string) int64 {
		n, err := strconv.ParseInt(strings.TrimSpace(server.Do(query)), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return &engine{
		Store: s,
		exec:  func(query string) { server.Do("USE weir; " + query) },
		cpu:   func() time.Duration { return processTime(b, server.PID()) },
		bytes: func() int64 {
			tables := server.Do("SELECT name FROM system.tables WHERE database = 'weir'")
			for t := range strings.FieldsSeq(tables) {
				server.Do("OPTIMIZE TABLE weir." + t)
			}
			if os.Getenv("WEIR_BENCH_COLUMNS") != "" {
				b.Log("cpu of the server", processTime(b, server.PID()), "of this", cpuTime(b))
				_ = os.WriteFile(os.Getenv("WEIR_BENCH_COLUMNS")+".ev", []byte(fmt.Sprint(processTime(b, server.PID()), " ", cpuTime(b), "\n")+server.Do("SELECT event, value FROM system.events ORDER BY event")), 0o600)
				_ = os.WriteFile(os.Getenv("WEIR_BENCH_COLUMNS"), []byte(server.Do("SELECT table, column, any(type), sum(rows), round(sum(column_data_compressed_bytes)/sum(rows), 2) AS per FROM system.parts_columns WHERE active AND database = 'weir' GROUP BY table, column ORDER BY table, per DESC")), 0o600)
			}
			return number("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'weir'")
		},
	}
}

// cpuTime returns what this process used.
func cpuTime(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// processTime returns what another process used.
func processTime(b testing.TB, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// mixes are the data sets to measure with.
var mixes = []struct {
	name string
	make func(seed int64, plan bench.Plan) iter.Seq[weir.Event]
}{{"mix", bench.Mix}, {"short", bench.ShortMix}}

// filled is what fill did.
type filled struct {
	cpu     time.Duration // of this process within Write
	events  int
	visits  int // rows
	batches int
}

// fill writes events as a drain does, in batches of a size.
func (e *engine) fill(b testing.TB, events iter.Seq[weir.Event], size int) (f filled) {
	b.Helper()
	drain(events, size, func(batch *cold.Batch) {
		before := cpuTime(b)
		if err := e.Write(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		f.cpu += cpuTime(b) - before
		f.events += len(batch.Events)
		f.visits += len(batch.Visits)
		f.batches++
	})
	return f
}

// drain makes the batches of a drain: after each, idle visits leave the state.
func drain(events iter.Seq[weir.Event], size int, write func(*cold.Batch)) {
	open, folder := visit.Open{}, visit.Folder{LogID: "bench"}
	var rows []weir.EventRow
	first := uint64(1)
	flush := func() {
		if len(rows) == 0 {
			return
		}
		now := rows[len(rows)-1].Time
		last := rows[len(rows)-1].Seq
		r := folder.Fold(open, rows, now, nil)
		maps.Copy(open, r.Changed)
		write(&cold.Batch{Log: "bench", Token: fmt.Sprint("bench/", last), Events: rows, Visits: r.Visits, First: first, Last: last, Now: now})
		rows, first = rows[:0], last+1
		expire(open, folder, now)
	}
	seq := uint64(0)
	for ev := range events {
		seq++
		rows = append(rows, weir.EventRow{Event: ev, Seq: seq})
		if len(rows) == size {
			flush()
		}
	}
	flush()
}

// expire removes idle visits from the state.
func expire(open visit.Open, folder visit.Folder, now time.Time) {
	for key, st := range folder.Expire(open, now).Changed {
		if len(st) == 0 {
			delete(open, key)
		} else {
			open[key] = st
		}
	}
}

// rows returns how many rows of a table there are.
func (e *engine) rows(b testing.TB, table string) (n int) {
	b.Helper()
	rows, err := e.Query(b.Context(), "SELECT count(*) FROM "+table)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() || rows.Scan(&n) != nil {
		b.Fatal("no number of rows", rows.Err())
	}
	return n
}
