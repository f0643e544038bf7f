package bench_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/stats"
)

// BenchmarkMariaDB asks a table of calls in MariaDB what a dashboard asks, as
// GROUP BY, and Weir's counters of the same calls beside it. One op is one answer.
// It runs with WEIR_BENCH_MARIADB=1, where Debian's mariadb-server is installed; 1
// million calls, or WEIR_BENCH_EVENTS. Use -benchtime 20x.
func BenchmarkMariaDB(b *testing.B) {
	if os.Getenv("WEIR_BENCH_MARIADB") == "" {
		b.Skip("WEIR_BENCH_MARIADB is not set")
	}
	n := statsEvents(b)
	db := startMariaDB(b)
	store, _ := openPebble(b)
	now := time.Now().UTC()
	csv := filepath.Join(db.dir, "calls.csv")
	out, err := os.Create(csv)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(out)
	source := newCallSource(0)
	for done := 0; done < n; done += 1000 {
		items := source.items(1000, func(i int) time.Time { return spread(now, done+i, n) })
		for _, it := range items {
			e := it.Event
			fmt.Fprintf(w, "%s,%s,%d,%s\n", e.Call.Consumer, e.Call.Route, e.Call.Status, e.Time.Format("2006-01-02 15:04:05.000"))
		}
		mustAppend(b, store, items)
		if done%100_000 == 0 {
			drainAll(b, store)
		}
	}
	drainAll(b, store)
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	db.ask(`CREATE TABLE calls (id BIGINT AUTO_INCREMENT PRIMARY KEY, consumer VARCHAR(64), route VARCHAR(191), status SMALLINT,
		created_at DATETIME(3), KEY (created_at))`)
	db.ask("LOAD DATA LOCAL INFILE '" + csv + "' INTO TABLE calls FIELDS TERMINATED BY ',' (consumer, route, status, created_at)")
	db.ask("ANALYZE TABLE calls")
	if got := db.ask("SELECT COUNT(*) FROM calls"); got != strconv.Itoa(n) {
		b.Fatalf("MariaDB has %s calls, want %d", got, n)
	}

	project := &weir.Project{ID: "p", Timezone: "Asia/Kolkata"}
	if err := project.Resolve(); err != nil {
		b.Fatal(err)
	}
	s := stats.New(store, func() time.Time { return now })
	y, m, d := now.In(kolkata).Date()
	at := func(t time.Time) string { return t.UTC().Format("'2006-01-02 15:04:05'") }
	today, hours, days := weir.Midnight(y, m, d, kolkata), now.Truncate(time.Hour).Add(-24*time.Hour), weir.Midnight(y, m, d-29, kolkata)
	overview := func() error { _, err := s.Overview(b.Context(), project); return err }
	trend := func(rng, by string) func() error {
		return func() error {
			_, err := s.Trend(b.Context(), project, stats.TrendQuery{Range: rng, By: by})
			return err
		}
	}
	o, err := s.Overview(b.Context(), project)
	if err != nil {
		b.Fatal(err)
	}
	if got := db.ask("SELECT COUNT(*) FROM calls WHERE created_at >= " + at(today)); got != fmt.Sprint(o.Today.Calls) {
		b.Fatalf("MariaDB counts %s calls today, Weir %d", got, o.Today.Calls)
	}
	for _, q := range []struct {
		name, sql string
		weir      func() error
	}{
		{"calls of today", "SELECT COUNT(*) FROM calls WHERE created_at >= " + at(today), overview},
		{
			"calls of today by API",
			"SELECT route, COUNT(*) AS n, SUM(status >= 400) FROM calls WHERE created_at >= " + at(today) + " GROUP BY route ORDER BY n DESC LIMIT 10", overview,
		},
		{
			"24 hours",
			"SELECT DATE_FORMAT(created_at + INTERVAL 330 MINUTE, '%Y-%m-%d %H') AS h, COUNT(*) FROM calls WHERE created_at >= " + at(hours) + " GROUP BY h ORDER BY h",
			trend("hour", ""),
		},
		{
			"24 hours by API",
			"SELECT DATE_FORMAT(created_at + INTERVAL 330 MINUTE, '%Y-%m-%d %H') AS h, route, COUNT(*) FROM calls WHERE created_at >= " + at(hours) + " GROUP BY h, route",
			trend("hour", "api"),
		},
		{
			"30 days", "SELECT DATE(created_at + INTERVAL 330 MINUTE) AS day, COUNT(*) FROM calls WHERE created_at >= " + at(days) + " GROUP BY day ORDER BY day",
			trend("day", ""),
		},
	} {
		var before time.Duration
		b.Run(q.name+"/mariadb", func(b *testing.B) {
			before = median(b, func() error { db.ask(q.sql); return nil })
		})
		b.Run(q.name+"/weir", func(b *testing.B) {
			if after := median(b, q.weir); after > 0 && before > 0 {
				b.ReportMetric(float64(before)/float64(after), "times-faster")
			}
		})
	}
}

// median asks b.N times, after once that warms up, and reports the median.
func median(b *testing.B, ask func() error) time.Duration {
	took := make([]time.Duration, 0, b.N)
	for i := range b.N + 1 {
		at := time.Now()
		if err := ask(); err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			took = append(took, time.Since(at))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	return took[len(took)/2]
}

// mariaDB is a server of the benchmark's own, and one client that stays.
type mariaDB struct {
	b   *testing.B
	dir string
	in  io.Writer
	out *bufio.Scanner
}

func startMariaDB(b *testing.B) *mariaDB {
	b.Helper()
	dir, err := os.MkdirTemp("", "mariadb") //nolint:usetesting // a socket's name must be short
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	data, socket := filepath.Join(dir, "data"), filepath.Join(dir, "s")
	user := "--user=" + strings.TrimSpace(output(b, "id", "-un"))
	output(b, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db", user)
	server := exec.Command("mariadbd", "--no-defaults", "--datadir="+data, "--socket="+socket, "--skip-networking", "--pid-file="+filepath.Join(dir, "pid"),
		"--innodb-buffer-pool-size=2G", "--innodb-log-file-size=512M", "--local-infile=1", user)
	log := &strings.Builder{}
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Process.Signal(os.Kill)
		_ = server.Wait()
	})
	for deadline := time.Now().Add(time.Minute); exec.Command("mariadb", "--no-defaults", "-uroot", "--socket="+socket, "-e", "SELECT 1").Run() != nil; {
		if time.Now().After(deadline) {
			b.Fatalf("mariadbd does not answer:\n%s", log)
		}
	}
	output(b, "mariadb", "--no-defaults", "-uroot", "--socket="+socket, "-e", "CREATE DATABASE bench")
	client := exec.Command("mariadb", "--no-defaults", "-uroot", "--socket="+socket, "--local-infile=1", "--skip-column-names", "--batch", "--unbuffered", "bench")
	in, err := client.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := client.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	client.Stderr = os.Stderr
	if err := client.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = client.Wait() })
	return &mariaDB{b, dir, in, bufio.NewScanner(out)}
}

// ask sends a statement and returns what it answers, to the last row.
func (m *mariaDB) ask(sql string) string {
	const end = "-- that is all --"
	fmt.Fprintf(m.in, "%s;\nSELECT '%s';\n", sql, end)
	var lines []string
	for m.out.Scan() {
		if m.out.Text() == end {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, m.out.Text())
	}
	m.b.Fatalf("MariaDB does not answer %q", sql)
	return ""
}

func output(b *testing.B, name string, args ...string) string {
	b.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}
