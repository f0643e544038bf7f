package meta_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

// code is what an app with the secret shows, some time from the fixture's now.
func (f fixture) code(t *testing.T, secret string, after time.Duration) string {
	t.Helper()
	return must(totp.GenerateCode(secret, f.watch.now().Add(after)))(t)
}

// withFactor turns a second factor on.
func (f fixture) withFactor(t *testing.T, a *meta.Account) (secret string, recovery []string) {
	t.Helper()
	secret = must(f.StartTOTP(t.Context(), a.ID))(t)
	return secret, must(f.ConfirmTOTP(t.Context(), a.ID, f.code(t, secret, 0)))(t)
}

// The secret and the codes are those of RFC 6238, appendix B, cut to 6 digits.
func TestCodesAreThoseOfTheStandard(t *testing.T) {
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		got := must(totp.GenerateCode("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", time.Unix(at, 0)))(t)
		if got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestASecondFactorIsOnOnceACodeConfirmsIt(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	_, err := f.ConfirmTOTP(t.Context(), a.ID, "123456")
	wantCode(t, err, weir.ECONFLICT)
	first := must(f.StartTOTP(t.Context(), a.ID))(t)
	secret := must(f.StartTOTP(t.Context(), a.ID))(t) // again: the page was closed
	_, err = f.ConfirmTOTP(t.Context(), a.ID, f.code(t, first, 0))
	wantCode(t, err, weir.EUNAUTHORIZED)
	if got := must(f.User(t.Context(), a.ID))(t); got.SecondFactor {
		t.Error("it is on before it is confirmed")
	}
	wantCode(t, f.CheckTOTP(t.Context(), a.ID, f.code(t, secret, 0)), weir.ECONFLICT)
	session := f.begin(t, a, "")
	recovery := must(f.ConfirmTOTP(t.Context(), a.ID, f.code(t, secret, 0)))(t)
	if got := must(f.User(t.Context(), a.ID))(t); !got.SecondFactor || len(recovery) != 10 {
		t.Errorf("%+v, recovery codes %q", got, recovery)
	}
	f.wantNoSession(t, session) // which began without it
	_, err = f.StartTOTP(t.Context(), a.ID)
	wantCode(t, err, weir.ECONFLICT)
	_, err = f.StartTOTP(t.Context(), "nobody")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestACodeIsGoodOnceAndForAMinuteAndAHalf(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	secret, _ := f.withFactor(t, a)
	check := func(code string) error { return f.CheckTOTP(t.Context(), a.ID, code) }
	wantCode(t, check(f.code(t, secret, 0)), weir.EUNAUTHORIZED)               // the one that confirmed it
	wantCode(t, check(f.code(t, secret, -30*time.Second)), weir.EUNAUTHORIZED) // before it
	next := f.code(t, secret, 30*time.Second)
	wantCode(t, check(next[:3]+" "+next[3:]), "") // a clock that is ahead, as people type it
	wantCode(t, check(next), weir.EUNAUTHORIZED)
	f.watch.add(10 * time.Minute)
	wantCode(t, check(f.code(t, secret, -60*time.Second)), weir.EUNAUTHORIZED)
	wantCode(t, check(f.code(t, secret, 60*time.Second)), weir.EUNAUTHORIZED)
	wantCode(t, check(f.code(t, secret, -30*time.Second)), "")
	wantCode(t, check(f.code(t, secret, 0)), "")
	for _, wrong := range []string{"", "1", "abcdef", "１２３４５６", strings.Repeat("1", 2000)} {
		wantCode(t, check(wrong), weir.EUNAUTHORIZED)
	}
}

func TestOfTenWhoSendOneCodeOneGetsIn(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	secret, recovery := f.withFactor(t, a)
	other := reopen(t, f)
	for what, code := range map[string]string{"a code": f.code(t, secret, 30*time.Second), "a recovery code": recovery[3]} {
		var wg sync.WaitGroup
		in := make(chan bool, 10)
		for i := range 10 {
			s := f.Store
			if i%2 == 1 {
				s = other
			}
			wg.Go(func() {
				if s.CheckTOTP(context.Background(), a.ID, code) == nil {
					in <- true
				}
			})
		}
		wg.Wait()
		if len(in) != 1 {
			t.Errorf("%s let %d in", what, len(in))
		}
	}
}

func TestRecoveryCodesWorkOnceEachForTheirUserOnly(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	eve := must(f.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
	secret, recovery := f.withFactor(t, a)
	_, hers := f.withFactor(t, eve)
	all := stored(t, f)
	for _, code := range recovery {
		if strings.Contains(all, code) || strings.Contains(all, strings.ReplaceAll(code, "-", "")) {
			t.Fatal("a recovery code is stored")
		}
	}
	wantCode(t, f.CheckTOTP(t.Context(), a.ID, hers[0]), weir.EUNAUTHORIZED)
	for i, code := range recovery {
		if i%2 == 0 {
			code = strings.ToUpper(strings.ReplaceAll(code, "-", ""))
		}
		wantCode(t, f.CheckTOTP(t.Context(), a.ID, code), "")
		wantCode(t, f.CheckTOTP(t.Context(), a.ID, code), weir.EUNAUTHORIZED)
	}
	fresh := must(f.NewRecoveryCodes(t.Context(), a.ID))(t)
	wantCode(t, f.CheckTOTP(t.Context(), a.ID, fresh[9]), "")

	if err := f.RemoveTOTP(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if got := must(f.User(t.Context(), a.ID))(t); got.SecondFactor {
		t.Error("it is still on")
	}
	wantCode(t, f.CheckTOTP(t.Context(), a.ID, fresh[0]), weir.EUNAUTHORIZED)
	f.watch.add(time.Minute)
	wantCode(t, f.CheckTOTP(t.Context(), a.ID, f.code(t, secret, 0)), weir.ECONFLICT)
	_, err := f.NewRecoveryCodes(t.Context(), a.ID)
	wantCode(t, err, weir.ECONFLICT)
}

func TestTheSecretOfASecondFactorIsEncrypted(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	r := ring(t)
	s := must(f.openWith(t, r, false))(t)
	secret := must(s.StartTOTP(t.Context(), a.ID))(t)
	if n := raw(t, f.path).number(t, `SELECT count(*) FROM totp WHERE secret LIKE 'k1.%'`); n != 1 {
		t.Error("it is stored in clear")
	}
	recovery := must(s.ConfirmTOTP(t.Context(), a.ID, f.code(t, secret, 0)))(t)

	// The ring is lost: codes cannot be checked, recovery codes can.
	s = must(f.openWith(t, ring(t), true))(t)
	if err := s.CheckTOTP(t.Context(), a.ID, f.code(t, secret, 30*time.Second)); err == nil {
		t.Error("a code was accepted without its secret")
	}
	wantCode(t, s.CheckTOTP(t.Context(), a.ID, recovery[0]), "")
}

func TestTheSettingsOfSignInAreThoseOfAllNodes(t *testing.T) {
	f := open(t)
	other := reopen(t, f)
	if in := must(other.SignIn(t.Context()))(t); in.RequireSecondFactor {
		t.Fatal("a fresh server asks for a second factor")
	}
	told := 0
	f.OnChange(func() { told++; other.Forget() })
	must(f.ChangeSignIn(t.Context(), func(in *meta.SignIn) error { in.RequireSecondFactor = true; return nil }))(t)
	for _, s := range []*meta.Store{f.Store, other, reopen(t, f)} {
		if in := must(s.SignIn(t.Context()))(t); !in.RequireSecondFactor || told != 1 {
			t.Errorf("%+v; told %d times", in, told)
		}
	}
	_, err := f.ChangeSignIn(t.Context(), func(in *meta.SignIn) error {
		in.RequireSecondFactor = false
		return weir.Errorf(weir.EINVALID, "no")
	})
	wantCode(t, err, weir.EINVALID)
	if in := must(f.SignIn(t.Context()))(t); !in.RequireSecondFactor {
		t.Error("a refused change was made")
	}
}
