package meta_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

var home = meta.Place{Device: "Firefox on Linux", Country: "DE", Network: "192.0.2.0/24"}

func (f fixture) ada(t *testing.T) *meta.Account {
	t.Helper()
	return must(f.Setup(t.Context(), "ada@example.org", "Ada", password))(t)
}

func (f fixture) begin(t *testing.T, a *meta.Account, before string) string {
	t.Helper()
	return must(f.BeginSession(t.Context(), a.ID, meta.ByPassword, home, before))(t)
}

// wantNoSession wants a secret to be nobody's.
func (f fixture) wantNoSession(t *testing.T, secret string) {
	t.Helper()
	_, _, err := f.Session(t.Context(), secret)
	wantCode(t, err, weir.ENOTFOUND)
}

func TestASessionIsItsUsersAndItsSecretIsNotStored(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	secret := f.begin(t, a, "")
	x, who, err := f.Session(t.Context(), secret)
	if err != nil || who.ID != a.ID || x.Place != home || !x.CreatedAt.Equal(f.watch.now()) {
		t.Fatalf("session = %+v of %+v, %v", x, who, err)
	}
	if strings.Contains(stored(t, f), secret) {
		t.Fatal("the session's secret is stored")
	}
	f.wantNoSession(t, "")
	f.wantNoSession(t, secret+"x")
	again := f.begin(t, a, secret)
	f.wantNoSession(t, secret)
	if _, _, err := f.Session(t.Context(), again); err != nil {
		t.Fatal(err)
	}
}

func TestASessionEndsWhenItIsNotUsedAndInAnyCaseAfterAMonth(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	idle, used := f.begin(t, a, ""), f.begin(t, a, "")
	for day := 1; day < 30; day++ {
		f.watch.add(24 * time.Hour)
		x, _, err := f.Session(t.Context(), used)
		if err != nil {
			t.Fatalf("day %d: %v", day, err)
		}
		if err := f.UseSession(t.Context(), x, home); err != nil {
			t.Fatal(err)
		}
		_, _, err = f.Session(t.Context(), idle)
		if ended := weir.ErrorCode(err) == weir.ENOTFOUND; ended != (day >= 7) {
			t.Fatalf("day %d of an idle session: %v", day, err)
		}
	}
	f.watch.add(24*time.Hour - time.Microsecond)
	if _, _, err := f.Session(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	f.watch.add(time.Microsecond)
	f.wantNoSession(t, used)
	if all := must(f.Sessions(t.Context(), a.ID))(t); len(all) != 0 {
		t.Errorf("sessions that are over are listed: %+v", all)
	}
	f.begin(t, a, "")
	if n := raw(t, f.path).number(t, `SELECT count(*) FROM sessions`); n != 1 {
		t.Fatalf("%d sessions are stored, want 1", n)
	}
}

func TestTheLastUseOfASessionIsStoredOnceAMinute(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	secret := f.begin(t, a, "")
	away := meta.Place{Device: "Safari on iOS", Country: "FR", Network: "198.51.100.0/24"}
	use := func() meta.Session {
		t.Helper()
		x, _, err := f.Session(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.UseSession(t.Context(), x, away); err != nil {
			t.Fatal(err)
		}
		return must(f.Sessions(t.Context(), a.ID))(t)[0]
	}
	f.watch.add(59 * time.Second)
	if got := use(); got.Place != home {
		t.Errorf("within a minute: %+v", got)
	}
	f.watch.add(time.Second)
	if got := use(); got.Place != away || !got.UsedAt.Equal(f.watch.now()) {
		t.Errorf("after a minute: %+v", got)
	}
}

func TestSessionsEndOneByOneAndAllAtOnce(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	eve := must(f.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t)
	one, two, hers := f.begin(t, a, ""), f.begin(t, a, ""), f.begin(t, eve, "")
	x, _, err := f.Session(t.Context(), one)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.EndSession(t.Context(), eve.ID, x.ID), weir.ENOTFOUND) // another's
	if err := f.EndSession(t.Context(), a.ID, x.ID); err != nil {
		t.Fatal(err)
	}
	f.wantNoSession(t, one)
	wantCode(t, f.EndSession(t.Context(), a.ID, x.ID), weir.ENOTFOUND)
	if err := f.EndSessions(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	f.wantNoSession(t, two)
	if _, _, err := f.Session(t.Context(), hers); err != nil {
		t.Errorf("another user's session ended: %v", err)
	}
}

func TestAUserHasAHundredSessionsAtMost(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	first := f.begin(t, a, "")
	for range 100 {
		f.watch.add(time.Second)
		f.begin(t, a, "")
	}
	if n := len(must(f.Sessions(t.Context(), a.ID))(t)); n != 100 {
		t.Errorf("%d sessions, want 100", n)
	}
	f.wantNoSession(t, first)
}

func TestANewPasswordEndsAllSessionsAndLinks(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	secret := f.begin(t, a, "")
	link, _, err := f.CreateReset(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetPassword(t.Context(), a.ID, "battery staple"); err != nil {
		t.Fatal(err)
	}
	f.wantNoSession(t, secret)
	_, err = f.ResetPassword(t.Context(), link, "another password")
	wantCode(t, err, weir.EUNAUTHORIZED)
}

func TestADeactivatedAccountIsOutAtOnce(t *testing.T) {
	f := open(t)
	eve := must(f.CreateUser(t.Context(), "eve@example.org", "Eve", password, false))(t) // there is no admin, but for a token
	secret := f.begin(t, eve, "")
	link, _, err := f.CreateReset(t.Context(), eve.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetActive(t.Context(), eve.ID, false); err != nil {
		t.Fatal(err)
	}
	f.wantNoSession(t, secret)
	_, err = f.BeginSession(t.Context(), eve.ID, meta.ByPassword, home, "")
	wantCode(t, err, weir.EUNAUTHORIZED)
	_, err = f.Authenticate(t.Context(), eve.Email, password)
	wantCode(t, err, weir.EUNAUTHORIZED)
	_, err = f.ResetPassword(t.Context(), link, "another password")
	wantCode(t, err, weir.EUNAUTHORIZED)
	_, _, err = f.CreateReset(t.Context(), eve.ID)
	wantCode(t, err, weir.ECONFLICT)

	if err := f.SetActive(t.Context(), eve.ID, true); err != nil {
		t.Fatal(err)
	}
	f.wantNoSession(t, secret)
	must(f.Authenticate(t.Context(), eve.Email, password))(t)
	wantCode(t, f.SetActive(t.Context(), "nobody", false), weir.ENOTFOUND)
}

func TestOfTwoAdminsWhoDeactivateEachOtherOneStays(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	b := must(f.CreateUser(t.Context(), "bob@example.org", "Bob", password, true))(t)
	var wg sync.WaitGroup
	for _, id := range []string{a.ID, b.ID} {
		wg.Go(func() { _ = f.SetActive(context.Background(), id, false) })
	}
	wg.Wait()
	active := 0
	for _, u := range must(f.Users(t.Context()))(t) {
		if !u.Inactive {
			active++
		}
	}
	if active != 1 {
		t.Fatalf("%d active admins, want 1", active)
	}
}

func TestALinkToResetAPasswordWorksOnce(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	former, _, err := f.CreateReset(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := f.CreateReset(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(stored(t, f), link) {
		t.Fatal("the link's secret is stored")
	}
	_, err = f.ResetPassword(t.Context(), former, "battery staple")
	wantCode(t, err, weir.EUNAUTHORIZED)
	_, err = f.ResetPassword(t.Context(), link, "short")
	wantCode(t, err, weir.EINVALID)

	var wg sync.WaitGroup
	won := make(chan string, 10)
	for i := range 10 {
		wg.Go(func() {
			p := fmt.Sprintf("battery staple %d", i)
			if _, err := f.ResetPassword(context.Background(), link, p); err == nil {
				won <- p
			}
		})
	}
	wg.Wait()
	close(won)
	if len(won) != 1 {
		t.Fatalf("%d of ten uses of a link won", len(won))
	}
	must(f.Authenticate(t.Context(), a.Email, <-won))(t)

	link, _, err = f.CreateReset(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.watch.add(meta.ResetFor)
	_, err = f.ResetPassword(t.Context(), link, "battery staple")
	wantCode(t, err, weir.EUNAUTHORIZED)
}

func TestAPasswordsHashGetsTodaysCostWhenItsUserSignsIn(t *testing.T) {
	f := open(t)
	a := f.ada(t)
	dearer := must(meta.Open(t.Context(), f.path, f.watch.now, meta.WithPasswordCost(16, 2)))(t)
	t.Cleanup(func() { _ = dearer.Close() })
	if _, err := dearer.Authenticate(t.Context(), a.Email, "wrong horse"); err == nil {
		t.Fatal("a wrong password was let in")
	}
	wantCost := func(what, cost string) {
		t.Helper()
		if n := raw(t, f.path).number(t, `SELECT count(*) FROM users WHERE password LIKE ?`, "$argon2id$v=19$"+cost+"$%"); n != 1 {
			t.Fatalf("%s the hash has not the cost %s", what, cost)
		}
	}
	wantCost("after a wrong password", "m=8,t=1,p=1")
	must(dearer.Authenticate(t.Context(), a.Email, password))(t)
	wantCost("after the right one", "m=16,t=2,p=1")
	must(dearer.Authenticate(t.Context(), a.Email, password))(t)
}
