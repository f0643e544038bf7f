// Package password hashes passwords, and says which ones are refused.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one argon2id hash takes.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

const (
	saltLen = 16 // bytes
	keyLen  = 32 // bytes

	// Bounds on parameters read from a hash, so that a damaged one cannot take
	// the machine's memory.
	maxMemory = 1 << 20 // KiB
	maxPasses = 64
)

// errHash is returned for a stored hash that cannot be read.
var errHash = errors.New("malformed password hash")

// Hasher makes and checks argon2id hashes, two at a time: each takes Cost.Memory,
// and a server should stay small under a burst of logins. It is safe for concurrent use.
type Hasher struct {
	cost  Cost
	slots chan struct{}
}

// DefaultCost is the one that OWASP's Password Storage Cheat Sheet gives first for a server
// with little memory: 19 MiB, 2 passes, 1 thread.
var DefaultCost = Cost{Memory: 19 * 1024, Passes: 2, Threads: 1}

// NewHasher makes a hasher whose new hashes have the cost.
func NewHasher(c Cost) *Hasher { return &Hasher{cost: c, slots: make(chan struct{}, 2)} }

// Hash returns the hash of a password under a new salt.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	return h.hash(ctx, password, salt)
}

func (h *Hasher) hash(ctx context.Context, password string, salt []byte) (string, error) {
	k, err := h.key(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return encodeHash(h.cost, salt, k), nil
}

// Verify says whether the password is the stored one, and whether its hash has another cost
// than new ones: then the caller stores a new one. An empty hash is no password's, and
// checking against it takes as long as against a real one.
func (h *Hasher) Verify(ctx context.Context, password, stored string) (ok, outdated bool, err error) {
	none := stored == ""
	if none {
		stored = encodeHash(h.cost, make([]byte, saltLen), make([]byte, keyLen))
	}
	if len(password) > Most {
		password = "" // nobody's, and not worth hashing
	}
	c, salt, want, err := parseHash(stored)
	if err != nil {
		return false, false, err
	}
	got, err := h.key(ctx, password, salt, c)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, want) == 1 && !none
	return ok, ok && c != h.cost, nil
}

// key waits for a free slot: each hash takes Cost.Memory.
func (h *Hasher) key(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("hash password: %w", ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, keyLen), nil
}

// encodeHash writes the PHC string format, as argon2's reference encoder does:
// $argon2id$v=19$m=…,t=…,p=…$salt$key, base64 without padding.
func encodeHash(c Cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		c.Memory, c.Passes, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func parseHash(s string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return c, nil, nil, errHash
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return c, nil, nil, errHash
	}
	var n [3]uint64
	for i, name := range [...]string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(params[i], name)
		if !ok {
			return c, nil, nil, errHash
		}
		if n[i], err = strconv.ParseUint(digits, 10, 32); err != nil {
			return c, nil, nil, errHash
		}
	}
	if n[0] < 8 || n[0] > maxMemory || n[1] < 1 || n[1] > maxPasses || n[2] < 1 || n[2] > 255 {
		return c, nil, nil, errHash
	}
	b64 := base64.RawStdEncoding.Strict()
	if salt, err = b64.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, errHash
	}
	if key, err = b64.DecodeString(parts[5]); err != nil || len(key) != keyLen {
		return c, nil, nil, errHash
	}
	return Cost{Memory: uint32(n[0]), Passes: uint32(n[1]), Threads: uint8(n[2])}, salt, key, nil
}
