package meta_test

import (
	"sync"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// people makes users by their addresses, and returns their ids.
func people(t *testing.T, f fixture, emails ...string) []string {
	t.Helper()
	var ids []string
	for _, email := range emails {
		ids = append(ids, must(f.CreateUser(t.Context(), email, "U", "correct horse battery", false))(t).ID)
	}
	return ids
}

func TestMembersAreAddedChangedAndRemoved(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	id := people(t, f, "ada@example.org")[0]
	m := must(f.AddMember(t.Context(), p.ID, "  Ada@Example.org ", weir.RoleEditor))(t)
	if m.ID != id || m.Role != weir.RoleEditor || m.Email != "ada@example.org" {
		t.Fatalf("member = %+v", m)
	}
	_, err := f.AddMember(t.Context(), p.ID, "ada@example.org", weir.RoleViewer)
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.AddMember(t.Context(), p.ID, "bob@example.org", weir.RoleViewer)
	wantCode(t, err, weir.ENOTFOUND)
	_, err = f.AddMember(t.Context(), "nothing", "ada@example.org", weir.RoleViewer)
	wantCode(t, err, weir.ENOTFOUND)
	_, err = f.AddMember(t.Context(), p.ID, "ada@example.org", weir.RoleNone)
	wantCode(t, err, weir.EINVALID)
	_, err = f.ChangeMember(t.Context(), p.ID, "nobody", weir.RoleAdmin, false)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.ChangeMember(t.Context(), p.ID, id, weir.RoleViewer, false))(t)
	if all := must(f.Members(t.Context(), p.ID))(t); len(all) != 1 || all[0].Role != weir.RoleViewer {
		t.Fatalf("members = %+v", all)
	}
	wantCode(t, f.RemoveMember(t.Context(), p.ID, id, false), "")
	wantCode(t, f.RemoveMember(t.Context(), p.ID, id, false), weir.ENOTFOUND)
	if r := must(f.Role(t.Context(), id, p.ID))(t); r != weir.RoleNone {
		t.Errorf("role = %v", r)
	}
}

func TestAMembersTokensForAProjectEndWithTheMembership(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	id := people(t, f, "ada@example.org")[0]
	must(f.AddMember(t.Context(), p.ID, "ada@example.org", weir.RoleEditor))(t)
	_, here, err := f.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.ScopeRead, UserID: id, ProjectID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	_, everywhere, err := f.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.ScopeRead, UserID: id})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	f.OnChange(func() { told++ })
	wantCode(t, f.RemoveMember(t.Context(), p.ID, id, false), "")
	if told != 1 {
		t.Errorf("others are told %d times", told)
	}
	_, err = f.Token(t.Context(), here)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.Token(t.Context(), everywhere))(t) // it never may do more than the user
}

func TestAProjectKeepsAnAdminWhateverHappensAtOnce(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	ids := people(t, f, "a@example.org", "b@example.org", "c@example.org", "d@example.org")
	for _, email := range []string{"a@example.org", "b@example.org", "c@example.org", "d@example.org"} {
		must(f.AddMember(t.Context(), p.ID, email, weir.RoleAdmin))(t)
	}
	stores := []*meta.Store{f.Store, reopen(t, f)}
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() { _ = stores[i%2].RemoveMember(t.Context(), p.ID, id, false) })
		wg.Go(func() { _, _ = stores[(i+1)%2].ChangeMember(t.Context(), p.ID, id, weir.RoleViewer, false) })
	}
	wg.Wait()
	admins := 0
	for _, m := range must(f.Members(t.Context(), p.ID))(t) {
		if m.Role == weir.RoleAdmin {
			admins++
			wantCode(t, f.RemoveMember(t.Context(), p.ID, m.ID, false), weir.ECONFLICT)
			_, err := f.ChangeMember(t.Context(), p.ID, m.ID, weir.RoleEditor, false)
			wantCode(t, err, weir.ECONFLICT)
			wantCode(t, f.RemoveMember(t.Context(), p.ID, m.ID, true), "") // by an administrator of the server
		}
	}
	if admins != 1 {
		t.Errorf("%d admins are left, want 1", admins)
	}
}

func TestTheFirstAdministratorOwnsTheServerUntilTheyHandItOver(t *testing.T) {
	f := open(t)
	owner := must(f.Setup(t.Context(), "ada@example.org", "Ada", "correct horse battery"))(t)
	bob := people(t, f, "bob@example.org")[0]
	wantCode(t, f.RemoveAdmin(t.Context(), owner.ID), weir.ECONFLICT)
	wantCode(t, f.RemoveAdmin(t.Context(), bob), weir.ENOTFOUND)
	wantCode(t, f.HandOver(t.Context(), owner.ID, bob), weir.ENOTFOUND) // no administrator
	_, err := f.AddAdmin(t.Context(), "nobody@example.org")
	wantCode(t, err, weir.ENOTFOUND)
	if a := must(f.AddAdmin(t.Context(), "bob@example.org"))(t); a.ID != bob || a.Owner {
		t.Fatalf("admin = %+v", a)
	}
	wantCode(t, f.HandOver(t.Context(), bob, bob), weir.EFORBIDDEN)
	wantCode(t, f.HandOver(t.Context(), "nobody", bob), weir.EFORBIDDEN)
	owns := func(id string) {
		t.Helper()
		for _, a := range must(f.Admins(t.Context()))(t) {
			if a.Owner != (a.ID == id) {
				t.Errorf("%s owns the server: %v", a.Email, a.Owner)
			}
		}
	}
	owns(owner.ID)
	wantCode(t, f.HandOver(t.Context(), owner.ID, bob), "")
	owns(bob)
	wantCode(t, f.HandOver(t.Context(), owner.ID, owner.ID), weir.EFORBIDDEN)
	wantCode(t, f.RemoveAdmin(t.Context(), owner.ID), "")
	must(f.AddAdmin(t.Context(), "ada@example.org"))(t)
	wantCode(t, f.HandOver(t.Context(), "", owner.ID), "") // by the admin token
	owns(owner.ID)
	if u := must(f.User(t.Context(), bob))(t); !u.Admin {
		t.Error("the former owner is no administrator")
	}
}
