package meta_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestATokenIsFoundByItsSecretWhichIsNotStored(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	tok, secret, err := f.CreateToken(t.Context(), meta.NewToken{
		Name: "CI", Scopes: weir.ScopeRead | weir.ScopeWrite, ProjectID: p.ID, ExpiresAt: f.watch.now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, "wt_") || strings.Contains(stored(t, f), secret) {
		t.Fatal("the token lacks its prefix or is stored")
	}
	if d := cmp.Diff(tok, must(f.Token(t.Context(), secret))(t)); d != "" {
		t.Fatal(d)
	}
	if err := f.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.Token(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
	wantCode(t, f.RevokeToken(t.Context(), tok.ID), weir.ENOTFOUND)
}

func TestATokenIsRememberedWhileTheStoreFails(t *testing.T) {
	f := open(t)
	_, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "CI", Scopes: weir.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	first := must(f.Token(t.Context(), secret))(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, must(f.Token(t.Context(), secret))(t)); d != "" {
		t.Fatal(d)
	}
	f.watch.add(time.Minute)
	if _, err := f.Token(t.Context(), secret); err == nil {
		t.Fatal("a token is remembered for longer than a minute")
	}
}

func TestATokenRevokedByAnotherProcessIsUnknownAtOnce(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	tok, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "CI", Scopes: weir.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	must(f.Token(t.Context(), secret))(t)
	if err := other.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	_, err = f.Token(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
}

func TestATokenEndsWhenItExpires(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	_, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.AllScopes, ProjectID: p.ID, ExpiresAt: f.watch.now().Add(30 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	must(f.Token(t.Context(), secret))(t)
	must(f.ProjectByKey(t.Context(), secret))(t)
	f.watch.add(30 * time.Second)
	_, err = f.Token(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
	_, err = f.ProjectByKey(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
}

func TestTheLastUseOfATokenIsWrittenOnceAMinute(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	_, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "x", Scopes: weir.AllScopes, ProjectID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	used := func() time.Time {
		all := must(f.ProjectTokens(t.Context(), p.ID))(t)
		return all[0].LastUsedAt
	}
	if !used().IsZero() {
		t.Error("a token that nobody used has a last use")
	}
	begin := f.watch.now()
	for _, c := range []struct{ after, want time.Duration }{{0, 0}, {59 * time.Second, 0}, {time.Second, time.Minute}, {30 * time.Second, time.Minute}} {
		f.watch.add(c.after)
		must(f.Token(t.Context(), secret))(t)
		if got := used().Sub(begin); got != c.want {
			t.Errorf("last used after %v, want %v", got, c.want)
		}
	}
	f.watch.add(time.Hour)
	must(f.ProjectByKey(t.Context(), secret))(t)
	if got := used(); !got.Equal(f.watch.now()) {
		t.Errorf("used to send at %v, want %v", got, f.watch.now())
	}
}

func TestTokensAreListedAndRevokedByTheirOwner(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	u := must(f.CreateUser(t.Context(), "ada@example.org", "Ada", "correct horse", false))(t)
	own, _, err := f.CreateToken(t.Context(), meta.NewToken{Name: "own", Scopes: weir.ScopeRead, UserID: u.ID, ProjectID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	projects, _, err := f.CreateToken(t.Context(), meta.NewToken{Name: "project's", Scopes: weir.ScopeRead, ProjectID: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]meta.Token{*own}, must(f.UserTokens(t.Context(), u.ID))(t)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]meta.Token{*projects}, must(f.ProjectTokens(t.Context(), p.ID))(t)); d != "" {
		t.Error(d)
	}
	wantCode(t, f.RevokeProjectToken(t.Context(), p.ID, own.ID), weir.ENOTFOUND)
	wantCode(t, f.RevokeUserToken(t.Context(), u.ID, projects.ID), weir.ENOTFOUND)
	wantCode(t, f.RevokeUserToken(t.Context(), u.ID, own.ID), "")
	wantCode(t, f.RevokeProjectToken(t.Context(), p.ID, projects.ID), "")
}

// Tokens and roles of the version before keep what they allowed.
func TestTokensOfTheVersionBeforeKeepTheirRights(t *testing.T) {
	path := newPlace(t)
	db := raw(t, path)
	names, err := filepath.Glob("migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string) {
		t.Helper()
		db.exec(t, query)
	}
	exec(`CREATE TABLE schema_version (version BIGINT NOT NULL)`)
	for i, name := range names[:14] {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		exec(string(text))
		exec(fmt.Sprintf(`INSERT INTO schema_version (version) VALUES (%d)`, i+1))
	}
	exec(`INSERT INTO projects (id, name, timezone, store_ip, import_salt, created_at) VALUES ('p', 'Shop', 'UTC', 0, 'AAAA', 1)`)
	exec(`INSERT INTO setup VALUES (1, 1)`)
	exec(`INSERT INTO users (id, email, name, password, admin, created_at) VALUES ('late', 'b@example.org', 'B', 'x', 1, 3), ('first', 'c@example.org', 'C', 'x', 1, 2), ('user', 'a@example.org', 'A', 'x', 0, 1)`)
	exec(`INSERT INTO members VALUES ('user', 'p', 'owner'), ('late', 'p', 'editor')`)
	want := map[string]string{}
	for _, c := range [][4]string{ // scope, admin, role, scopes
		{"read", "1", "none", "read,persons"},
		{"write", "1", "none", "read,persons,write,ingest,admin"},
		{"read", "0", "owner", "read,persons"},
		{"write", "0", "owner", "read,persons,write,ingest,admin"},
		{"write", "0", "admin", "read,persons,write,ingest,admin"},
		{"write", "0", "editor", "read,persons,write"},
		{"write", "0", "viewer", "read,persons"},
	} {
		secret := "wt_" + strings.Join(c[:3], "_")
		want[secret] = c[3]
		project := "'p'"
		if c[1] == "1" {
			project = "NULL"
		}
		exec(fmt.Sprintf(`INSERT INTO tokens VALUES ('%s', '%x', 'x', 'last', '%s', %s, %s, '%s', 5)`, secret, sha256.Sum256([]byte(secret)), c[0], c[1], project, c[2]))
	}
	s, err := meta.Open(t.Context(), path, newWatch().now, meta.WithPasswordCost(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for secret, scopes := range want {
		if tok := must(s.Token(t.Context(), secret))(t); tok.Scopes.String() != scopes || tok.UserID != "" || !tok.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v", secret, tok)
		}
	}
	if r := must(s.Role(t.Context(), "user", "p"))(t); r != weir.RoleAdmin {
		t.Errorf("the project's owner is %v", r)
	}
	for _, a := range must(s.Admins(t.Context()))(t) {
		if a.Owner != (a.ID == "first") {
			t.Errorf("%s owns the server: %v", a.ID, a.Owner)
		}
	}
}

func TestANewAdminTokenEndsTheFormerAtOnce(t *testing.T) {
	f := open(t)
	for _, secret := range []string{"the first of the administrator", "the second of the administrator"} {
		_, err := f.Token(t.Context(), secret)
		wantCode(t, err, weir.ENOTFOUND) // and remembered as such
		if _, _, err := f.EnsureAdminToken(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		if !must(f.Token(t.Context(), secret))(t).Admin {
			t.Errorf("%s is no admin's", secret)
		}
	}
	_, err := f.Token(t.Context(), "the first of the administrator")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestTokensAreRefusedForBadInput(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	for name, c := range map[string]struct {
		in   meta.NewToken
		code string
	}{
		"no name":               {meta.NewToken{Scopes: weir.ScopeRead, Admin: true}, weir.EINVALID},
		"no scope":              {meta.NewToken{Name: "x", Admin: true}, weir.EINVALID},
		"an unknown scope":      {meta.NewToken{Name: "x", Scopes: 1 << 7, Admin: true}, weir.EINVALID},
		"nobody's":              {meta.NewToken{Name: "x", Scopes: weir.ScopeRead}, weir.EINVALID},
		"an admin of a project": {meta.NewToken{Name: "x", Scopes: weir.ScopeRead, Admin: true, ProjectID: p.ID}, weir.EINVALID},
		"an unknown project":    {meta.NewToken{Name: "x", Scopes: weir.ScopeRead, ProjectID: "nothing"}, weir.ENOTFOUND},
		"an unknown user":       {meta.NewToken{Name: "x", Scopes: weir.ScopeRead, UserID: "nobody"}, weir.ENOTFOUND},
		"a user who sends":      {meta.NewToken{Name: "x", Scopes: weir.ScopeIngest, UserID: "nobody"}, weir.EINVALID},
		"one that has expired":  {meta.NewToken{Name: "x", Scopes: weir.ScopeRead, ProjectID: p.ID, ExpiresAt: f.watch.now()}, weir.EINVALID},
	} {
		if _, _, err := f.CreateToken(t.Context(), c.in); weir.ErrorCode(err) != c.code {
			t.Errorf("%s: err = %v, want %s", name, err, c.code)
		}
	}
}

// ensured returns the admin token that was made, and whether one was replaced.
func ensured(t *testing.T, f fixture, secret string) (made string, replaced bool) {
	t.Helper()
	made, replaced, err := f.EnsureAdminToken(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return made, replaced
}

func TestTheAdminTokenIsMadeOnce(t *testing.T) {
	f := open(t)
	made, _ := ensured(t, f, "")
	if tok := must(f.Token(t.Context(), made))(t); !tok.Admin || tok.Scopes != weir.AllScopes {
		t.Fatalf("token = %+v", tok)
	}
	if again, replaced := ensured(t, f, ""); again != "" || replaced {
		t.Fatalf("a second start made %q, replaced: %v", again, replaced)
	}
	must(f.Token(t.Context(), made))(t)
}

func TestAGivenAdminTokenReplacesTheFormerOneAndSaysSo(t *testing.T) {
	const given = "chosen by the operator, at random"
	f := open(t)
	made, _ := ensured(t, f, "")
	if got, replaced := ensured(t, f, given); got != "" || !replaced {
		t.Fatalf("made %q beside the given one, replaced: %v", got, replaced)
	}
	if _, replaced := ensured(t, f, given); replaced {
		t.Fatal("the same token is said to replace another")
	}
	_, err := f.Token(t.Context(), made)
	wantCode(t, err, weir.ENOTFOUND)
	if tok := must(f.Token(t.Context(), given))(t); !tok.Admin {
		t.Fatalf("token = %+v", tok)
	}
}

func TestAnAdminTokenThatIsShortOrCannotBeSentIsRefused(t *testing.T) {
	f := open(t)
	made, _ := ensured(t, f, "")
	for _, secret := range []string{
		"wk_looks_like_a_write_key_of_a_project", strings.Repeat("x", meta.MinAdminToken-1), " a space before a long enough token", "a line's end after a long token\n",
	} {
		_, _, err := f.EnsureAdminToken(t.Context(), secret)
		wantCode(t, err, weir.EINVALID)
	}
	must(f.Token(t.Context(), made))(t) // the former one stays
}
