package clickhouse_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

// drainRows reads a query to its end.
func drainRows(ctx context.Context, s *clickhouse.Store, query string) error {
	rows, err := s.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// long counts for minutes, if it is let.
const long = "SELECT count() FROM numbers_mt(1000000000000) WHERE NOT ignore(sipHash64(number))"

func TestAQueryHasItsLimits(t *testing.T) {
	server := clickhousetest.Start(t)
	for name, c := range map[string]struct{ options, query, want string }{
		"of time":   {"?max_time=1s", long, "max_time"},
		"of rows":   {"?max_rows=1000", "SELECT sum(number) FROM numbers(1000000)", "more rows than"},
		"of memory": {"?max_memory=20000000", "SELECT uniqExact(number) FROM numbers(100000000)", "max_memory"},
	} {
		s := openAt(t, server.URL("weir")+c.options)
		if err := drainRows(t.Context(), s, c.query); weir.ErrorCode(err) != weir.EUNAVAILABLE || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that names %s", name, err, c.want)
		}
	}
}

func TestAQueryEndsOnTheServerWhenItsAskerGoes(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- drainRows(ctx, s, long) }()
	running := func() string {
		return server.Do("SELECT count() FROM system.processes WHERE query LIKE '%numbers_mt(1000000000000)%' AND query NOT LIKE '%system.processes%'")
	}
	until(t, func() bool { return strings.TrimSpace(running()) == "1" })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	until(t, func() bool { return strings.TrimSpace(running()) == "0" })
}

func TestAnAnswerThatBreaksOffIsAnError(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	rows, err := s.Query(t.Context(), "SELECT number, sleepEachRow(0.01) FROM numbers(100000) SETTINGS max_block_size = 10")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		if n++; n == 20 {
			server.Kill()
		}
	}
	if err := rows.Err(); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("%d rows, %v; want an error", n, err)
	}
}

// until waits for ok.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("not in 20 s")
		}
	}
}

// permissions are those of the manual.
var permissions = []string{
	"SELECT, INSERT, CREATE TABLE, CREATE DATABASE, DROP TABLE, ALTER TABLE ON weir.*",
	"SELECT ON system.clusters", "SELECT ON system.merge_tree_settings", "CREATE TEMPORARY TABLE ON *.*",
	"TABLE ENGINE ON *",
}

func TestAUserWithThePermissionsOfTheManual(t *testing.T) {
	users := []clickhousetest.Option{
		clickhousetest.User("weir", "secret", permissions...), clickhousetest.User("reader", "secret", "SELECT ON weir.*"),
	}
	as := func(server *clickhousetest.Server, user, password string) string {
		return strings.Replace(server.URL("weir"), "default@", user+":"+password+"@", 1)
	}
	server := clickhousetest.Start(t, users...)
	s := openAt(t, as(server, "weir", "secret"))
	b := batchOf(1, 10)
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	server.Do("TRUNCATE TABLE weir.batches")
	b.Again = true // looks for its rows, too
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	server.Do("ALTER TABLE weir.events ADD CONSTRAINT sober CHECK name != 'bad'")
	b = batchOf(11, 10)
	b.Events[3].Name = "bad"
	if err := s.Write(t.Context(), b); err == nil || !strings.Contains(err.Error(), "sober") {
		t.Errorf("%v, want the row named", err)
	}
	for name, c := range map[string]struct{ user, password, want string }{
		"a wrong password": {"weir", "0123456789", "user or password is wrong"},
		"a reader":         {"reader", "secret", "lacks a permission"},
	} {
		// Of its own, since this kind of server does not outlive a failed password.
		u, err := clickhouse.Parse(as(clickhousetest.Start(t, users...), c.user, c.password))
		if err != nil {
			t.Fatal(err)
		}
		_, err = clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: 5 * time.Second})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.password) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
