package meta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func newShare(t *testing.T, f fixture, n meta.NewShare) *meta.Share {
	t.Helper()
	if n.Shows == "" {
		n.Shows = meta.ShowsOverview
	}
	return must(f.CreateShare(t.Context(), n))(t)
}

var sameShare = cmpopts.IgnoreUnexported(meta.Share{})

func TestASharedLinkIsFoundByItsSecretWhichIsStoredEncrypted(t *testing.T) {
	f := open(t)
	s := must(f.openWith(t, ring(t), false))(t)
	f.Store = s
	p, _ := newProject(t, f)
	ada := must(f.CreateUser(t.Context(), "ada@example.org", "Ada", password, false))(t)
	x := newShare(t, f, meta.NewShare{
		ProjectID: p.ID, UserID: ada.ID, EndsAt: f.watch.now().Add(time.Hour), Origins: []string{"https://Blog.example/", "*.shop.example"},
	})
	want := &meta.Share{
		ID: x.ID, ProjectID: p.ID, Shows: meta.ShowsOverview, Origins: []string{"*.shop.example", "blog.example"}, Maker: ada.ID, MakerName: "ada@example.org",
		CreatedAt: f.watch.now().UTC(), EndsAt: f.watch.now().Add(time.Hour).UTC(), Secret: x.Secret,
	}
	if d := cmp.Diff(want, x, sameShare); d != "" {
		t.Fatal(d)
	}
	if !strings.HasPrefix(x.Secret, meta.SharePrefix) || len(x.Secret) != len(meta.SharePrefix)+32 {
		t.Errorf("secret %q", x.Secret)
	}
	if n := raw(t, f.path).number(t, `SELECT count(*) FROM shares WHERE sealed LIKE 'k1.%'`); n != 1 {
		t.Error("the secret is stored in clear")
	}
	if d := cmp.Diff(want, must(f.Share(t.Context(), x.Secret))(t), sameShare); d != "" {
		t.Fatal(d)
	}
	want.UsedAt = f.watch.now().UTC().Truncate(time.Microsecond)
	if d := cmp.Diff([]meta.Share{*want}, must(f.Shares(t.Context(), p.ID))(t), sameShare); d != "" {
		t.Fatal(d)
	}
	// With another ring the link works, but is not shown again.
	lost := must(f.openWith(t, ring(t), true))(t)
	if got := must(lost.Share(t.Context(), x.Secret))(t); got.ID != x.ID || got.Secret != "" {
		t.Errorf("with the ring lost: %+v", got)
	}
}

func TestASharedLinkEndsForAllNodesAtOnce(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	p, _ := newProject(t, f)
	second, _ := newProject(t, f)
	x := newShare(t, f, meta.NewShare{ProjectID: p.ID})
	must(other.Share(t.Context(), x.Secret))(t)
	wantCode(t, f.EndShare(t.Context(), second.ID, x.ID), weir.ENOTFOUND)
	if err := f.EndShare(t.Context(), p.ID, x.ID); err != nil {
		t.Fatal(err)
	}
	_, err := other.Share(t.Context(), x.Secret)
	wantCode(t, err, weir.ENOTFOUND)
	wantCode(t, f.EndShare(t.Context(), p.ID, x.ID), weir.ENOTFOUND)
	_, err = f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{})
	wantCode(t, err, weir.ENOTFOUND)

	x = newShare(t, f, meta.NewShare{ProjectID: p.ID, EndsAt: f.watch.now().Add(time.Minute)})
	must(f.Share(t.Context(), x.Secret))(t)
	f.watch.add(time.Minute)
	_, err = f.Share(t.Context(), x.Secret)
	wantCode(t, err, weir.ENOTFOUND)
	if all := must(f.Shares(t.Context(), p.ID))(t); len(all) != 1 {
		t.Errorf("one that has ended is not listed: %+v", all)
	}
	must(f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{EndsAt: new(time.Time{})}))(t)
	must(f.Share(t.Context(), x.Secret))(t)
}

func TestASharedLinkTakesItsPassword(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	x := newShare(t, f, meta.NewShare{ProjectID: p.ID, Password: "a long password"})
	if !x.HasPassword() || x.Lock() == "" {
		t.Fatal("it has no password")
	}
	if err := f.OpenShare(t.Context(), x, "a long password"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.OpenShare(t.Context(), x, "another password"), weir.EUNAUTHORIZED)
	wantCode(t, f.OpenShare(t.Context(), x, ""), weir.EUNAUTHORIZED)
	again := must(f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{Password: new("a long password")}))(t)
	if again.Lock() == x.Lock() {
		t.Error("the lock is the same after a change of the password")
	}
	if off := must(f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{Password: new("")}))(t); off.HasPassword() || off.Lock() != "" {
		t.Error("the password is not off")
	}
	wantCode(t, f.OpenShare(t.Context(), must(f.Share(t.Context(), x.Secret))(t), ""), weir.EUNAUTHORIZED)
}

func TestSharedLinksThatCannotBeAreRefused(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("h%d.example", i)
	}
	for name, n := range map[string]meta.NewShare{
		"nothing":             {},
		"an unknown thing":    {Shows: "events"},
		"an item of the page": {Shows: meta.ShowsLive, Item: "x"},
		"a short password":    {Shows: meta.ShowsLive, Password: "short"},
		"an end that is past": {Shows: meta.ShowsLive, EndsAt: f.watch.now()},
		"any site":            {Shows: meta.ShowsLive, Origins: []string{"*"}},
		"a policy":            {Shows: meta.ShowsLive, Origins: []string{"a.example; script-src *"}},
		"a keyword":           {Shows: meta.ShowsLive, Origins: []string{"'self'"}},
		"a path":              {Shows: meta.ShowsLive, Origins: []string{"a.example/page"}},
		"two ports":           {Shows: meta.ShowsLive, Origins: []string{"a.example:1:2"}},
		"many sites":          {Shows: meta.ShowsLive, Origins: many},
	} {
		n.ProjectID = p.ID
		_, err := f.CreateShare(t.Context(), n)
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := f.CreateShare(t.Context(), meta.NewShare{ProjectID: "nothing", Shows: meta.ShowsLive})
	wantCode(t, err, weir.ENOTFOUND)
	x := newShare(t, f, meta.NewShare{ProjectID: p.ID})
	_, err = f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{Origins: &[]string{"*"}, EndsAt: new(time.Time{})})
	wantCode(t, err, weir.EINVALID)
	_, err = f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{EndsAt: new(f.watch.now())})
	wantCode(t, err, weir.EINVALID)
	_, err = f.ChangeShare(t.Context(), p.ID, x.ID, meta.ShareChange{Password: new("short")})
	wantCode(t, err, weir.EINVALID)
	for range 199 {
		newShare(t, f, meta.NewShare{ProjectID: p.ID})
	}
	_, err = f.CreateShare(t.Context(), meta.NewShare{ProjectID: p.ID, Shows: meta.ShowsLive})
	wantCode(t, err, weir.EINVALID)
}
