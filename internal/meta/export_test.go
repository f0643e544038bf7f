package meta

import "context"

// HashRoundTrip parses a password hash and writes it again.
func HashRoundTrip(s string) (string, error) {
	c, salt, key, err := parseHash(s)
	if err != nil {
		return "", err
	}
	return encodeHash(c, salt, key), nil
}

// Exec changes the file, past all checks.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.write.ExecContext(ctx, query, args...)
	return err
}

// HashOf returns the hash of a password under a salt, at a test's cost.
func HashOf(password string, salt []byte) (string, error) {
	h := newHasher()
	h.cost = cost{memory: 8, passes: 1, threads: 1}
	return h.hash(context.Background(), password, salt)
}
