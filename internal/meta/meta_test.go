package meta_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// watch is a clock that tests set.
type watch struct {
	mu sync.Mutex
	t  time.Time
}

func newWatch() *watch { return &watch{t: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)} }

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t
}

func (w *watch) set(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = t
}

func (w *watch) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(d)
}

type fixture struct {
	*meta.Store
	watch *watch
	path  string // of the file, or the URL of the database
}

func open(t *testing.T) fixture {
	t.Helper()
	f := fixture{watch: newWatch(), path: place(t)}
	f.Store = reopen(t, f)
	return f
}

func reopen(t *testing.T, f fixture) *meta.Store {
	t.Helper()
	s, err := meta.Open(t.Context(), f.path, f.watch.now, meta.WithPasswordCost(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := weir.ErrorCode(err); got != code {
		t.Fatalf("code = %q (%v), want %q", got, err, code)
	}
}

func TestOpenRefusesAStoreOfANewerVersion(t *testing.T) {
	f := fixture{watch: newWatch(), path: newPlace(t)}
	if err := reopen(t, f).Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, f.path).exec(t, `INSERT INTO schema_version (version) VALUES (1000)`)
	_, err := meta.Open(t.Context(), f.path, f.watch.now)
	if !errors.Is(err, meta.ErrNewer) {
		t.Fatalf("err = %v, want ErrNewer", err)
	}
}

func TestAStoreKeepsWhatItHeldWhenOpenedAgain(t *testing.T) {
	f := open(t)
	p, key, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop", Timezone: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	again := reopen(t, f)
	got := must(again.ProjectByKey(t.Context(), key))(t)
	if got.ID != p.ID || got.Name != "Shop" || got.Timezone != "Europe/Berlin" || !got.CreatedAt.Equal(p.CreatedAt) {
		t.Fatalf("project = %+v, want %+v", got, p)
	}
}

func TestOpenFailsWithTheOperationWhenThePathIsADirectory(t *testing.T) {
	_, err := meta.Open(t.Context(), t.TempDir(), nil)
	if err == nil {
		t.Fatal("a directory was opened as a store")
	}
}

func TestPingFailsOnceTheStoreIsClosed(t *testing.T) {
	f := open(t)
	if err := f.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Ping(t.Context()); err == nil {
		t.Fatal("a closed store answers")
	}
}

func TestCloseTwiceDoesNothingTheSecondTime(t *testing.T) {
	f := open(t)
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWritersWaitForEachOther(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	var wg sync.WaitGroup
	errs := make(chan error, 40)
	for i := range 40 {
		s := f.Store
		if i%2 == 1 {
			s = other
		}
		wg.Go(func() {
			_, _, err := s.CreateProject(context.Background(), meta.NewProject{Name: "P"})
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := len(must(f.Projects(t.Context()))(t)); n != 40 {
		t.Fatalf("%d projects, want 40", n)
	}
}
