package meta_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func acts(entries []meta.AuditEntry) (acts []string) {
	for _, e := range entries {
		acts = append(acts, e.Act)
	}
	return acts
}

func TestTheAuditLogIsReadNewestFirstByPagesAndFilters(t *testing.T) {
	f := open(t)
	begin := f.watch.now()
	for i, e := range []meta.AuditEntry{
		{Act: "key.create", UserID: "ada", ProjectID: "p", Detail: map[string]string{"origins": "shop.example"}},
		{Act: "key.revoke", UserID: "bob", ProjectID: "p", Target: "k"},
		{Act: "keys", UserID: "bob", ProjectID: "q"},
		{Act: "sign-in", UserID: "ada", Refused: true},
		{Act: "sign-in", UserID: "ada", Name: "ada@example.org", Via: "page", Address: "192.0.2.0/24", RequestID: "r", TokenID: "t"},
	} {
		e.At = begin.Add(time.Duration(i/2) * time.Second) // two of one time
		if err := f.AddAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	refused := true
	for name, c := range map[string]struct {
		q    meta.AuditQuery
		want int
	}{
		"all":         {meta.AuditQuery{}, 5},
		"a project's": {meta.AuditQuery{ProjectID: "p"}, 2},
		"a user's":    {meta.AuditQuery{UserID: "ada"}, 3},
		"of keys":     {meta.AuditQuery{Act: "key"}, 2},
		"revoked":     {meta.AuditQuery{Act: "key.revoke"}, 1},
		"refused":     {meta.AuditQuery{Refused: &refused}, 1},
		"a second's":  {meta.AuditQuery{From: begin.Add(time.Second), To: begin.Add(2 * time.Second)}, 2},
	} {
		for _, limit := range []int{1, 2, 100} {
			q, seen, last := c.q, map[string]bool{}, f.watch.now().Add(time.Hour)
			for q.Limit = limit; ; {
				page, next, err := f.Audit(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					if seen[e.ID] || e.At.After(last) {
						t.Errorf("%s by %d: %s at %v after %v", name, limit, e.ID, e.At, last)
					}
					seen[e.ID], last = true, e.At
				}
				if q.Cursor = next; next == "" {
					break
				}
			}
			if len(seen) != c.want {
				t.Errorf("%s by %d: %d entries, want %d", name, limit, len(seen), c.want)
			}
		}
	}
	newest, _, err := f.Audit(t.Context(), meta.AuditQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := meta.AuditEntry{ID: newest[0].ID, At: begin.Add(2 * time.Second), Act: "sign-in", UserID: "ada", Name: "ada@example.org", Via: "page", Address: "192.0.2.0/24", RequestID: "r", TokenID: "t"}
	if d := cmp.Diff(want, newest[0]); d != "" {
		t.Error(d)
	}
	_, _, err = f.Audit(t.Context(), meta.AuditQuery{Limit: 1, Cursor: "made up"})
	wantCode(t, err, weir.EINVALID)
}

func TestTheAuditLogIsBounded(t *testing.T) {
	f := open(t)
	begin := f.watch.now()
	for i := range 12 {
		e := meta.AuditEntry{At: begin.Add(time.Duration(i) * time.Hour), Act: fmt.Sprint("act", i), Refused: i%2 == 0}
		if err := f.AddAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	trim := func(before time.Time, most, mostRefused int, want ...string) {
		t.Helper()
		if _, err := f.TrimAuditTo(t.Context(), before, most, mostRefused); err != nil {
			t.Fatal(err)
		}
		left, _, err := f.Audit(t.Context(), meta.AuditQuery{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, acts(left)); d != "" {
			t.Error(d)
		}
	}
	trim(begin.Add(2*time.Hour), 100, 100, "act11", "act10", "act9", "act8", "act7", "act6", "act5", "act4", "act3", "act2")
	trim(begin, 100, 2, "act11", "act10", "act9", "act8", "act7", "act5", "act3") // strangers push out no act that was done
	trim(begin, 3, 2, "act11", "act10", "act9")
}
