package meta_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

const nodes = 10

// crowd is ten nodes on one database.
type crowd struct {
	fixture
	stores []*meta.Store
}

// gather opens ten stores at the same time.
func gather(t *testing.T, where string) *crowd {
	t.Helper()
	c := &crowd{fixture: fixture{watch: newWatch(), path: where}, stores: make([]*meta.Store, nodes)}
	errs := make([]error, nodes)
	var wg sync.WaitGroup
	for i := range c.stores {
		wg.Go(func() {
			c.stores[i], errs[i] = meta.Open(context.Background(), where, c.watch.now, meta.WithPasswordCost(8, 1))
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range c.stores {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	c.Store = c.stores[0]
	return c
}

// all has each node do something at the same time. It returns how many succeeded, and is an
// error for each that failed with another code than refused.
func (c *crowd) all(t *testing.T, refused string, do func(s *meta.Store, i int) error) (succeeded int) {
	t.Helper()
	errs := make([]error, nodes)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, s := range c.stores {
		wg.Go(func() {
			<-start
			errs[i] = do(s, i)
		})
	}
	close(start)
	wg.Wait()
	for i, err := range errs {
		switch {
		case err == nil:
			succeeded++
		case refused == "" || weir.ErrorCode(err) != refused:
			t.Errorf("node %d: %v", i, err)
		}
	}
	return succeeded
}

// errLost is that of a node that was not the first, where the store returns no error.
var errLost = weir.Errorf(weir.ECONFLICT, "another was first")

func first(ok bool, err error) error {
	if err == nil && !ok {
		return errLost
	}
	return err
}

// second returns the error of a call that returns something else too.
func second[T any](_ T, err error) error { return err }

func TestTenNodesThatStartTogetherMakeOneStore(t *testing.T) {
	c := gather(t, newPlace(t))
	for _, s := range c.stores {
		if s.ID() != c.ID() {
			t.Errorf("ids %s and %s", s.ID(), c.ID())
		}
	}
	if n, most := raw(t, c.path).number(t, `SELECT count(*) FROM schema_version`), raw(t, c.path).number(t, `SELECT max(version) FROM schema_version`); n != most {
		t.Errorf("%d migrations were made, of %d", n, most)
	}
}

const firstOwner = "the first owner"

// single is an operation of which one node's may succeed, and the code of the others. prepare
// returns what the nodes do.
type single struct {
	refused string
	prepare func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error
}

// once are operations of which one node's may succeed; onceOnPeople are more.
var once = map[string]single{
	firstOwner: {weir.ECONFLICT, func(t *testing.T, _ *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, i int) error {
			_, err := s.Setup(t.Context(), fmt.Sprintf("a%d@example.org", i), "A", password)
			return err
		}
	}},
	"an account of an address": {weir.ECONFLICT, func(t *testing.T, _ *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error {
			_, err := s.CreateUser(t.Context(), "ada@example.org", "Ada", password, false)
			return err
		}
	}},
	"an invitation": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		_, secret, err := c.Invite(t.Context(), meta.Invitation{Email: "bob@example.org", ProjectID: p.ID, Role: weir.RoleViewer})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error {
			_, err := s.AcceptNew(t.Context(), secret, "Bob", password)
			return err
		}
	}},
	"a link to reset a password": {weir.EUNAUTHORIZED, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		u := must(c.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
		secret, _, err := c.CreateReset(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, i int) error {
			_, err := s.ResetPassword(t.Context(), secret, fmt.Sprint("another password ", i))
			return err
		}
	}},
	"a member": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		must(c.CreateUser(t.Context(), "member@example.org", "M", password, false))(t)
		return func(s *meta.Store, _ int) error {
			_, err := s.AddMember(t.Context(), p.ID, "member@example.org", weir.RoleViewer)
			return err
		}
	}},
	"the end of a membership": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		u := must(c.CreateUser(t.Context(), "former@example.org", "F", password, false))(t)
		must(c.AddMember(t.Context(), p.ID, "former@example.org", weir.RoleViewer))(t)
		return func(s *meta.Store, _ int) error { return s.RemoveMember(t.Context(), p.ID, u.ID, true) }
	}},
	"a chosen key": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error {
			_, err := s.AddKey(t.Context(), p.ID, "wk_chosen-by-the-test")
			return err
		}
	}},
	"the end of a key": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		k, _, err := c.CreateKey(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.RevokeKey(t.Context(), p.ID, k.ID) }
	}},
	"the end of a token": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		k, _, err := c.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead, Admin: true})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error { return s.RevokeToken(t.Context(), k.ID) }
	}},
	"the end of a shared link": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		x := newShare(t, c.fixture, meta.NewShare{ProjectID: p.ID})
		return func(s *meta.Store, _ int) error { return s.EndShare(t.Context(), p.ID, x.ID) }
	}},
	"a site's project": {weir.ECONFLICT, func(t *testing.T, c *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		ids := make([]string, nodes)
		for i := range ids {
			p, _ := newProject(t, c.fixture)
			ids[i] = p.ID
		}
		return func(s *meta.Store, i int) error { return s.SetSites(t.Context(), ids[i], []string{"shop.example"}) }
	}},
	"an action of a name": {weir.ECONFLICT, func(t *testing.T, _ *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error {
			_, err := s.CreateAction(t.Context(), p.ID, purchase("signup"))
			return err
		}
	}},
	"the end of an action": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := must(c.CreateAction(t.Context(), p.ID, purchase("signup")))(t)
		return func(s *meta.Store, _ int) error { return s.DeleteAction(t.Context(), p.ID, a.ID) }
	}},
	"the last alert that fits": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		return func(s *meta.Store, _ int) error {
			_, err := s.CreateAlert(t.Context(), anAlert(p.ID), 2)
			return err
		}
	}},
	"a change of an alert": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		return func(s *meta.Store, i int) error {
			to := *a
			to.Name = fmt.Sprint("of node ", i)
			_, err := s.ChangeAlert(t.Context(), a, to, nil)
			return err
		}
	}},
	"a step of an alert": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		step := aStep(c, a)
		return func(s *meta.Store, _ int) error { return first(s.StepAlert(t.Context(), step)) }
	}},
	"the end of an alert": {weir.ENOTFOUND, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		return func(s *meta.Store, _ int) error { return s.DeleteAlert(t.Context(), p.ID, a.ID) }
	}},
	"a message": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		a := must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		if err := first(c.StepAlert(t.Context(), aStep(c, a))); err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error {
			due, err := s.ClaimAlertDeliveries(t.Context(), time.Minute, 10)
			return first(slices.ContainsFunc(due, func(d weir.AlertDelivery) bool { return d.AlertID == a.ID }), err)
		}
	}},
	"the first report of a day": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error {
			return first(s.SaveReport(t.Context(), &weir.Report{ProjectID: p.ID, Date: "2026-03-01", Revision: 1}, 0))
		}
	}},
	"a revision of a report": {weir.ECONFLICT, func(t *testing.T, c *crowd, p *weir.Project) func(s *meta.Store, i int) error {
		if err := first(c.SaveReport(t.Context(), &weir.Report{ProjectID: p.ID, Date: "2026-03-01", Revision: 1}, 0)); err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store, _ int) error {
			return first(s.SaveReport(t.Context(), &weir.Report{ProjectID: p.ID, Date: "2026-03-01", Revision: 2}, 1))
		}
	}},
	"the admin token": {weir.ECONFLICT, func(t *testing.T, _ *crowd, _ *weir.Project) func(s *meta.Store, i int) error {
		return func(s *meta.Store, _ int) error {
			made, _, err := s.EnsureAdminToken(t.Context(), "")
			return first(made != "", err)
		}
	}},
}

func TestOfTenNodesOneSucceeds(t *testing.T) {
	c := gather(t, place(t))
	maps.Copy(once, onceOnPeople)
	maps.Copy(once, onceOnStore)
	// The first account comes first.
	names := slices.Sorted(maps.Keys(once))
	names = append([]string{firstOwner}, slices.DeleteFunc(names, func(name string) bool { return name == firstOwner })...)
	for _, name := range names {
		o := once[name]
		t.Run(name, func(t *testing.T) {
			p, _ := newProject(t, c.fixture)
			if n := c.all(t, o.refused, o.prepare(t, c, p)); n != 1 {
				t.Errorf("%d succeeded, want 1", n)
			}
		})
	}
}

// A pooler gives each transaction another connection.
func TestNodesBehindAPoolerInTransactionModeShareAStore(t *testing.T) {
	f, s := own(t)
	c := gather(t, strings.Replace(f.path, s.Addr, s.Pooler(t), 1))
	p, _ := newProject(t, c.fixture)
	for _, name := range []string{"changes of limits", "one salt of a day", "the history of an alert", "projects and keys"} {
		everybody[name](t, c, p)
	}
	if n := c.all(t, weir.ECONFLICT, once["a message"].prepare(t, c, p)); n != 1 {
		t.Errorf("%d nodes got a message", n)
	}
	if err := s.Exec(t.Context(), "postgres", "SELECT 1"); err != nil {
		t.Error(err)
	}
}

func anAlert(project string) weir.Alert {
	return weir.Alert{ProjectID: project, AlertSpec: weir.AlertSpec{Name: "A", Enabled: true, Channels: []weir.AlertChannel{{Kind: weir.AlertByWebhook, URL: "https://hooks.example"}}}}
}

func aStep(c *crowd, a *weir.Alert) *weir.AlertStep {
	status := a.Status
	status.CheckedTo = c.watch.now()
	return &weir.AlertStep{
		AlertID: a.ID, Version: a.Version, Was: a.Status.CheckedTo, Status: status,
		Entries: []weir.AlertEntry{{Kind: weir.AlertUndelivered, At: c.watch.now()}}, Messages: []weir.AlertMessage{{ID: a.ID + ".1"}},
	}
}
