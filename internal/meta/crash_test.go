package meta_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// cutter is a network between a store and PostgreSQL that ends after a number of messages.
type cutter struct {
	addr string

	mu   sync.Mutex
	left int    // messages to PostgreSQL that still pass
	end  func() // is called instead of the next one, once
	open []net.Conn
}

// cut returns a network to an address.
func cut(t *testing.T, to string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cutter{addr: l.Addr().String()}
	c.set(1<<30, nil)
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				from.Close()
				continue
			}
			c.mu.Lock()
			c.open = append(c.open, from, server)
			c.mu.Unlock()
			go func() { _, _ = io.Copy(from, server); from.Close() }()
			go func() { _, _ = io.Copy(pass{c, server}, from); server.Close() }()
		}
	}()
	return c
}

// pass writes what a store sends to PostgreSQL.
type pass struct {
	*cutter
	to net.Conn
}

func (p pass) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.left--
	end := p.end
	if p.left >= 0 {
		end = nil
	} else {
		p.end = nil
	}
	over := p.left < 0
	p.mu.Unlock()
	if end != nil {
		end()
	}
	if over {
		return 0, io.ErrClosedPipe
	}
	return p.to.Write(b)
}

// set lets that many messages pass.
func (c *cutter) set(left int, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.end = left, end
}

// ended returns whether the number of messages was reached.
func (c *cutter) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end == nil
}

// drop ends all connections.
func (c *cutter) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}

// several are operations that change more than one row. prepare returns the operation.
var several = map[string]func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error{
	"a project": func(t *testing.T, f fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		return func(s *meta.Store) error {
			_, _, err := s.CreateProject(t.Context(), meta.NewProject{Name: "P", AdminID: u.ID})
			return err
		}
	},
	"an account": func(t *testing.T, _ fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		return func(s *meta.Store) error {
			_, err := s.CreateUser(t.Context(), n+"@example.org", "A", password, false)
			return err
		}
	},
	"an invitation": func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error {
		_, secret, err := f.Invite(t.Context(), meta.Invitation{Email: n + "@example.org", ProjectID: p.ID, Role: weir.RoleViewer})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error {
			_, err := s.AcceptNew(t.Context(), secret, "A", password)
			return err
		}
	},
	"a reset": func(t *testing.T, f fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		must(f.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, ""))(t)
		secret, _, err := f.CreateReset(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error {
			_, err := s.ResetPassword(t.Context(), secret, "another good password")
			return err
		}
	},
	"a session in the place of another": func(t *testing.T, f fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		before := must(f.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, ""))(t)
		return func(s *meta.Store) error {
			_, err := s.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, before)
			return err
		}
	},
	"sites": func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error {
		if err := f.SetSites(t.Context(), p.ID, []string{n + ".old.example"}); err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error {
			return s.SetSites(t.Context(), p.ID, []string{n + ".example", n + ".shop.example"})
		}
	},
	"an alert": func(t *testing.T, _ fixture, p *weir.Project, _ string) func(s *meta.Store) error {
		return func(s *meta.Store) error {
			_, err := s.CreateAlert(t.Context(), anAlert(p.ID), 10)
			return err
		}
	},
	"a step of an alert": func(t *testing.T, f fixture, p *weir.Project, _ string) func(s *meta.Store) error {
		a := must(f.CreateAlert(t.Context(), anAlert(p.ID), 10))(t)
		return func(s *meta.Store) error { return first(s.StepAlert(t.Context(), aStep(&crowd{fixture: f}, a))) }
	},
	"the end of an alert": func(t *testing.T, f fixture, p *weir.Project, _ string) func(s *meta.Store) error {
		a := must(f.CreateAlert(t.Context(), anAlert(p.ID), 10))(t)
		if err := first(f.StepAlert(t.Context(), aStep(&crowd{fixture: f}, a))); err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error { return s.DeleteAlert(t.Context(), p.ID, a.ID) }
	},
	"a description": func(t *testing.T, f fixture, p *weir.Project, _ string) func(s *meta.Store) error {
		describe := func(s *meta.Store) error {
			_, err := s.Describe(t.Context(), p.ID, meta.DescribedEvent, "x", func(d *meta.Description) { d.Text += "x" })
			return err
		}
		if err := describe(f.Store); err != nil {
			t.Fatal(err)
		}
		return describe
	},
}

// severalMore are more of them, for the long form.
var severalMore = map[string]func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error{
	"a key in the place of another": func(t *testing.T, f fixture, p *weir.Project, _ string) func(s *meta.Store) error {
		k, _, err := f.CreateKey(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error {
			_, _, err := s.RotateKey(t.Context(), p.ID, k.ID, time.Hour)
			return err
		}
	},
	"the end of a project": func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error {
		if err := f.SetSites(t.Context(), p.ID, []string{n + ".example"}); err != nil {
			t.Fatal(err)
		}
		must(f.CreateAlert(t.Context(), anAlert(p.ID), 10))(t)
		return func(s *meta.Store) error { return second(s.DeleteProject(t.Context(), p.ID, p.Name)) }
	},
	"the start of a second factor": func(t *testing.T, f fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		must(f.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, ""))(t)
		code := f.code(t, must(f.StartTOTP(t.Context(), u.ID))(t), 0)
		return func(s *meta.Store) error { return second(s.ConfirmTOTP(t.Context(), u.ID, code)) }
	},
	"the end of a second factor": func(t *testing.T, f fixture, _ *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		f.withFactor(t, u)
		must(f.BeginSession(t.Context(), u.ID, meta.ByPassword, meta.Place{}, ""))(t)
		return func(s *meta.Store) error { return s.RemoveTOTP(t.Context(), u.ID) }
	},
	"the end of a membership": func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error {
		u := must(f.CreateUser(t.Context(), n+"@example.org", "A", password, false))(t)
		must(f.AddMember(t.Context(), p.ID, u.Email, weir.RoleViewer))(t)
		_, _, err := f.CreateToken(t.Context(), meta.NewToken{Name: "t", Scopes: weir.ScopeRead, UserID: u.ID, ProjectID: p.ID})
		if err != nil {
			t.Fatal(err)
		}
		return func(s *meta.Store) error { return s.RemoveMember(t.Context(), p.ID, u.ID, true) }
	},
	"an account of a provider": func(t *testing.T, f fixture, p *weir.Project, n string) func(s *meta.Store) error {
		must(f.ChangeSignIn(t.Context(), func(in *meta.SignIn) error {
			in.Provider = &meta.Provider{
				Name: "Id", Issuer: raceIssuer, ClientID: "weir", ClientSecret: "s", Domains: []string{"example.com"}, GroupsClaim: "groups",
				Groups: []meta.GroupRole{{Group: "g", ProjectID: p.ID, Role: weir.RoleViewer}},
			}
			return nil
		}))(t)
		return func(s *meta.Store) error {
			return second(s.SignInWith(t.Context(), meta.Identity{Issuer: raceIssuer, Subject: n, Email: n + "@example.com", Name: "A", Groups: []string{"g"}}))
		}
	},
}

// sizes returns how many rows each table has.
func sizes(t *testing.T, s *meta.Store) map[string]int {
	t.Helper()
	all := map[string]int{}
	for name, rows := range dump(t, s) {
		all[name] = len(rows)
	}
	return all
}

// The connection ends, or PostgreSQL is killed, before each message of each operation.
func TestAnOperationIsDoneWhollyOrNotAtAll(t *testing.T) {
	f, s := own(t)
	wire := cut(t, s.Addr)
	u, err := url.Parse(f.path)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = wire.addr
	u.RawQuery += "&pool=2"
	through := fixture{watch: f.watch, path: u.String()}
	all, kills, often := maps.Clone(several), 3, 4 // of the tries: one of four, three in all
	if os.Getenv("WEIR_TEST_LONG") != "" {
		maps.Copy(all, severalMore)
		kills, often = 1<<30, 1
	}
	tries := 0
	names := slices.Collect(maps.Keys(all))
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var changes []map[string]int // of the tries; the last one is not disturbed
			disturbed := true
			for messages := 0; disturbed; messages++ {
				far := reopen(t, through)
				p, _ := newProject(t, f)
				do := all[name](t, f, p, fmt.Sprint("try", tries))
				tries++
				before := sizes(t, f.Store)
				killed := kills > 0 && rand.IntN(often) == 0
				var ended sync.WaitGroup
				ended.Add(1)
				wire.set(messages, func() {
					defer ended.Done()
					if killed {
						s.Kill()
					}
					wire.drop()
				})
				err := do(far)
				if disturbed = wire.ended(); disturbed {
					ended.Wait()
				} else if err != nil {
					t.Fatal(err)
				}
				wire.set(1<<30, nil)
				if disturbed && killed {
					kills--
					s.Restart(t)
				}
				change := map[string]int{}
				for table, n := range sizes(t, f.Store) {
					if d := n - before[table]; d != 0 {
						change[table] = d
					}
				}
				changes = append(changes, change)
			}
			whole := changes[len(changes)-1]
			for messages, change := range changes {
				if len(change) > 0 && !cmp.Equal(change, whole) {
					t.Errorf("after %d messages: %v, want nothing or %v", messages, change, whole)
				}
			}
			if len(changes) < 4 {
				t.Errorf("%d messages make an operation: the test shows nothing", len(changes))
			}
		})
	}
}
