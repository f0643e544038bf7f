package postgrestest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/weir-analytics/weir/internal/postgrestest"
)

func TestAKilledServerKeepsWhatWasCommitted(t *testing.T) {
	s := postgrestest.Start(t)
	url := s.Schema(t)
	exec := func(q string) {
		t.Helper()
		c, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(t.Context())
		if _, err := c.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE t (i BIGINT)")
	exec("INSERT INTO t VALUES (1)")
	open, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close(t.Context())
	s.Kill()
	if _, err := open.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a killed server answers")
	}
	s.Restart(t)
	exec("INSERT INTO t SELECT 2 FROM t WHERE i = 1")
	s.Pause()
	s.Resume()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var n int
	if err := c.QueryRow(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestTextIsNotInTheOrderOfItsBytes(t *testing.T) {
	s := postgrestest.Start(t)
	c, err := pgx.Connect(t.Context(), s.Schema(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	var below bool
	if err := c.QueryRow(t.Context(), "SELECT 'a' < 'B'").Scan(&below); err != nil || !below {
		t.Errorf("a is below B: %v, %v", below, err)
	}
}
