package meta_test

import (
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
		Name: "CI", Scope: meta.ScopeWrite, ProjectID: p.ID, Role: weir.RoleEditor,
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

func TestATokenIsRememberedSoThatRequestsNeedNotAskTheStore(t *testing.T) {
	f := open(t)
	_, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "CI", Scope: meta.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	first := must(f.Token(t.Context(), secret))(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// Only the cache can answer now.
	if d := cmp.Diff(first, must(f.Token(t.Context(), secret))(t)); d != "" {
		t.Fatal(d)
	}
	f.watch.add(time.Minute)
	if _, err := f.Token(t.Context(), secret); err == nil {
		t.Fatal("a token is remembered for longer than a minute")
	}
}

func TestATokenRevokedByAnotherProcessIsUnknownWithinAMinute(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	tok, secret, err := f.CreateToken(t.Context(), meta.NewToken{Name: "CI", Scope: meta.ScopeRead, Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	must(f.Token(t.Context(), secret))(t)
	if err := other.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	must(f.Token(t.Context(), secret))(t) // still remembered
	f.watch.add(time.Minute)
	_, err = f.Token(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
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
		"no name":               {meta.NewToken{Scope: meta.ScopeRead, Admin: true}, weir.EINVALID},
		"no scope":              {meta.NewToken{Name: "x", Admin: true}, weir.EINVALID},
		"an unknown scope":      {meta.NewToken{Name: "x", Scope: "all", Admin: true}, weir.EINVALID},
		"no role":               {meta.NewToken{Name: "x", Scope: meta.ScopeRead, ProjectID: p.ID}, weir.EINVALID},
		"a role beyond owner":   {meta.NewToken{Name: "x", Scope: meta.ScopeRead, ProjectID: p.ID, Role: 9}, weir.EINVALID},
		"an admin of a project": {meta.NewToken{Name: "x", Scope: meta.ScopeRead, Admin: true, ProjectID: p.ID}, weir.EINVALID},
		"an unknown project":    {meta.NewToken{Name: "x", Scope: meta.ScopeRead, ProjectID: "nothing", Role: weir.RoleViewer}, weir.ENOTFOUND},
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
	if tok := must(f.Token(t.Context(), made))(t); !tok.Admin || tok.Scope != meta.ScopeWrite {
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
