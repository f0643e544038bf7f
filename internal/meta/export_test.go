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

// HashOf returns the hash of a password under a salt, at a test's cost.
func HashOf(password string, salt []byte) (string, error) {
	h := newHasher()
	h.cost = cost{memory: 8, passes: 1, threads: 1}
	return h.hash(context.Background(), password, salt)
}
