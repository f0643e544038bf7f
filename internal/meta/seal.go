package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/weir-analytics/weir/internal/keyring"
)

// ErrKeyRing is returned by Open with a key ring that lacks keys of the nodes that share the
// store.
var ErrKeyRing = errors.New("meta: this is not the key ring of the nodes that share the store")

// WithKeyRing encrypts secrets that must be stored as they are. All nodes that share a store
// have the same ring. With adopt the ring takes the place of one that is lost: secrets that
// were encrypted with that one cannot be read any more. Without a ring, in tests, secrets are
// stored in clear.
func WithKeyRing(r *keyring.Ring, adopt bool) Option {
	return func(s *Store) { s.ring, s.adoptRing = r, adopt }
}

// seal returns how a secret is stored; use says what it is for.
func (s *Store) seal(secret, use string) string {
	if s.ring == nil {
		return secret
	}
	return s.ring.Seal(secret, use)
}

// unseal returns the secret of a stored text, which may be from before there were key rings.
func (s *Store) unseal(text, use string) (string, error) {
	if !keyring.Sealed(text) {
		return text, nil
	}
	if s.ring == nil {
		return "", keyring.ErrNoKey
	}
	return s.ring.Open(text, use)
}

// What secrets are for, before the id of their row.
const (
	useSecret  = "secrets/"
	useWebhook = "alert_channels/"
)

// joinRing compares the ring with the one of the other nodes, stores which keys it has, and
// encrypts what an earlier version stored in clear. Errors: ErrKeyRing.
func (s *Store) joinRing(ctx context.Context) error {
	if s.ring == nil {
		return nil
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if s.adoptRing {
			if err := s.dropLost(ctx, tx); err != nil {
				return err
			}
		}
		stored, err := pairs(ctx, tx, `SELECT id, checksum FROM ring_keys`)
		if err != nil {
			return err
		}
		for _, k := range s.ring.Keys() {
			check, known := stored[k.ID]
			if known && check != k.Check {
				return fmt.Errorf("%w: its key %s is another one", ErrKeyRing, k.ID)
			}
			delete(stored, k.ID)
			if known {
				continue
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO ring_keys (id, checksum) VALUES (?, ?)`, k.ID, k.Check); err != nil {
				return err
			}
		}
		for id := range stored {
			return fmt.Errorf("%w: it lacks the key %s", ErrKeyRing, id)
		}
		return s.sealRest(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("key ring %s: %w", s.ring.Path(), err)
	}
	return nil
}

// dropLost forgets the keys of a ring that is lost, and the keys that Secret made anew when
// they are asked for.
func (s *Store) dropLost(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM ring_keys`); err != nil {
		return err
	}
	all, err := pairs(ctx, tx, `SELECT name, key FROM secrets`)
	if err != nil {
		return err
	}
	for name, text := range all {
		if _, err := s.unseal(text, useSecret+name); err == nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM secrets WHERE name = ?`, name); err != nil {
			return err
		}
	}
	return nil
}

// sealRest encrypts secrets that are stored in clear.
func (s *Store) sealRest(ctx context.Context, tx *sql.Tx) error {
	for _, column := range []struct{ use, read, write string }{
		{useSecret, `SELECT name, key FROM secrets`, `UPDATE secrets SET key = ? WHERE name = ?`},
		{useShare, `SELECT id, sealed FROM shares`, `UPDATE shares SET sealed = ? WHERE id = ?`},
		{useWebhook, `SELECT id, secret FROM alert_channels WHERE secret <> ''`, `UPDATE alert_channels SET secret = ? WHERE id = ?`},
	} {
		all, err := pairs(ctx, tx, column.read)
		if err != nil {
			return err
		}
		for id, text := range all {
			if keyring.Sealed(text) {
				continue
			}
			if _, err := tx.ExecContext(ctx, column.write, s.seal(text, column.use+id), id); err != nil {
				return err
			}
		}
	}
	return nil
}

// pairs returns the rows of a query for two texts, by the first.
func pairs(ctx context.Context, tx *sql.Tx, query string) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return nil, err
		}
		all[k] = v
	}
	return all, rows.Err()
}
