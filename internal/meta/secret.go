package meta

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// Prefixes by which people and secret scanners recognise a secret.
const (
	KeyPrefix   = weir.KeyPrefix
	TokenPrefix = "wt_" // API tokens
)

// Lengths of random parts, in bytes. Ids name things and are no secrets: 60
// bits do among a server's few projects and users. Secrets have 160 bits.
const (
	idBytes     = 8 // cut to idChars
	idChars     = 12
	secretBytes = 20
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newID returns 12 random characters of a-z and 2-7.
func newID() string { return base32Lower.EncodeToString(randomBytes(idBytes))[:idChars] }

func newSecret(prefix string) string {
	return prefix + base32Lower.EncodeToString(randomBytes(secretBytes))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// hashSecret returns what of a secret is stored: its SHA-256 sum in hex.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	var text [2 * len(sum)]byte
	return string(hex.AppendEncode(text[:0], sum[:]))
}

// last4 returns the end of a secret, for people to tell keys apart; nothing of a
// secret so short that four characters would give much of it away.
func last4(secret string) string {
	if len(secret) < 12 {
		return ""
	}
	return strings.ToValidUTF8(secret[len(secret)-4:], "")
}

// keyBytes is the length of a Secret.
const keyBytes = 32

// Secret returns the key of a name, 32 bytes, which is made at random when it is first
// asked for: what is signed with it is known to all nodes that share the store, and
// after a restart.
func (s *Store) Secret(ctx context.Context, name string) (key []byte, err error) {
	fresh := randomBytes(keyBytes)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO secrets (name, key) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, s.seal(hex.EncodeToString(fresh), useSecret+name))
		if err != nil {
			return err
		}
		var text string
		if err := tx.QueryRowContext(ctx, `SELECT key FROM secrets WHERE name = ?`, name).Scan(&text); err != nil {
			return err
		}
		if text, err = s.unseal(text, useSecret+name); err != nil {
			return err
		}
		key, err = hex.DecodeString(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: secret %s: %w", name, err)
	}
	return key, nil
}
