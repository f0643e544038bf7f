package meta_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func newProject(t *testing.T, f fixture) (*weir.Project, string) {
	t.Helper()
	p, key, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	return p, key
}

func TestAProjectHasAShortIDAndAKeyThatIsNotStored(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	if len(p.ID) != 12 || strings.Trim(p.ID, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("id = %q", p.ID)
	}
	if p.Timezone != "UTC" {
		t.Errorf("timezone = %q, want UTC", p.Timezone)
	}
	if !strings.HasPrefix(key, "wk_") || len(key) != 3+32 {
		t.Errorf("key = %q", key)
	}
	if strings.Contains(stored(t, f), key) {
		t.Error("the key is stored")
	}
	got := must(f.Project(t.Context(), p.ID))(t)
	if got.ID != p.ID || got.Name != "Shop" {
		t.Errorf("project = %+v", got)
	}
}

func TestProjectsAreRefusedForBadInput(t *testing.T) {
	f := open(t)
	for name, in := range map[string]meta.NewProject{
		"no name":               {Name: " "},
		"a long name":           {Name: strings.Repeat("n", 101)},
		"an unknown zone":       {Name: "Shop", Timezone: "Mars/Olympus"},
		"the server's zone":     {Name: "Shop", Timezone: "Local"},
		"a path for a zone":     {Name: "Shop", Timezone: "../../etc/passwd"},
		"a retention of -1":     {Name: "Shop", RetentionDays: -1},
		"a long retention":      {Name: "Shop", RetentionDays: 36501},
		"a control in its name": {Name: "Sh\x07op"},
	} {
		_, _, err := f.CreateProject(t.Context(), in)
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: err = %v, want EINVALID", name, err)
		}
	}
	_, _, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop", AdminID: "nobody"})
	wantCode(t, err, weir.ENOTFOUND)
	if all := must(f.Projects(t.Context()))(t); len(all) != 0 {
		t.Fatalf("%d projects were made", len(all))
	}
}

func TestARetentionIsKeptAndChanged(t *testing.T) {
	f := open(t)
	a, _ := newProject(t, f)
	b, key, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Short", RetentionDays: 36500})
	if err != nil {
		t.Fatal(err)
	}
	is := func(days int) {
		t.Helper()
		all := must(f.Projects(t.Context()))(t)
		for _, p := range []*weir.Project{must(f.Project(t.Context(), b.ID))(t), must(f.ProjectByKey(t.Context(), key))(t), all[1]} {
			if p.ID != b.ID || p.RetentionDays != days {
				t.Errorf("project = %+v, want %d days", p, days)
			}
		}
		if other := must(f.Project(t.Context(), a.ID))(t); other.RetentionDays != 0 {
			t.Errorf("another project's retention is %d days", other.RetentionDays)
		}
	}
	is(36500)
	for _, days := range []int{30, 0, 1} {
		if err := f.SetRetention(t.Context(), b.ID, days); err != nil {
			t.Fatal(err)
		}
		is(days)
	}
	wantCode(t, f.SetRetention(t.Context(), b.ID, -1), weir.EINVALID)
	wantCode(t, f.SetRetention(t.Context(), b.ID, 36501), weir.EINVALID)
	wantCode(t, f.SetRetention(t.Context(), "nothing", 7), weir.ENOTFOUND)
	is(1)
}

func TestProjectsOfTheFirstVersionHaveTheDefaults(t *testing.T) {
	f := fixture{watch: newWatch(), path: newPlace(t)}
	db := raw(t, f.path)
	for _, q := range []string{
		string(must(os.ReadFile("migrations/0001_init.sql"))(t)),
		`CREATE TABLE schema_version (version BIGINT NOT NULL)`, `INSERT INTO schema_version (version) VALUES (1)`,
		`INSERT INTO projects (id, name, timezone, store_ip, import_salt, created_at) VALUES ('p', 'Shop', 'UTC', 0, '', 0)`,
	} {
		db.exec(t, q)
	}
	got := must(reopen(t, f).Project(t.Context(), "p"))(t)
	if got.ID != "p" || got.RetentionDays != 0 || got.Limits != (weir.Limits{Over: weir.OverRefuse, Sample: 10}) {
		t.Errorf("project = %+v", got)
	}
}

func TestAMissingProjectIsNotFound(t *testing.T) {
	f := open(t)
	for range 2 { // the second answer is the cache's
		_, err := f.Project(t.Context(), "nothing")
		wantCode(t, err, weir.ENOTFOUND)
	}
}

func TestMembershipsNameTheRole(t *testing.T) {
	f := open(t)
	a := must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	bob := must(f.CreateUser(t.Context(), "bob@example.org", "Bob", password, false))(t)
	b, _, err := f.CreateProject(t.Context(), meta.NewProject{Name: "B", AdminID: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newProject(t, f)
	if err := f.SetRole(t.Context(), a.ID, other.ID, weir.RoleEditor); err != nil {
		t.Fatal(err)
	}
	if err := f.SetRole(t.Context(), a.ID, other.ID, weir.RoleViewer); err != nil {
		t.Fatal(err)
	}
	roles := func(id string) map[string]weir.Role {
		m := map[string]weir.Role{}
		for _, x := range must(f.Memberships(t.Context(), id))(t) {
			m[x.Project.ID] = x.Role
		}
		return m
	}
	want := map[string]weir.Role{b.ID: weir.RoleAdmin, other.ID: weir.RoleViewer}
	if d := cmp.Diff(want, roles(a.ID)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]weir.Role{}, roles(bob.ID)); d != "" {
		t.Error(d)
	}
	if r := must(f.Role(t.Context(), a.ID, b.ID))(t); r != weir.RoleAdmin {
		t.Errorf("role = %v", r)
	}
	if r := must(f.Role(t.Context(), bob.ID, b.ID))(t); r != weir.RoleNone {
		t.Errorf("role = %v", r)
	}
	if err := f.SetRole(t.Context(), a.ID, b.ID, weir.RoleNone); err != nil {
		t.Fatal(err)
	}
	if r := must(f.Role(t.Context(), a.ID, b.ID))(t); r != weir.RoleNone {
		t.Errorf("role after it was taken = %v", r)
	}
	wantCode(t, f.SetRole(t.Context(), a.ID, "nothing", weir.RoleViewer), weir.ENOTFOUND)
	wantCode(t, f.SetRole(t.Context(), "nobody", b.ID, weir.RoleViewer), weir.ENOTFOUND)
}

func TestAProjectMayHaveManyKeysAndARevokedOneIsUnknownAtOnce(t *testing.T) {
	f := open(t)
	p, first := newProject(t, f)
	f.watch.add(time.Second)
	k, second, err := f.CreateKey(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{first, second} {
		for range 2 {
			if got := must(f.ProjectByKey(t.Context(), key))(t); got.ID != p.ID {
				t.Fatalf("project = %q, want %q", got.ID, p.ID)
			}
		}
	}
	if err := f.RevokeKey(t.Context(), p.ID, k.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.ProjectByKey(t.Context(), second)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.ProjectByKey(t.Context(), first))(t)
	keys := must(f.Keys(t.Context(), p.ID))(t)
	if len(keys) != 2 || keys[0].ID != k.ID || keys[0].RevokedAt.IsZero() || !keys[1].RevokedAt.IsZero() {
		t.Fatalf("keys = %+v", keys)
	}
	if keys[0].Last4 != second[len(second)-4:] {
		t.Errorf("last4 = %q of %q", keys[0].Last4, second)
	}
	wantCode(t, f.RevokeKey(t.Context(), p.ID, k.ID), weir.ENOTFOUND)
}

func TestAKeyIsRevokedThroughItsOwnProjectOnly(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, key := newProject(t, f)
	id := must(f.Keys(t.Context(), other.ID))(t)[0].ID
	wantCode(t, f.RevokeKey(t.Context(), p.ID, id), weir.ENOTFOUND)
	must(f.ProjectByKey(t.Context(), key))(t)
}

func TestCreateKeyNeedsItsProject(t *testing.T) {
	f := open(t)
	_, _, err := f.CreateKey(t.Context(), "nothing")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestAChosenKeyIsCheckedAndWorksAlthoughItWasUnknownBefore(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	const key = "wk_demo_demo_demo"
	_, err := f.ProjectByKey(t.Context(), key)
	wantCode(t, err, weir.ENOTFOUND)
	must(f.AddKey(t.Context(), p.ID, key))(t)
	if got := must(f.ProjectByKey(t.Context(), key))(t); got.ID != p.ID {
		t.Fatalf("project = %q", got.ID)
	}
	_, err = f.AddKey(t.Context(), p.ID, key)
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.AddKey(t.Context(), p.ID, "wk_short")
	wantCode(t, err, weir.EINVALID)
	_, err = f.AddKey(t.Context(), p.ID, "a key without its prefix")
	wantCode(t, err, weir.EINVALID)
	_, err = f.AddKey(t.Context(), "nothing", "wk_another_long_key")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestAKeyRevokedByAnotherProcessIsUnknownWithinAMinute(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	must(f.ProjectByKey(t.Context(), key))(t)
	other := reopen(t, f)
	id := must(other.Keys(t.Context(), p.ID))(t)[0].ID
	if err := other.RevokeKey(t.Context(), p.ID, id); err != nil {
		t.Fatal(err)
	}
	must(f.ProjectByKey(t.Context(), key))(t) // still remembered
	f.watch.add(time.Minute)
	_, err := f.ProjectByKey(t.Context(), key)
	wantCode(t, err, weir.ENOTFOUND)
}

func TestAKeyMadeByAnotherProcessIsKnownAfterAFewSeconds(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	const key = "wk_demo_demo_demo"
	_, err := f.ProjectByKey(t.Context(), key)
	wantCode(t, err, weir.ENOTFOUND)
	must(reopen(t, f).AddKey(t.Context(), p.ID, key))(t)
	_, err = f.ProjectByKey(t.Context(), key)
	wantCode(t, err, weir.ENOTFOUND) // still remembered
	f.watch.add(5 * time.Second)
	must(f.ProjectByKey(t.Context(), key))(t)
}

func TestAFloodOfUnknownKeysPushesNoRealOneOut(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	must(f.ProjectByKey(t.Context(), key))(t)
	for i := range 5000 {
		_, err := f.ProjectByKey(t.Context(), "wk_"+strings.Repeat("x", i%50)+time.Duration(i).String())
		wantCode(t, err, weir.ENOTFOUND)
	}
	// Only the cache can answer now.
	raw(t, f.path).exec(t, `UPDATE write_keys SET revoked_at = 1`)
	if got := must(f.ProjectByKey(t.Context(), key))(t); got.ID != p.ID {
		t.Fatalf("project = %q", got.ID)
	}
}
