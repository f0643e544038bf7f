// Package keyring encrypts the secrets that must be stored as they are, such as those that
// sign webhooks. Its keys are in one file, apart from the stores: whoever has a copy of a
// database reads none of them. All nodes of a fleet have the same keys.
//
// The file is text: a line for each key, its id and its 32 bytes in base64, and comments
// that begin with #. The last key encrypts, all of them decrypt.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	keyBytes = 32 // AES-256
	idBytes  = 8
	maxFile  = 64 << 10
	// version begins each encrypted text.
	version = "k1."
)

const comment = `# The key ring of Weir. Without it, the secrets in the meta store cannot be read: keep a copy, apart from those of the
# stores. All nodes that share a meta store need the same file.
`

// ErrNoKey is returned for a text that was encrypted with a key that the ring lacks.
var ErrNoKey = errors.New("it was encrypted with a key that this key ring lacks")

// errText is returned for a text that is damaged, or was encrypted for another use.
var errText = errors.New("a secret cannot be decrypted: it is damaged, or stands in the place of another")

// Ring is an open key ring. It is safe for concurrent use.
type Ring struct {
	path string

	mu   sync.RWMutex
	keys []key // oldest first, one or more
}

type key struct {
	id     string
	secret []byte
	aead   cipher.AEAD
}

// Key names a key without giving it away.
type Key struct {
	ID    string
	Check string // the same for the same key only
}

// Open reads the ring of a file. If the file is missing, it makes it with one random key,
// readable to the owner alone. Of several processes that make it at once, one wins.
func Open(path string) (r *Ring, made bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		k, err := newKey()
		if err != nil {
			return nil, false, fmt.Errorf("key ring: %w", err)
		}
		err = write(path, comment+k.line(), os.Link)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, false, fmt.Errorf("key ring: %w", err)
		}
		made = err == nil
	}
	r = &Ring{path: path}
	if r.keys, err = read(path); err != nil {
		return nil, false, fmt.Errorf("key ring %s: %w", path, err)
	}
	return r, made, nil
}

// Add adds a key to the ring of a file, and returns its id. From then on it encrypts; what was
// encrypted before is still read. A running server finds it when it reads the file again.
func Add(path string) (id string, err error) {
	if _, err := read(path); err != nil {
		return "", fmt.Errorf("key ring %s: %w", path, err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("key ring: %w", err)
	}
	k, err := newKey()
	if err != nil {
		return "", fmt.Errorf("key ring: %w", err)
	}
	if err := write(path, strings.TrimRight(string(before), "\n")+"\n"+k.line(), os.Rename); err != nil {
		return "", fmt.Errorf("key ring: %w", err)
	}
	return k.id, nil
}

// Path returns the ring's file.
func (r *Ring) Path() string { return r.path }

// Keys names the keys, oldest first.
func (r *Ring) Keys() (all []Key) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, k := range r.keys {
		m := hmac.New(sha256.New, k.secret)
		m.Write([]byte("weir key ring check"))
		all = append(all, Key{k.id, hex.EncodeToString(m.Sum(nil))})
	}
	return all
}

// Seal encrypts a secret with the newest key. use says what it is for, such as a column and
// the row's id: Open needs the same.
func (r *Ring) Seal(secret, use string) string {
	r.mu.RLock()
	k := r.keys[len(r.keys)-1]
	r.mu.RUnlock()
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return version + k.id + "." + base64.RawURLEncoding.EncodeToString(k.aead.Seal(nonce, nonce, []byte(secret), []byte(use)))
}

// Sealed says whether a text is one of Seal's, rather than a secret as it is.
func Sealed(text string) bool { return strings.HasPrefix(text, version) }

// Open decrypts a text of Seal's. If the ring lacks its key, Open reads the file again: a key
// may have been added. Errors: ErrNoKey.
func (r *Ring) Open(text, use string) (secret string, err error) {
	rest, ok := strings.CutPrefix(text, version)
	id, data, found := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(data)
	if !ok || !found || err != nil {
		return "", errText
	}
	k, err := r.find(id)
	if err != nil {
		return "", err
	}
	if len(raw) < k.aead.NonceSize() {
		return "", errText
	}
	plain, err := k.aead.Open(nil, raw[:k.aead.NonceSize()], raw[k.aead.NonceSize():], []byte(use))
	if err != nil {
		return "", errText
	}
	return string(plain), nil
}

func (r *Ring) find(id string) (key, error) {
	look := func(keys []key) (key, bool) {
		for _, k := range keys {
			if k.id == id {
				return k, true
			}
		}
		return key{}, false
	}
	r.mu.RLock()
	k, ok := look(r.keys)
	r.mu.RUnlock()
	if ok {
		return k, nil
	}
	keys, err := read(r.path)
	if err != nil {
		return key{}, fmt.Errorf("%w %s; key ring %s: %w", ErrNoKey, id, r.path, err)
	}
	if k, ok = look(keys); !ok {
		return key{}, fmt.Errorf("%w: %s", ErrNoKey, id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = keys
	return k, nil
}

func newKey() (key, error) {
	id, secret := make([]byte, idBytes), make([]byte, keyBytes)
	_, _ = rand.Read(id)
	_, _ = rand.Read(secret) // neither fails
	return makeKey(hex.EncodeToString(id), secret)
}

func makeKey(id string, secret []byte) (key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCM(block)
	return key{id, secret, aead}, err
}

func (k key) line() string { return k.id + " " + base64.StdEncoding.EncodeToString(k.secret) + "\n" }

// read reads a file. Errors hold no part of a key.
func read(path string) ([]key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.Mode().Perm()&0o007 != 0:
		return nil, fmt.Errorf("everybody on this machine may read it (mode %v): chmod 600 it", info.Mode().Perm())
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(string(text))
}

func parse(text string) (keys []key, err error) {
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, data, _ := strings.Cut(line, " ")
		raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(data))
		if _, bad := hex.DecodeString(id); bad != nil || len(id) != 2*idBytes || id != strings.ToLower(id) || err != nil || len(raw) != keyBytes || seen[id] {
			return nil, fmt.Errorf("line %d is no key", n)
		}
		k, err := makeKey(id, raw)
		if err != nil {
			return nil, err
		}
		seen[id] = true
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no key")
	}
	return keys, nil
}

// write stores text durably under a path: in a file beside it, which place puts there.
func write(path, text string, place func(from, to string) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone after os.Rename
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
