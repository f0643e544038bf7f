package meta_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weir-analytics/weir/internal/keyring"
	"github.com/weir-analytics/weir/internal/meta"
)

func ring(t *testing.T) *keyring.Ring {
	t.Helper()
	r, _, err := keyring.Open(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// openWith opens the store with a ring.
func (f fixture) openWith(t *testing.T, r *keyring.Ring, adopt bool) (*meta.Store, error) {
	t.Helper()
	s, err := meta.Open(t.Context(), f.path, f.watch.now, meta.WithPasswordCost(8, 1), meta.WithKeyRing(r, adopt))
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func TestSecretsOfAnEarlierVersionAreEncryptedAtTheNextStart(t *testing.T) {
	f := open(t) // without a ring: all is in clear
	p, _, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	made := makeAlert(t, f, p)
	webhook, devices := made.Channels[0].Secret, must(f.Secret(t.Context(), "devices"))(t)

	r := ring(t)
	for range 2 { // the second time there is nothing to do
		s := must(f.openWith(t, r, false))(t)
		if got := must(s.AlertTargets(t.Context(), made.ID))(t); got[0].Secret != webhook {
			t.Fatalf("the webhook's secret is %q, want %q", got[0].Secret, webhook)
		}
		if got := must(s.Secret(t.Context(), "devices"))(t); !bytes.Equal(got, devices) {
			t.Fatal("the key is another one")
		}
		another := must(s.Secret(t.Context(), "another"))(t)
		if again := must(s.Secret(t.Context(), "another"))(t); !bytes.Equal(again, another) {
			t.Fatal("a new key is not read")
		}
	}
	db := raw(t, f.path)
	if n := db.number(t, `SELECT count(*) FROM secrets WHERE key NOT LIKE 'k1.%'`) + db.number(t, `SELECT count(*) FROM alert_channels WHERE secret NOT LIKE 'k1.%' AND secret <> ''`); n != 0 {
		t.Errorf("%d secrets are stored in clear", n)
	}
	if _, err := f.AlertTargets(t.Context(), made.ID); !errors.Is(err, keyring.ErrNoKey) {
		t.Errorf("without the ring: %v", err)
	}
}

func TestANodeWithAnotherKeyRingIsRefused(t *testing.T) {
	f := open(t)
	r := ring(t)
	s := must(f.openWith(t, r, false))(t)
	devices := must(s.Secret(t.Context(), "devices"))(t)
	other := ring(t)
	if _, err := f.openWith(t, other, false); !errors.Is(err, meta.ErrKeyRing) || !strings.Contains(err.Error(), r.Keys()[0].ID) || !strings.Contains(err.Error(), other.Path()) {
		t.Fatalf("another ring: %v", err)
	}
	// A key more is a rotation; the nodes that lack it are refused afterwards.
	if _, err := keyring.Add(r.Path()); err != nil {
		t.Fatal(err)
	}
	old := r
	r, _, err := keyring.Open(r.Path())
	if err != nil {
		t.Fatal(err)
	}
	must(f.openWith(t, r, false))(t)
	if _, err := f.openWith(t, old, false); !errors.Is(err, meta.ErrKeyRing) {
		t.Fatalf("a ring without the new key: %v", err)
	}
	// The ring is lost.
	s = must(f.openWith(t, other, true))(t)
	if got := must(s.Secret(t.Context(), "devices"))(t); bytes.Equal(got, devices) {
		t.Error("a key of the lost ring is read")
	}
	must(f.openWith(t, other, false))(t)
	if _, err := f.openWith(t, r, false); !errors.Is(err, meta.ErrKeyRing) {
		t.Fatalf("the former ring, after another was adopted: %v", err)
	}
}

func TestOfNodesThatStartWithTheirOwnRingsOneWins(t *testing.T) {
	f := open(t)
	var wg sync.WaitGroup
	errs := make(chan error, 10)
	for range 10 {
		r := ring(t)
		wg.Go(func() {
			s, err := meta.Open(context.Background(), f.path, f.watch.now, meta.WithKeyRing(r, false))
			if err == nil {
				err = s.Close()
			}
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	won := 0
	for err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, meta.ErrKeyRing) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Fatalf("%d of ten rings were accepted", won)
	}
}
