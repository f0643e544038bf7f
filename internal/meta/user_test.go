package meta_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	weir "github.com/weir-analytics/weir"
)

const password = "correct horse"

func TestSetupMakesAnAdminAndWorksOnce(t *testing.T) {
	f := open(t)
	if need := must(f.SetupRequired(t.Context()))(t); !need {
		t.Fatal("a fresh store needs no setup")
	}
	a := must(f.Setup(t.Context(), " Ada@Example.org ", " Ada ", password))(t)
	if a.Email != "ada@example.org" || a.Name != "Ada" || !a.Admin || a.ID == "" {
		t.Fatalf("account = %+v", a)
	}
	if need := must(f.SetupRequired(t.Context()))(t); need {
		t.Fatal("setup is still required")
	}
	_, err := f.Setup(t.Context(), "eve@example.org", "Eve", password)
	wantCode(t, err, weir.ECONFLICT)
}

func TestSetupIsRefusedWhenAnAccountWasMadeOtherwise(t *testing.T) {
	f := open(t)
	must(f.CreateUser(t.Context(), "ada@example.org", "Ada", password, false))(t)
	_, err := f.Setup(t.Context(), "eve@example.org", "Eve", password)
	wantCode(t, err, weir.ECONFLICT)
}

func TestOfSeveralSetupsAtOnceOneWins(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	var wg sync.WaitGroup
	errs := make(chan error, 16)
	for i := range 16 {
		s := f.Store
		if i%2 == 1 {
			s = other
		}
		email := string(rune('a'+i)) + "@example.org"
		wg.Go(func() {
			_, err := s.Setup(context.Background(), email, "X", password)
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
			continue
		}
		wantCode(t, err, weir.ECONFLICT)
	}
	if won != 1 {
		t.Fatalf("%d setups succeeded", won)
	}
}

func TestAnAddressHasOneAccountWhateverItsCase(t *testing.T) {
	f := open(t)
	must(f.CreateUser(t.Context(), "ada@example.org", "Ada", password, false))(t)
	_, err := f.CreateUser(t.Context(), "ADA@example.org", "Ada", password, false)
	wantCode(t, err, weir.ECONFLICT)
}

func TestAccountsAreRefusedForBadInput(t *testing.T) {
	for name, in := range map[string][3]string{
		"no address":         {"", "Ada", password},
		"no domain":          {"ada", "Ada", password},
		"a display name":     {"Ada <ada@example.org>", "Ada", password},
		"two addresses":      {"a@example.org, b@example.org", "Ada", password},
		"a long address":     {strings.Repeat("a", 250) + "@example.org", "Ada", password},
		"no name":            {"ada@example.org", "  ", password},
		"a long name":        {"ada@example.org", strings.Repeat("ä", 101), password},
		"a control in name":  {"ada@example.org", "A\x00da", password},
		"invalid UTF-8":      {"ada@example.org", "A\xffda", password},
		"a short password":   {"ada@example.org", "Ada", "1234567"},
		"an endless one":     {"ada@example.org", "Ada", strings.Repeat("p", 257)},
		"a line in the name": {"ada@example.org", "A\nda", password},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t)
			_, err := f.Setup(t.Context(), in[0], in[1], in[2])
			wantCode(t, err, weir.EINVALID)
			if need := must(f.SetupRequired(t.Context()))(t); !need {
				t.Fatal("a refused setup was done")
			}
		})
	}
}

func TestAuthenticateTakesTheRightPasswordOnly(t *testing.T) {
	f := open(t)
	a := must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	got := must(f.Authenticate(t.Context(), "ADA@example.org ", password))(t)
	if got.ID != a.ID || !got.Admin {
		t.Fatalf("account = %+v, want %+v", got, a)
	}
	var messages []string
	for _, in := range [][2]string{
		{"ada@example.org", "wrong horse"},
		{"ada@example.org", ""},
		{"ada@example.org", strings.Repeat("x", 5000)},
		{"eve@example.org", password},
		{"not an address", password},
		{"", ""},
	} {
		_, err := f.Authenticate(t.Context(), in[0], in[1])
		wantCode(t, err, weir.EUNAUTHORIZED)
		messages = append(messages, weir.ErrorMessage(err))
	}
	for _, m := range messages {
		if m != messages[0] {
			t.Fatalf("the messages tell unknown addresses from wrong passwords: %q", messages)
		}
	}
}

func TestAuthenticateGivesUpWithItsContext(t *testing.T) {
	f := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Authenticate(ctx, "ada@example.org", password); err == nil {
		t.Fatal("a cancelled request was let in")
	}
}

func TestSetPasswordReplacesTheOldOne(t *testing.T) {
	f := open(t)
	a := must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	if err := f.SetPassword(t.Context(), a.ID, "battery staple"); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(t.Context(), "ada@example.org", password)
	wantCode(t, err, weir.EUNAUTHORIZED)
	must(f.Authenticate(t.Context(), "ada@example.org", "battery staple"))(t)
	wantCode(t, f.SetPassword(t.Context(), a.ID, "short"), weir.EINVALID)
	wantCode(t, f.SetPassword(t.Context(), "nobody", "battery staple"), weir.ENOTFOUND)
}

func TestUserFindsAccountsByID(t *testing.T) {
	f := open(t)
	a := must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	got := must(f.User(t.Context(), a.ID))(t)
	if *got != *a {
		t.Fatalf("user = %+v, want %+v", got, a)
	}
	_, err := f.User(t.Context(), "nobody")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestStoredFilesHoldNoPasswordAndOnlyTheOwnerReadsThem(t *testing.T) {
	f := open(t)
	must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
	all := stored(t, f)
	if !strings.Contains(all, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatal("no argon2id hash is stored")
	}
	if strings.Contains(all, password) {
		t.Fatal("the password is stored")
	}
	if server != nil {
		return // the files are the server's
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(f.path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestAUserIsFoundByAddress(t *testing.T) {
	f := open(t)
	made := must(f.CreateUser(t.Context(), "ada@example.org", "Ada", password, false))(t)
	if got := must(f.UserByEmail(t.Context(), "ada@example.org"))(t); got.ID != made.ID {
		t.Errorf("found %+v", got)
	}
	_, err := f.UserByEmail(t.Context(), "eve@example.org")
	wantCode(t, err, weir.ENOTFOUND)
}
