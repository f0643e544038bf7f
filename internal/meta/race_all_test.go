package meta_test

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// everybody are operations that all nodes may do: nothing of what one did is lost. race_people_test.go
// has more.
var everybody = map[string]func(t *testing.T, c *crowd, p *weir.Project){
	"changes of limits": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, _ int) error {
			_, err := s.ChangeLimits(t.Context(), p.ID, func(l *weir.Limits) error { l.Quota++; return nil })
			return err
		})
		if q := must(reopen(t, c.fixture).Project(t.Context(), p.ID))(t).Limits.Quota; q != nodes {
			t.Errorf("quota %d, want %d", q, nodes)
		}
	},
	"changes of bot rules": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, i int) error {
			_, err := s.ChangeBotRules(t.Context(), p.ID, func(r *weir.BotRules) { r.Agents = append(r.Agents, fmt.Sprint("agent", i)) })
			return err
		})
		if r := must(reopen(t, c.fixture).Project(t.Context(), p.ID))(t).BotRules; len(r.Agents) != nodes {
			t.Errorf("%v, want %d", r.Agents, nodes)
		}
	},
	"descriptions": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, _ int) error {
			_, err := s.Describe(t.Context(), p.ID, meta.DescribedEvent, "x", func(d *meta.Description) { d.Text += "x" })
			return err
		})
		if d := must(c.Descriptions(t.Context(), p.ID, meta.DescribedEvent))(t); len(d) != 1 || len(d[0].Text) != nodes {
			t.Errorf("%+v", d)
		}
	},
	"changes of an action": func(t *testing.T, c *crowd, p *weir.Project) {
		a := must(c.CreateAction(t.Context(), p.ID, purchase("n")))(t)
		c.all(t, "", func(s *meta.Store, _ int) error {
			_, err := s.ChangeAction(t.Context(), p.ID, a.ID, func(x *weir.ActionSpec) error { x.Name += "n"; return nil })
			return err
		})
		if got := must(c.Action(t.Context(), p.ID, a.ID))(t); len(got.Name) != 1+nodes {
			t.Errorf("%+v", got)
		}
	},
	"events that were not taken": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, i int) error {
			return s.AddOverflow(t.Context(), p.ID, "2026-03", "refused", int64(1+i))
		})
		if d := cmp.Diff(map[string]int64{"refused": 55}, must(c.Overflow(t.Context(), p.ID, "2026-03"))(t)); d != "" {
			t.Error(d)
		}
	},
	"projects and keys": func(t *testing.T, c *crowd, _ *weir.Project) {
		keys := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			_, keys[i], err = s.CreateProject(t.Context(), meta.NewProject{Name: "P"})
			return err
		})
		for _, key := range keys {
			must(c.ProjectByKey(t.Context(), key))(t)
		}
	},
	"shared links": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, i int) error {
			x, err := s.CreateShare(t.Context(), meta.NewShare{ProjectID: p.ID, Shows: meta.ShowsLive})
			if err != nil {
				return err
			}
			_, err = s.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{Origins: &[]string{"shop.example"}})
			if err == nil {
				_, err = s.Share(t.Context(), x.Secret)
			}
			return err
		})
		if all := must(c.Shares(t.Context(), p.ID))(t); len(all) != nodes {
			t.Errorf("%d links, want %d", len(all), nodes)
		}
	},
	"roles of one user": func(t *testing.T, c *crowd, p *weir.Project) {
		u := must(c.CreateUser(t.Context(), "ada@example.org", "Ada", password, false))(t)
		c.all(t, "", func(s *meta.Store, i int) error {
			return s.SetRole(t.Context(), u.ID, p.ID, []weir.Role{weir.RoleViewer, weir.RoleEditor, weir.RoleNone}[i%3])
		})
		c.all(t, "", func(s *meta.Store, i int) error { return s.SetRole(t.Context(), u.ID, p.ID, weir.RoleAdmin) })
		if r := must(c.Role(t.Context(), u.ID, p.ID))(t); r != weir.RoleAdmin {
			t.Errorf("role %v", r)
		}
	},
	"settings of a project": func(t *testing.T, c *crowd, p *weir.Project) {
		c.all(t, "", func(s *meta.Store, i int) error {
			return errors.Join(
				s.SetRetention(t.Context(), p.ID, 1+i), s.SetReportTime(t.Context(), p.ID, fmt.Sprintf("0%d:00", i)),
				s.SetForgotten(t.Context(), map[string]time.Time{p.ID: c.watch.now()}), s.SetSites(t.Context(), p.ID, []string{"shop.example"}),
				s.SetAddressFilters(t.Context(), p.ID, weir.AddressFilters{netip.MustParsePrefix("203.0.113.5/32")}),
				s.PruneReports(t.Context(), p.ID, "2026-03-01"), s.TrimAlertHistory(t.Context(), c.watch.now()),
				s.Rename(t.Context(), p.ID, fmt.Sprint("P", i)), s.SetURLRules(t.Context(), p.ID, weir.URLRules{StripSlash: true}),
			)
		})
	},
	"one key of signatures": func(t *testing.T, c *crowd, _ *weir.Project) {
		keys := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) error {
			key, err := s.Secret(t.Context(), "x")
			keys[i] = string(key)
			return err
		})
		if len(slices.Compact(keys)) != 1 {
			t.Error("nodes have different keys")
		}
	},
	"one salt of a day": func(t *testing.T, c *crowd, _ *weir.Project) {
		old := c.watch.now().Format(time.DateOnly)
		for range 3 { // the third destroys the first
			salts := make([]string, nodes)
			c.all(t, "", func(s *meta.Store, i int) error {
				today, _, err := s.Salts(t.Context(), c.watch.now())
				salts[i] = string(today)
				return err
			})
			if len(slices.Compact(salts)) != 1 {
				t.Error("nodes have different salts")
			}
			c.watch.add(24 * time.Hour)
		}
		c.all(t, "", func(s *meta.Store, _ int) error {
			// On SQLite a node that reads may be in the way of another's DestroySalts, which is done again in an hour.
			_, _ = s.DestroySalts(t.Context())
			return second(s.Today(t.Context()))
		})
		must(c.DestroySalts(t.Context()))(t)
		if all := dump(t, c.Store)["salts"]; slices.ContainsFunc(all, func(row string) bool { return strings.HasPrefix(row, old) }) {
			t.Errorf("the salt of %s is left", old)
		}
	},
	"sessions": func(t *testing.T, c *crowd, _ *weir.Project) {
		u := must(c.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
		secrets := make([]string, nodes)
		c.all(t, "", func(s *meta.Store, i int) (err error) {
			secrets[i], err = s.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, "")
			return err
		})
		c.all(t, "", func(s *meta.Store, i int) error {
			x, _, err := s.Session(t.Context(), secrets[0])
			if err != nil {
				return err
			}
			mine, _, err := s.Session(t.Context(), secrets[i])
			if err != nil {
				return err
			}
			if err := s.UseSession(t.Context(), x, meta.Place{Country: "DE"}); err != nil || i == 0 {
				return err
			}
			return s.EndSession(t.Context(), u.ID, mine.ID)
		})
		if x := must(c.Sessions(t.Context(), u.ID))(t); len(x) != 1 {
			t.Errorf("%d sessions, want 1", len(x))
		}
	},
	"the last admin": func(t *testing.T, c *crowd, _ *weir.Project) {
		ids := make([]string, nodes)
		for i := range ids {
			ids[i] = must(c.CreateUser(t.Context(), fmt.Sprintf("admin%d@example.org", i), "A", password, false))(t).ID
		}
		c.all(t, "", func(s *meta.Store, i int) error {
			return second(s.AddAdmin(t.Context(), fmt.Sprintf("admin%d@example.org", i)))
		})
		if n := c.all(t, weir.ECONFLICT, func(s *meta.Store, i int) error { return s.SetActive(t.Context(), ids[i], false) }); n != nodes-1 {
			t.Errorf("%d of %d admins were deactivated: one must be left", n, nodes)
		}
	},
	"the history of an alert": func(t *testing.T, c *crowd, p *weir.Project) {
		a := must(c.CreateAlert(t.Context(), anAlert(p.ID), 2))(t)
		if err := first(c.StepAlert(t.Context(), aStep(c, a))); err != nil {
			t.Fatal(err)
		}
		due := must(c.ClaimAlertDeliveries(t.Context(), time.Minute, 10))(t)
		c.all(t, "", func(s *meta.Store, i int) error {
			return errors.Join(s.PutOffAlertDelivery(t.Context(), due[0].Key, c.watch.now(), i), s.SilenceAlert(t.Context(), a))
		})
		c.all(t, "", func(s *meta.Store, _ int) error {
			return s.DropAlertDelivery(t.Context(), &due[0], &weir.AlertEntry{Kind: weir.AlertUndelivered, At: c.watch.now()})
		})
		if h := must(c.AlertHistory(t.Context(), p.ID, a.ID, 0, 100))(t); len(h) != 2 {
			t.Errorf("%d entries, want that of the step and one of the message", len(h))
		}
	},
}

func TestTenNodesLoseNothingOfEachOther(t *testing.T) {
	c := gather(t, place(t))
	for name, do := range allOfEverybody() {
		t.Run(name, func(t *testing.T) {
			p, _ := newProject(t, c.fixture)
			do(t, c, p)
		})
	}
}

// allOfEverybody returns all operations that all nodes may do.
func allOfEverybody() map[string]func(t *testing.T, c *crowd, p *weir.Project) {
	all := maps.Clone(everybody)
	maps.Copy(all, everybodyOnPeople)
	maps.Copy(all, everybodyOnProjects)
	return all
}
