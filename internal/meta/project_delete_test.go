package meta_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestADeletedProjectIsGoneWithAllThatItHas(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	p, key := newProject(t, f)
	kept, keptKey := newProject(t, f)
	people(t, f, "ada@example.org")
	must(f.AddMember(t.Context(), p.ID, "ada@example.org", weir.RoleEditor))(t)
	must(f.AddMember(t.Context(), kept.ID, "ada@example.org", weir.RoleEditor))(t)
	_, token, err := f.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.AllScopes, ProjectID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	shared := newShare(t, f, meta.NewShare{ProjectID: p.ID})
	for _, id := range []string{p.ID, kept.ID} {
		if err := f.SetSites(t.Context(), id, []string{id + ".example"}); err != nil {
			t.Fatal(err)
		}
		if err := f.SetForgotten(t.Context(), map[string]time.Time{id: f.watch.now()}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = f.DeleteProject(t.Context(), p.ID, "another name")
	wantCode(t, err, weir.EINVALID)
	must(f.ProjectByKey(t.Context(), key))(t)
	d := must(f.DeleteProject(t.Context(), p.ID, p.Name))(t)
	if d.ProjectID != p.ID || d.Name != p.Name || d.Step != meta.StepWaiting {
		t.Errorf("deletion = %+v", d)
	}
	_, err = f.DeleteProject(t.Context(), p.ID, p.Name)
	wantCode(t, err, weir.ENOTFOUND)
	for _, secret := range []string{key, token} {
		_, err = f.ProjectByKey(t.Context(), secret)
		wantCode(t, err, weir.ENOTFOUND)
		_, err = other.ProjectByKey(t.Context(), secret)
		wantCode(t, err, weir.ENOTFOUND)
	}
	_, err = f.Token(t.Context(), token)
	wantCode(t, err, weir.ENOTFOUND)
	_, err = f.Share(t.Context(), shared.Secret)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.ProjectByKey(t.Context(), keptKey))(t)
	if all := must(f.Members(t.Context(), kept.ID))(t); len(all) != 1 {
		t.Errorf("the other project's members: %+v", all)
	}
	for _, table := range referring(t) {
		if n := raw(t, f.path).number(t, `SELECT count(*) FROM `+table+` WHERE project_id = ?`, p.ID); n != 0 {
			t.Errorf("%s has %d rows of it", table, n)
		}
	}
}

var (
	created = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	deleted = regexp.MustCompile(`DELETE FROM (\w+) WHERE project_id`)
)

// referring returns the tables with rows of projects.
func referring(t *testing.T) (tables []string) {
	t.Helper()
	names := must(filepath.Glob("migrations/*.sql"))(t)
	for _, name := range names {
		for _, m := range created.FindAllStringSubmatch(string(must(os.ReadFile(name))(t)), -1) {
			if regexp.MustCompile(`project_id\s.*REFERENCES projects`).MatchString(m[2]) {
				tables = append(tables, m[1])
			}
		}
	}
	return tables
}

func TestADeletionKnowsEveryTableOfProjects(t *testing.T) {
	in := map[string]bool{}
	for _, m := range deleted.FindAllStringSubmatch(string(must(os.ReadFile("project_delete.go"))(t)), -1) {
		in[m[1]] = true
	}
	tables := referring(t)
	if len(tables) < 10 {
		t.Fatalf("tables = %v", tables)
	}
	for _, table := range tables {
		if !in[table] {
			t.Errorf("a deletion of a project leaves its rows in %s: add it to ofProject", table)
		}
	}
}

func TestADeletionIsPassedUntilNothingCanCome(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	must(f.DeleteProject(t.Context(), p.ID, p.Name))(t)
	due := func() []meta.ProjectDeletion { t.Helper(); return must(f.DueDeletions(t.Context()))(t) }
	if err := f.DeletionStep(t.Context(), p.ID, meta.StepCold); err != nil {
		t.Fatal(err)
	}
	if err := f.DeletionFailed(t.Context(), p.ID, "no connection"); err != nil {
		t.Fatal(err)
	}
	if len(due()) != 0 {
		t.Error("it is tried again at once")
	}
	f.watch.add(30 * time.Second)
	got := due()
	if d := cmp.Diff([]meta.ProjectDeletion{{ProjectID: p.ID, Name: p.Name, RequestedAt: f.watch.now().Add(-30 * time.Second), Step: meta.StepCold, Error: "no connection"}}, got); d != "" {
		t.Fatal(d)
	}
	passes := 0
	for begin := f.watch.now(); f.watch.now().Sub(begin) < 48*time.Hour; f.watch.add(time.Minute) {
		for _, d := range due() {
			passes++
			if err := f.DeletionPassed(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			want := meta.StepDeleted
			if passes == 4 {
				want = meta.StepDone
			}
			if all := must(f.ProjectDeletions(t.Context()))(t); all[0].Step != want || all[0].Passes != passes || all[0].Error != "" {
				t.Errorf("pass %d: %+v", passes, all[0])
			}
		}
	}
	if passes != 4 {
		t.Errorf("%d passes, want 4", passes)
	}
}
