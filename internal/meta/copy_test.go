package meta_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// dump returns all rows of a store as text, by table.
func dump(t *testing.T, s *meta.Store) map[string][]string {
	t.Helper()
	all, err := s.Dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestACopyHasAllAndCanBeCopiedBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "meta.db")
	c := gather(t, file) // a file, also while the tests are on PostgreSQL
	for name, do := range allOfEverybody() {
		t.Run("prepare/"+name, func(t *testing.T) {
			p, _ := newProject(t, c.fixture)
			do(t, c, p)
		})
	}
	p, _ := newProject(t, c.fixture)
	if _, _, err := c.Invite(t.Context(), meta.Invitation{Email: "bob@example.org", ProjectID: p.ID, Role: weir.RoleViewer}); err != nil {
		t.Fatal(err)
	}
	for i := range 1100 { // more than one statement inserts
		if _, err := c.SaveReport(t.Context(), &weir.Report{ProjectID: p.ID, Date: weir.Date(fmt.Sprintf("%04d-01-01", i)), Revision: 1}, 0); err != nil {
			t.Fatal(err)
		}
	}
	want := dump(t, c.Store)
	total := 0
	for _, rows := range want {
		total += len(rows)
	}
	last := c.Store
	for range 2 {
		f := fixture{watch: c.watch, path: newPlace(t)}
		next := reopen(t, f)
		if n := must(meta.Copy(t.Context(), last, next))(t); n != total {
			t.Errorf("%d rows were copied, want %d", n, total)
		}
		if d := cmp.Diff(want, dump(t, next)); d != "" {
			t.Errorf("(-original +copy)\n%s", d)
		}
		if got := reopen(t, f).ID(); got != c.ID() || next.ID() != got {
			t.Errorf("the copy has the id %s, want %s", got, c.ID())
		}
		_, err := meta.Copy(t.Context(), last, next)
		wantCode(t, err, weir.ECONFLICT)
		last = next
	}
	back := reopen(t, fixture{watch: c.watch, path: filepath.Join(t.TempDir(), "back.db")})
	must(meta.Copy(t.Context(), last, back))(t)
	if d := cmp.Diff(want, dump(t, back)); d != "" {
		t.Errorf("(-original +copied back)\n%s", d)
	}
}
