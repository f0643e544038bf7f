package meta

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what one argon2id hash takes.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
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

// hasher makes and checks argon2id hashes, few at a time: each takes cost.memory,
// and an idle server should stay small under a burst of logins.
type hasher struct {
	cost  cost
	slots chan struct{}
}

// newHasher has the cost that OWASP's Password Storage Cheat Sheet gives as
// argon2id's minimum: 19 MiB, 2 passes, 1 thread.
func newHasher() *hasher {
	return &hasher{
		cost:  cost{memory: 19 * 1024, passes: 2, threads: 1},
		slots: make(chan struct{}, 2),
	}
}

func (h *hasher) key(ctx context.Context, password string, salt []byte, c cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("hash password: %w", ctx.Err())
	}
	return argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, keyLen), nil
}

func (h *hasher) hash(ctx context.Context, password string, salt []byte) (string, error) {
	k, err := h.key(ctx, password, salt, h.cost)
	if err != nil {
		return "", err
	}
	return encodeHash(h.cost, salt, k), nil
}

// verify says whether the password is the stored one.
func (h *hasher) verify(ctx context.Context, password, stored string) (bool, error) {
	c, salt, want, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, password, salt, c)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// dummy returns a hash of today's cost that no password has: checking against it
// takes as long as checking a real one.
func (h *hasher) dummy() string {
	return encodeHash(h.cost, make([]byte, saltLen), make([]byte, keyLen))
}

// encodeHash writes the PHC string format, as argon2's reference encoder does:
// $argon2id$v=19$m=…,t=…,p=…$salt$key, base64 without padding.
func encodeHash(c cost, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		c.memory, c.passes, c.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func parseHash(s string) (c cost, salt, key []byte, err error) {
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
	return cost{memory: uint32(n[0]), passes: uint32(n[1]), threads: uint8(n[2])}, salt, key, nil
}
