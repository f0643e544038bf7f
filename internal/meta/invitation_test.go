package meta_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// invited invites eve to a new project.
func (f fixture) invited(t *testing.T, role weir.Role) (*weir.Project, string) {
	t.Helper()
	p, _, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := f.Invite(t.Context(), meta.Invitation{Email: "Eve@example.org", ProjectID: p.ID, Role: role})
	if err != nil {
		t.Fatal(err)
	}
	return p, secret
}

func TestAnInvitationMakesAnAccountWithItsRole(t *testing.T) {
	f := open(t)
	p, secret := f.invited(t, weir.RoleEditor)
	if strings.Contains(stored(t, f), secret) {
		t.Fatal("the invitation's secret is stored")
	}
	i, account, err := f.Invitation(t.Context(), secret)
	if err != nil || account || i.Email != "eve@example.org" || i.Role != weir.RoleEditor {
		t.Fatalf("invitation = %+v, %v, %v", i, account, err)
	}
	_, err = f.AcceptNew(t.Context(), secret, "Eve", "short")
	wantCode(t, err, weir.EINVALID)
	a := must(f.AcceptNew(t.Context(), secret, "Eve", password))(t)
	if a.Admin || a.Email != "eve@example.org" {
		t.Errorf("account = %+v", a)
	}
	if role := must(f.Role(t.Context(), a.ID, p.ID))(t); role != weir.RoleEditor {
		t.Errorf("role = %v", role)
	}
	must(f.Authenticate(t.Context(), "eve@example.org", password))(t)
	_, _, err = f.Invitation(t.Context(), secret)
	wantCode(t, err, weir.EUNAUTHORIZED)
}

func TestOfTenWhoAcceptAnInvitationOneWins(t *testing.T) {
	for name, accept := range map[string]func(f fixture, secret string, a *meta.Account) error{
		"with a new account": func(f fixture, secret string, _ *meta.Account) error {
			_, err := f.AcceptNew(context.Background(), secret, "Eve", password)
			return err
		},
		"with an account": func(f fixture, secret string, a *meta.Account) error {
			return f.AcceptAs(context.Background(), secret, a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			_, secret := f.invited(t, weir.RoleViewer)
			var a *meta.Account
			if name == "with an account" {
				a = must(f.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
			}
			other := reopen(t, f)
			errs := make(chan error, 10)
			var wg sync.WaitGroup
			for i := range 10 {
				x := f
				if i%2 == 1 {
					x.Store = other
				}
				wg.Go(func() { errs <- accept(x, secret, a) })
			}
			wg.Wait()
			close(errs)
			won := 0
			for err := range errs {
				if err == nil {
					won++
				} else if code := weir.ErrorCode(err); code != weir.EUNAUTHORIZED {
					t.Errorf("a loser gets %v", err)
				}
			}
			if won != 1 {
				t.Fatalf("%d accepted", won)
			}
		})
	}
}

func TestAnInvitationGivesAnAccountNoLessThanItHas(t *testing.T) {
	f := open(t)
	p, secret := f.invited(t, weir.RoleViewer)
	eve := must(f.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
	bob := must(f.CreateUser(t.Context(), "bob@example.org", "Bob", password, false))(t)
	if err := f.SetRole(t.Context(), eve.ID, p.ID, weir.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	_, err := f.AcceptNew(t.Context(), secret, "Eve", password) // who has the link and no account
	wantCode(t, err, weir.ECONFLICT)
	wantCode(t, f.AcceptAs(t.Context(), secret, bob), weir.EFORBIDDEN)
	if err := f.AcceptAs(t.Context(), secret, eve); err != nil {
		t.Fatal(err)
	}
	if role := must(f.Role(t.Context(), eve.ID, p.ID))(t); role != weir.RoleAdmin {
		t.Errorf("role = %v", role)
	}
	_, secret, err = f.Invite(t.Context(), meta.Invitation{Email: bob.Email})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.AcceptAs(t.Context(), secret, bob); err != nil {
		t.Fatal(err)
	}
	if a := must(f.User(t.Context(), bob.ID))(t); !a.Admin {
		t.Error("an invitation to be admin made none")
	}
}

func TestAnInvitationEndsWithItsTimeWhenWithdrawnOrMadeAnew(t *testing.T) {
	f := open(t)
	p, first := f.invited(t, weir.RoleViewer)
	gone := func(secret string) {
		t.Helper()
		_, _, err := f.Invitation(t.Context(), secret)
		wantCode(t, err, weir.EUNAUTHORIZED)
		_, err = f.AcceptNew(t.Context(), secret, "Eve", password)
		wantCode(t, err, weir.EUNAUTHORIZED)
	}
	i, second, err := f.Invite(t.Context(), meta.Invitation{Email: "eve@example.org", ProjectID: p.ID, Role: weir.RoleEditor})
	if err != nil {
		t.Fatal(err)
	}
	gone(first)
	if all := must(f.Invitations(t.Context(), p.ID))(t); len(all) != 1 || all[0].ID != i.ID {
		t.Errorf("open = %+v", all)
	}
	wantCode(t, f.Withdraw(t.Context(), "", i.ID), weir.ENOTFOUND) // of another kind
	if err := f.Withdraw(t.Context(), p.ID, i.ID); err != nil {
		t.Fatal(err)
	}
	gone(second)
	_, third, err := f.Invite(t.Context(), meta.Invitation{Email: "eve@example.org", ProjectID: p.ID, Role: weir.RoleEditor})
	if err != nil {
		t.Fatal(err)
	}
	f.watch.add(meta.InvitationFor)
	gone(third)
	if all := must(f.Invitations(t.Context(), p.ID))(t); len(all) != 0 {
		t.Errorf("open = %+v", all)
	}
}

func TestBadInvitationsAreRefused(t *testing.T) {
	f := open(t)
	for name, c := range map[string]struct {
		i    meta.Invitation
		code string
	}{
		"no address":        {meta.Invitation{Email: "eve"}, weir.EINVALID},
		"a role in nothing": {meta.Invitation{Email: "eve@example.org", Role: weir.RoleViewer}, weir.EINVALID},
		"no role":           {meta.Invitation{Email: "eve@example.org", ProjectID: "p"}, weir.EINVALID},
		"no such project":   {meta.Invitation{Email: "eve@example.org", ProjectID: "p", Role: weir.RoleViewer}, weir.ENOTFOUND},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := f.Invite(t.Context(), c.i)
			wantCode(t, err, c.code)
		})
	}
}
