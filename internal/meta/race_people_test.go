package meta_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

const raceIssuer = "https://id.example"

// withProvider lets people of a domain sign in with a provider.
func (c *crowd) withProvider(t *testing.T) {
	t.Helper()
	must(c.ChangeSignIn(t.Context(), func(in *meta.SignIn) error {
		in.Provider = &meta.Provider{Name: "Id", Issuer: raceIssuer, ClientID: "weir", ClientSecret: "s", Domains: []string{"example.com"}}
		return nil
	}))(t)
}

// user makes an account of a name.
func (c *crowd) user(t *testing.T, name string) *meta.Account {
	t.Helper()
	return must(c.CreateUser(t.Context(), name+"@example.org", "A", password, false))(t)
}

// onceOnPeople are operations on people of which one node's may succeed.
var onceOnPeople = map[string]single{
	"an invitation of a user": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "invited")
		_, secret, err := c.Invite(t.Context(), meta.Invitation{Email: a.Email, ProjectID: p.ID, Role: weir.RoleViewer})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.AcceptAs(t.Context(), secret, a) }
	}},
	"the end of an invitation": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		n, _, err := c.Invite(t.Context(), meta.Invitation{Email: "guest@example.org", ProjectID: p.ID, Role: weir.RoleViewer})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.Withdraw(t.Context(), p.ID, n.ID) }
	}},
	"the start of a second factor": {weir.ECONFLICT, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "factor")
		code := c.code(t, must(c.StartTOTP(t.Context(), a.ID))(t), 0)
		return func(s *meta.Store, _ int) error { return second(s.ConfirmTOTP(t.Context(), a.ID, code)) }
	}},
	"a code of a second factor": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "code")
		secret, _ := c.withFactor(t, a)
		code := c.code(t, secret, 30*time.Second)
		return func(s *meta.Store, _ int) error { return s.CheckTOTP(t.Context(), a.ID, code) }
	}},
	"a recovery code": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "recovery")
		_, recovery := c.withFactor(t, a)
		return func(s *meta.Store, _ int) error { return s.CheckTOTP(t.Context(), a.ID, recovery[0]) }
	}},
	"a sign-in with a provider that is under way": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		if err := c.BeginFlow(t.Context(), meta.Flow{State: "one", Nonce: "n", Verifier: "v"}); err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return second(s.TakeFlow(t.Context(), "one")) }
	}},
	"an address at a provider": {weir.EFORBIDDEN, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		c.withProvider(t)
		return func(s *meta.Store, i int) error {
			return second(s.SignInWith(t.Context(), meta.Identity{Issuer: raceIssuer, Subject: fmt.Sprint("person ", i), Email: "claimed@example.com", Name: "A"}))
		}
	}},
	"the end of an identity": {weir.ENOTFOUND, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		c.withProvider(t)
		a := must(c.SignInWith(t.Context(), meta.Identity{Issuer: raceIssuer, Subject: "linked", Email: "linked@example.com", Name: "A"}))(t)
		return func(s *meta.Store, _ int) error { return s.Unlink(t.Context(), a.ID) }
	}},
	"the end of a user's token": {weir.ENOTFOUND, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "tokens")
		k, _, err := c.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead, UserID: a.ID})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.RevokeUserToken(t.Context(), a.ID, k.ID) }
	}},
	"the end of an administrator's rights": {weir.ENOTFOUND, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		a := c.user(t, "former-admin")
		must(c.AddAdmin(t.Context(), a.Email))(t)
		return func(s *meta.Store, _ int) error { return s.RemoveAdmin(t.Context(), a.ID) }
	}},
	"the owner's place": {weir.EFORBIDDEN, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		var owner string
		for _, a := range must(c.Admins(t.Context()))(t) {
			if a.Owner {
				owner = a.ID
			}
		}
		ids := make([]string, nodes)
		for i := range ids {
			a := c.user(t, fmt.Sprint("heir", i))
			must(c.AddAdmin(t.Context(), a.Email))(t)
			ids[i] = a.ID
		}
		return func(s *meta.Store, i int) error { return s.HandOver(t.Context(), owner, ids[i]) }
	}},
	"a key in the place of another": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		k, _, err := c.CreateKey(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error {
			_, _, err := s.RotateKey(t.Context(), p.ID, k.ID, time.Hour)
			return err
		}
	}},
	"the end of a project's token": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		k, _, err := c.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead, ProjectID: p.ID})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.RevokeProjectToken(t.Context(), p.ID, k.ID) }
	}},
	"the end of a project": {weir.ENOTFOUND, func(t *testing.T, _ *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error { return second(s.DeleteProject(t.Context(), p.ID, p.Name)) }
	}},
}

// onceOnStore are operations on the store itself of which one node's may succeed.
var onceOnStore = map[string]single{
	"the hot tier": {weir.ECONFLICT, func(t *testing.T, _ *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, i int) error { return second(s.BindHot(t.Context(), fmt.Sprint("tier ", i), false)) }
	}},
}

// everybodyOnPeople are operations on people that all nodes may do.
var everybodyOnPeople = map[string]func(t *testing.T, c *crowd, p *weir.Project){
	"new passwords": func(t *testing.T, c *crowd, _ *weir.Project) {
		a := c.user(t, "passwords")
		c.all(t, "", func(s *meta.Store, i int) error {
			return errors.Join(
				second(s.BeginSession(t.Context(), a.ID, meta.ByPassword, meta.Place{}, "")),
				s.SetPassword(t.Context(), a.ID, fmt.Sprint("the password of node ", i)),
				s.EndSessions(t.Context(), a.ID),
			)
		})
		if x := must(c.Sessions(t.Context(), a.ID))(t); len(x) != 0 {
			t.Errorf("%d sessions are left", len(x))
		}
		if n := c.all(t, weir.EUNAUTHORIZED, func(s *meta.Store, i int) error {
			return second(s.Authenticate(t.Context(), a.Email, fmt.Sprint("the password of node ", i)))
		}); n != 1 {
			t.Errorf("%d passwords are good, want 1", n)
		}
	},
	"links to reset a password": func(t *testing.T, c *crowd, _ *weir.Project) {
		a := c.user(t, "resets")
		links := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			links[i], _, err = s.CreateReset(t.Context(), a.ID)
			return err
		})
		if n := c.all(t, weir.EUNAUTHORIZED, func(s *meta.Store, i int) error {
			return second(s.ResetPassword(t.Context(), links[i], "another good password"))
		}); n != 1 {
			t.Errorf("%d links are good, want the last one", n)
		}
	},
	"invitations of one address": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, _ int) error {
			_, _, err := s.Invite(t.Context(), meta.Invitation{Email: "guest@example.org", ProjectID: p.ID, Role: weir.RoleViewer})
			return err
		})
		if open := must(c.Invitations(t.Context(), p.ID))(t); len(open) != 1 {
			t.Errorf("%d invitations are open, want 1", len(open))
		}
	},
	"second factors": func(t *testing.T, c *crowd, _ *weir.Project) {
		a := c.user(t, "factors")
		secrets := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			secrets[i], err = s.StartTOTP(t.Context(), a.ID)
			return err
		})
		on := 0
		for _, secret := range secrets {
			if _, err := c.ConfirmTOTP(t.Context(), a.ID, c.code(t, secret, 0)); err == nil {
				on++
			}
		}
		if on != 1 {
			t.Errorf("%d secrets are good, want the last one", on)
		}
		sets := make([][]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			sets[i], err = s.NewRecoveryCodes(t.Context(), a.ID)
			return err
		})
		good := 0
		for _, set := range sets {
			for _, code := range set {
				if c.CheckTOTP(t.Context(), a.ID, code) == nil {
					good++
				}
			}
		}
		if good != len(sets[0]) {
			t.Errorf("%d recovery codes are good, want those of one node", good)
		}
		c.all(t, "", func(s *meta.Store, _ int) error { return s.RemoveTOTP(t.Context(), a.ID) })
		if must(c.User(t.Context(), a.ID))(t).SecondFactor {
			t.Error("the second factor is left")
		}
	},
	"sign-ins with a provider": func(t *testing.T, c *crowd, p *weir.Project) {
		c.withProvider(t)
		c.all(t, "", func(s *meta.Store, i int) error {
			return second(s.ChangeSignIn(t.Context(), func(in *meta.SignIn) error {
				in.Provider.GroupsClaim = "groups"
				in.Provider.Groups = append(in.Provider.Groups, meta.GroupRole{Group: fmt.Sprint("g", i), ProjectID: p.ID, Role: weir.RoleViewer})
				return nil
			}))
		})
		if n := len(must(reopen(t, c.fixture).SignIn(t.Context()))(t).Provider.Groups); n != nodes {
			t.Errorf("%d groups, want %d", n, nodes)
		}
		ids := map[string]bool{}
		accounts := make([]*meta.SignedIn, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			state := fmt.Sprint("state ", i)
			if err := s.BeginFlow(t.Context(), meta.Flow{State: state, Nonce: "n", Verifier: "v"}); err != nil {
				return err
			}
			if _, err := s.TakeFlow(t.Context(), state); err != nil {
				return err
			}
			accounts[i], err = s.SignInWith(t.Context(), meta.Identity{Issuer: raceIssuer, Subject: "same", Email: "same@example.com", Name: "A", Groups: []string{"g3"}})
			return err
		})
		for _, a := range accounts {
			ids[a.ID] = true
		}
		if r := must(c.Role(t.Context(), accounts[0].ID, p.ID))(t); len(ids) != 1 || r != weir.RoleViewer {
			t.Errorf("%d accounts of one identity, role %v", len(ids), r)
		}
	},
	"the last admin of a project": func(t *testing.T, c *crowd, p *weir.Project) {
		ids := make([]string, nodes)
		for i := range ids {
			a := c.user(t, fmt.Sprint("member", i))
			must(c.AddMember(t.Context(), p.ID, a.Email, weir.RoleAdmin))(t)
			ids[i] = a.ID
		}
		if n := c.all(t, weir.ECONFLICT, func(s *meta.Store, i int) error {
			return second(s.ChangeMember(t.Context(), p.ID, ids[i], weir.RoleViewer, false))
		}); n != nodes-1 {
			t.Errorf("%d of %d admins became viewers: one must be left", n, nodes)
		}
	},
	"tokens": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, _ int) error {
			_, secret, err := s.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead | weir.ScopeIngest, ProjectID: p.ID})
			if err != nil {
				return err
			}
			return errors.Join(second(s.Token(t.Context(), secret)), second(s.ProjectByKey(t.Context(), secret)))
		})
		all := must(c.ProjectTokens(t.Context(), p.ID))(t)
		for _, k := range all {
			if k.LastUsedAt.IsZero() {
				t.Errorf("%+v was not used", k)
			}
		}
		if len(all) != nodes {
			t.Errorf("%d tokens, want %d", len(all), nodes)
		}
	},
	"the audit log": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, i int) error {
			return errors.Join(
				s.AddAudit(t.Context(), meta.AuditEntry{Act: "race.new", At: c.watch.now().Add(time.Duration(i)), ProjectID: p.ID}),
				s.AddAudit(t.Context(), meta.AuditEntry{Act: "race.old", At: c.watch.now().Add(-time.Hour), ProjectID: p.ID}),
			)
		})
		deleted := make([]int64, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			deleted[i], err = s.TrimAudit(t.Context(), c.watch.now())
			return err
		})
		var sum int64
		for _, n := range deleted {
			sum += n
		}
		left, _, err := c.Audit(t.Context(), meta.AuditQuery{ProjectID: p.ID, Limit: 100})
		if err != nil || sum != nodes || len(left) != nodes {
			t.Errorf("%d entries were deleted and %d are left, want %d each (%v)", sum, len(left), nodes, err)
		}
	},
}

// everybodyOnProjects are more operations on projects that all nodes may do.
var everybodyOnProjects = map[string]func(t *testing.T, c *crowd, p *weir.Project){
	"keys of a project": func(t *testing.T, c *crowd, p *weir.Project) {
		keys := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) error {
			k, key, err := s.CreateKey(t.Context(), p.ID)
			if err != nil {
				return err
			}
			keys[i] = key
			return s.SetKeyOrigins(t.Context(), p.ID, k.ID, []string{"shop.example"})
		})
		for _, key := range keys {
			if got := must(c.ProjectByKey(t.Context(), key))(t); got.ID != p.ID || len(got.KeyOrigins) != 1 {
				t.Errorf("%+v", got)
			}
		}
	},
	"a recount": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, _ int) error { return s.SetTimezone(t.Context(), p.ID, "Asia/Tokyo") })
		all := must(c.Recounts(t.Context()))(t)
		if len(all) != 1 {
			t.Fatalf("%d recounts were asked for, want 1", len(all))
		}
		r := all[0]
		c.all(t, "", func(s *meta.Store, i int) error {
			r := r
			r.Done = 1 + i
			return first(s.SaveRecount(t.Context(), r))
		})
		c.all(t, "", func(s *meta.Store, _ int) error { return s.EndRecount(t.Context(), r) })
		if all := must(c.Recounts(t.Context()))(t); len(all) != 0 {
			t.Errorf("%+v goes on", all)
		}
	},
	"the deletion of a project": func(t *testing.T, c *crowd, p *weir.Project) {
		d := must(c.DeleteProject(t.Context(), p.ID, p.Name))(t)
		c.all(t, "", func(s *meta.Store, _ int) error {
			return errors.Join(s.DeletionStep(t.Context(), p.ID, meta.StepCold), s.DeletionFailed(t.Context(), p.ID, "no"))
		})
		c.all(t, "", func(s *meta.Store, _ int) error { return s.DeletionPassed(t.Context(), *d) })
		for _, one := range must(c.ProjectDeletions(t.Context()))(t) {
			if one.ProjectID == p.ID && (one.Passes != 1 || one.Step != meta.StepDeleted || one.Error != "") {
				t.Errorf("%+v: ten nodes made the same pass", one)
			}
		}
	},
}
