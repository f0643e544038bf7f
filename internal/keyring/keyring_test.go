package keyring_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weir-analytics/weir/internal/keyring"
)

func open(t *testing.T, path string) *keyring.Ring {
	t.Helper()
	r, _, err := keyring.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASecretIsReadWithTheSameRingAndForTheSameUseOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	r := open(t, path)
	text := r.Seal("the secret", "totp/ada")
	if !keyring.Sealed(text) || keyring.Sealed("the secret") || strings.Contains(text, "secret") {
		t.Fatalf("sealed as %q", text)
	}
	if text == r.Seal("the secret", "totp/ada") {
		t.Error("the same secret is the same text twice")
	}
	if got, err := open(t, path).Open(text, "totp/ada"); got != "the secret" || err != nil {
		t.Fatalf("opened %q, %v", got, err)
	}
	if got, err := r.Open(text, "totp/eve"); err == nil {
		t.Errorf("opened %q for another use", got)
	}
	for i := range text {
		bad := text[:i] + string(text[i]^1) + text[i+1:]
		if got, err := r.Open(bad, "totp/ada"); err == nil {
			t.Errorf("opened %q of a text with another character %d", got, i)
		}
	}
	other := open(t, filepath.Join(t.TempDir(), "keys"))
	if _, err := other.Open(text, "totp/ada"); !errors.Is(err, keyring.ErrNoKey) {
		t.Errorf("another ring: %v", err)
	}
}

func TestAnAddedKeySealsAndTheFormerOnesStillOpenInARunningServerToo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	running := open(t, path)
	before := running.Seal("old", "x")
	id, err := keyring.Add(path)
	if err != nil {
		t.Fatal(err)
	}
	fresh := open(t, path)
	after := fresh.Seal("new", "x")
	if !strings.Contains(after, id) || strings.Contains(before, id) {
		t.Fatalf("sealed as %q, then as %q; the new key is %s", before, after, id)
	}
	for text, want := range map[string]string{before: "old", after: "new"} {
		for _, r := range []*keyring.Ring{running, fresh} {
			if got, err := r.Open(text, "x"); got != want || err != nil {
				t.Errorf("opened %q, %v; want %q", got, err, want)
			}
		}
	}
	if !strings.Contains(running.Seal("newer", "x"), id) {
		t.Error("a server that has read the new key still seals with the old one")
	}
	if a, b := running.Keys(), fresh.Keys(); len(a) != 2 || a[0] != b[0] || a[1] != b[1] || a[0].Check == a[1].Check {
		t.Errorf("keys %v and %v", a, b)
	}
}

func TestOfSeveralProcessesThatMakeTheFileOneWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "keys")
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids, makers := map[string]bool{}, 0
	for range 10 {
		wg.Go(func() {
			r, made, err := keyring.Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			ids[r.Keys()[0].ID] = true
			if made {
				makers++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || makers != 1 {
		t.Fatalf("%d rings, made %d times", len(ids), makers)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 {
		t.Fatalf("files: %v, %v", files, err)
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestADamagedOrPublicFileIsRefusedAndTheErrorHoldsNoKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	open(t, path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(good)), "\n")
	line := lines[len(lines)-1]
	for what, text := range map[string]string{
		"nothing":          "",
		"comments only":    "# keys\n",
		"a short key":      line[:len(line)-6] + "\n",
		"no id":            line[17:] + "\n",
		"the same id":      line + "\n" + line + "\n",
		"an id in capital": "ABCDEF0123456789 " + line[17:],
		"words":            "hello world\n",
		"a large file":     strings.Repeat("#\n", 64<<10),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := keyring.Open(path)
		if err == nil || strings.Contains(err.Error(), line[17:40]) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := keyring.Add(path); err == nil {
			t.Errorf("%s: a key was added", what)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := keyring.Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that everybody may read: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	r, _, err := keyring.Open(filepath.Join(f.TempDir(), "keys"))
	if err != nil {
		f.Fatal(err)
	}
	real := r.Seal("the secret", "use")
	f.Add(real)
	f.Add("k1.")
	f.Add("k1.0123456789abcdef.AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := r.Open(text, "use"); err == nil && (text != real || got != "the secret") {
			t.Fatalf("opened %q as %q", text, got)
		}
	})
}
