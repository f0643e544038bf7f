package meta_test

import (
	"bytes"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/meta"
)

// today asks the store what day it goes by.
func today(t *testing.T, s *meta.Store) meta.Today {
	t.Helper()
	return must(s.Today(t.Context()))(t)
}

func TestAClockThatJumpsForwardIsNotBelievedUntilItHasStoodForADay(t *testing.T) {
	f := open(t)
	began := f.watch.now()
	if d := today(t, f.Store); d.InDoubt() || !d.Time.Equal(began) {
		t.Fatalf("at first: %+v", d)
	}
	f.watch.add(365 * 24 * time.Hour)
	jumped := f.watch.now()
	for hour := range 24 {
		s := f.Store
		if hour > 12 {
			s = reopen(t, f) // a restart changes nothing
		}
		d := today(t, s)
		want := meta.Today{Time: began, Ahead: f.watch.now().Sub(began), Until: jumped.Add(24 * time.Hour)}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Fatalf("after %d hours (-want +got)\n%s", hour, diff)
		}
		f.watch.add(time.Hour)
	}
	if d := today(t, f.Store); d.InDoubt() || !d.Time.Equal(f.watch.now()) {
		t.Errorf("after a day: %+v", d)
	}
}

func TestAClockThatIsPutRightIsBelievedAtOnce(t *testing.T) {
	f := open(t)
	today(t, f.Store)
	f.watch.add(365 * 24 * time.Hour)
	if !today(t, f.Store).InDoubt() {
		t.Fatal("a year ahead is believed")
	}
	f.watch.add(-365*24*time.Hour + time.Hour)
	if d := today(t, f.Store); d.InDoubt() || !d.Time.Equal(f.watch.now()) {
		t.Errorf("put right: %+v", d)
	}
	// The doubt of before does not count for the next jump.
	f.watch.add(366 * 24 * time.Hour)
	if !today(t, f.Store).InDoubt() {
		t.Error("the next jump is believed")
	}
}

func TestAClockThatJumpsTwiceIsWaitedForAnew(t *testing.T) {
	f := open(t)
	today(t, f.Store)
	f.watch.add(100 * 24 * time.Hour)
	today(t, f.Store)
	f.watch.add(1000 * 24 * time.Hour)
	if d := today(t, f.Store); !d.InDoubt() || !d.Until.Equal(f.watch.now().Add(24*time.Hour)) {
		t.Errorf("after the second jump: %+v", d)
	}
}

func TestAClockThatGoesBackIsBelieved(t *testing.T) {
	f := open(t)
	today(t, f.Store)
	f.watch.add(-365 * 24 * time.Hour) // it was wrong before
	if d := today(t, f.Store); d.InDoubt() || !d.Time.Equal(f.watch.now()) {
		t.Errorf("a year back: %+v", d)
	}
	f.watch.add(365 * 24 * time.Hour)
	if !today(t, f.Store).InDoubt() {
		t.Error("a year ahead of that is believed")
	}
}

func TestANightOffAndDaysOfRunningAreNoJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "meta.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		today(t, s)
		<-time.After(72 * time.Hour) // nobody asked
		if d := today(t, s); d.InDoubt() {
			t.Errorf("after three days of running: %+v", d)
		}
	})
	f := open(t)
	today(t, f.Store)
	f.watch.add(16 * time.Hour)
	if d := today(t, reopen(t, f)); d.InDoubt() {
		t.Errorf("after a night off: %+v", d)
	}
}

func TestAClockThatJumpsForwardDestroysNoSalt(t *testing.T) {
	f := open(t)
	first, _ := salts(t, f)
	f.watch.add(10 * 24 * time.Hour)
	if ahead, yesterday := salts(t, f); bytes.Equal(ahead, first) || yesterday != nil {
		t.Error("another day has this one's salt")
	}
	if d, err := f.DestroySalts(t.Context()); err != nil || !d.InDoubt() {
		t.Errorf("destroyed by %+v, %v", d, err)
	}
	f.watch.add(-10 * 24 * time.Hour)
	if again, _ := salts(t, f); !bytes.Equal(again, first) {
		t.Fatal("the salt of the day is gone")
	}
	// Once the new time has stood for a day, it counts.
	f.watch.add(10 * 24 * time.Hour)
	for range 25 {
		if _, err := f.DestroySalts(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.watch.add(time.Hour)
	}
	f.watch.add(-10*24*time.Hour - 25*time.Hour)
	f.Store = reopen(t, f) // one that has not read it
	if again, _ := salts(t, f); bytes.Equal(again, first) {
		t.Error("the salt is kept for ever")
	}
}

func TestRetentionBoundariesAreStored(t *testing.T) {
	f := open(t)
	a, _ := newProject(t, f)
	b, _ := newProject(t, f)
	if got := must(f.Forgotten(t.Context()))(t); len(got) != 0 {
		t.Errorf("at first: %v", got)
	}
	at := f.watch.now()
	if err := f.SetForgotten(t.Context(), map[string]time.Time{a.ID: at, b.ID: at, "nobody's": at}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetForgotten(t.Context(), map[string]time.Time{a.ID: at.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	got := must(reopen(t, f).Forgotten(t.Context()))(t)
	if d := cmp.Diff(map[string]time.Time{a.ID: at.Add(time.Hour), b.ID: at}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
