package meta_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/postgrestest"
)

// own returns a store in a PostgreSQL of its own, which the test may kill.
func own(t *testing.T) (f fixture, s *postgrestest.Server) {
	t.Helper()
	if server == nil {
		t.Skip("it is about PostgreSQL, and runs when the tests do")
	}
	s = postgrestest.Start(t)
	f = fixture{watch: newWatch(), path: s.URL("postgres")}
	f.Store = reopen(t, f)
	return f, s
}

func TestWhatIsKnownGoesOnWhilePostgreSQLIsAway(t *testing.T) {
	f, s := own(t)
	must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	p, key := newProject(t, f)
	must(f.ProjectByKey(t.Context(), key))(t)
	_, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	must(f.Token(t.Context(), secret))(t)
	midnight := f.watch.now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	f.watch.set(midnight.Add(-5 * time.Minute))
	today, others := saltsAt(t, f, f.watch.now())
	if len(others) != 1 {
		t.Fatalf("%d other salts, want the next day's", len(others))
	}
	known := func(when string) {
		t.Helper()
		got, err := f.ProjectByKey(t.Context(), key)
		if err != nil || got.ID != p.ID {
			t.Errorf("%s: project %v, %v", when, got, err)
		}
		if next, before := saltsAt(t, f, f.watch.now()); !bytes.Equal(next, others[0]) || len(before) != 1 || !bytes.Equal(before[0], today) {
			t.Errorf("%s: salts %x, %x", when, next, before)
		}
	}
	gone := func(what string, err error) {
		t.Helper()
		if !meta.Unavailable(err) {
			t.Errorf("%s: %v, want that the store is unavailable", what, err)
		}
		if strings.Contains(err.Error(), postgrestest.Password) {
			t.Errorf("%s: the error has the password", what)
		}
	}

	s.Kill()
	f.watch.set(midnight.Add(2 * time.Minute))
	for range 2 {
		known("it is killed")
	}
	_, err = f.Token(t.Context(), secret)
	gone("a token of over a minute ago", err)
	_, err = f.ProjectByKey(t.Context(), "wk_another-key-of-nobody")
	gone("a key that was not read", err)
	_, err = f.Authenticate(t.Context(), "ada@example.org", password)
	gone("sign-in", err)
	_, _, err = f.CreateProject(t.Context(), meta.NewProject{Name: "P"})
	gone("a change", err)
	gone("a question whether it is there", f.Ping(t.Context()))

	s.Restart(t)
	must(f.Authenticate(t.Context(), "ada@example.org", password))(t)
	must(f.Token(t.Context(), secret))(t)
	f.watch.add(time.Minute)
	known("it is there again")
	if n := len(must(f.Projects(t.Context()))(t)); n != 1 {
		t.Errorf("%d projects", n)
	}
	f.watch.add(25 * time.Hour)
	s.Kill()
	_, err = f.ProjectByKey(t.Context(), key)
	gone("a key of a day ago", err)
}

func TestAServerThatHangsHoldsUpNoKnownKeyForLong(t *testing.T) {
	f, s := own(t)
	p, key := newProject(t, f)
	must(f.ProjectByKey(t.Context(), key))(t)
	s.Pause()
	defer s.Resume()
	f.watch.add(2 * time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if got, err := f.ProjectByKey(ctx, key); err != nil || got.ID != p.ID {
		t.Errorf("project %v, %v", got, err)
	}
	s.Resume()
	f.watch.add(time.Minute)
	must(f.ProjectByKey(t.Context(), key))(t)
}

func TestOpenWaitsForAServerButNotForAnotherPassword(t *testing.T) {
	f, s := own(t)
	s.Kill()
	var log bytes.Buffer
	opened := make(chan error, 1)
	go func() {
		again, err := meta.Open(t.Context(), f.path, f.watch.now, meta.WithWait(slog.New(slog.NewTextHandler(&log, nil))))
		if err == nil {
			err = again.Close()
		}
		opened <- err
	}()
	s.Restart(t)
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), postgrestest.Password) {
		t.Error("the log has the password")
	}
	const other = "another-password"
	_, err := meta.Open(t.Context(), strings.Replace(f.path, postgrestest.Password, other, 1), f.watch.now, meta.WithWait(slog.New(slog.DiscardHandler)))
	if err == nil || !strings.Contains(err.Error(), "password authentication failed") || strings.Contains(err.Error(), other) {
		t.Errorf("another password: %v", err)
	}
}

// A node that stops in the middle of a transaction holds the one lock of all writers.
func TestANodeThatHangsInATransactionHoldsUpTheOthersForSeconds(t *testing.T) {
	if server == nil {
		t.Skip("it is about PostgreSQL, and runs when the tests do")
	}
	f := open(t)
	tx, err := raw(t, f.path).write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	newProject(t, f)
	if err := tx.Commit(); err == nil {
		t.Error("the transaction of the node that hung was committed")
	}
}
