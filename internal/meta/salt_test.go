package meta_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func salts(t *testing.T, f fixture) (today, yesterday []byte) {
	t.Helper()
	today, others := saltsAt(t, f, f.watch.now())
	if len(others) > 1 {
		t.Fatalf("%d others: want yesterday's", len(others))
	}
	if len(others) > 0 {
		yesterday = others[0]
	}
	return today, yesterday
}

func saltsAt(t *testing.T, f fixture, day time.Time) (today []byte, others [][]byte) {
	t.Helper()
	today, others, err := f.Salts(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	return today, others
}

func TestASaltLastsItsDayAndTheNext(t *testing.T) {
	f := open(t)
	first, before := salts(t, f)
	if len(first) != 32 || before != nil {
		t.Fatalf("first day: %d bytes, yesterday %x", len(first), before)
	}
	if again, _ := salts(t, f); !bytes.Equal(first, again) {
		t.Fatal("the salt changed within the day")
	}
	if again, _, err := reopen(t, f).Salts(t.Context(), f.watch.now()); err != nil || !bytes.Equal(first, again) {
		t.Fatalf("the salt changed with a restart: %v", err)
	}
	f.watch.add(24 * time.Hour)
	second, yesterday := salts(t, f)
	if bytes.Equal(first, second) || !bytes.Equal(yesterday, first) {
		t.Fatal("the second day's yesterday is not the first day")
	}
	f.watch.add(24 * time.Hour)
	if _, yesterday = salts(t, f); !bytes.Equal(yesterday, second) {
		t.Fatal("the third day's yesterday is not the second day")
	}
}

func TestASaltOfTheDayBeforeYesterdayIsInNoFile(t *testing.T) {
	f := open(t)
	first, _ := salts(t, f)
	text := base64.StdEncoding.EncodeToString(first)
	if !strings.Contains(stored(t, f), text) {
		t.Fatal("the salt is stored otherwise than the test looks for it")
	}
	f.watch.add(24 * time.Hour)
	salts(t, f)
	f.watch.add(24 * time.Hour)
	salts(t, f)
	if strings.Contains(stored(t, f), text) {
		t.Fatal("the salt can still be read")
	}
}

func TestASaltThatAReaderKeepsInTheLogIsForgottenOnceTheReaderIsGone(t *testing.T) {
	f := open(t)
	first, _ := salts(t, f)
	text := base64.StdEncoding.EncodeToString(first)
	f.watch.add(24 * time.Hour)
	salts(t, f)
	reading, err := raw(t, f.path).read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := reading.QueryRowContext(t.Context(), `SELECT count(*) FROM salts`).Scan(new(int)); err != nil {
		t.Fatal(err)
	}
	f.watch.add(24 * time.Hour)
	salts(t, f)
	if err := f.ForgetSalts(t.Context()); err == nil || !strings.Contains(err.Error(), "another process is reading") {
		t.Errorf("the log of a file that is being read: %v", err)
	}
	if !strings.Contains(stored(t, f), text) {
		t.Fatal("the reader does not keep the salt: the test shows nothing")
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := f.ForgetSalts(t.Context()); err != nil {
		t.Error(err)
	}
	if strings.Contains(stored(t, f), text) {
		t.Error("the salt can still be read")
	}
}

func TestAStoreKeepsTheIDThatItWasMadeWith(t *testing.T) {
	f, other := open(t), open(t)
	if f.ID() == "" || f.ID() == other.ID() {
		t.Errorf("ids are %q and %q", f.ID(), other.ID())
	}
	if again := reopen(t, f).ID(); again != f.ID() {
		t.Errorf("it was %q and is %q", f.ID(), again)
	}
}

func TestARequestFromJustBeforeMidnightGetsItsDaysSalt(t *testing.T) {
	f := open(t)
	old := f.watch.now()
	first, _ := salts(t, f)
	f.watch.add(24 * time.Hour)
	salts(t, f)
	if late, others := saltsAt(t, f, old); !bytes.Equal(late, first) || len(others) != 1 {
		t.Fatalf("late request: %x, %x", late, others)
	}
	if _, yesterday := salts(t, f); !bytes.Equal(yesterday, first) {
		t.Fatal("the late request destroyed a salt")
	}
}

func TestTheSaltsOfOtherDaysAreThereWhereverTheClockIsSet(t *testing.T) {
	f := open(t)
	midnight := f.watch.now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	first, _ := salts(t, f)
	want := func(at time.Duration, today []byte, others ...[]byte) {
		t.Helper()
		f.watch.set(midnight.Add(at))
		got, have := saltsAt(t, f, f.watch.now())
		if d := cmp.Diff(append([][]byte{today}, others...), append([][]byte{got}, have...)); d != "" {
			t.Errorf("%v from midnight: %s", at, d)
		}
	}
	want(-11*time.Minute, first)
	// Before midnight the next day's is there: another node's clock may be ahead.
	f.watch.set(midnight.Add(-9 * time.Minute))
	_, others := saltsAt(t, f, f.watch.now())
	if len(others) != 1 {
		t.Fatalf("nine minutes before midnight: %x", others)
	}
	second := others[0]
	want(-time.Millisecond, first, second)
	want(time.Millisecond, second, first)
	want(-time.Millisecond, first, second)
	want(-time.Hour, first, second)
	want(time.Hour, second, first)
}

func TestDaysFarFromTheClockHaveNoSalt(t *testing.T) {
	f := open(t)
	today, _ := salts(t, f)
	for _, d := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		_, _, err := f.Salts(t.Context(), f.watch.now().Add(d))
		wantCode(t, err, weir.EINVALID)
	}
	if again, _ := salts(t, f); !bytes.Equal(today, again) {
		t.Fatal("today's salt was lost")
	}
}

func TestTheImportSaltIsTheProjectsOwnAndStays(t *testing.T) {
	f := open(t)
	a, _ := newProject(t, f)
	b, _ := newProject(t, f)
	saltA := must(f.ImportSalt(t.Context(), a.ID))(t)
	saltB := must(f.ImportSalt(t.Context(), b.ID))(t)
	if len(saltA) != 32 || bytes.Equal(saltA, saltB) {
		t.Fatal("the projects share a salt")
	}
	f.watch.add(72 * time.Hour)
	if again := must(reopen(t, f).ImportSalt(t.Context(), a.ID))(t); !bytes.Equal(saltA, again) {
		t.Fatal("the salt changed")
	}
	_, err := f.ImportSalt(t.Context(), "nothing")
	wantCode(t, err, weir.ENOTFOUND)
}
