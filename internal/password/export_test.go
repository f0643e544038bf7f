package password

import "context"

// Listed is listed.
func Listed(word string) bool { return listed(word) }

// HashRoundTrip parses a password hash and writes it again.
func HashRoundTrip(s string) (string, error) {
	c, salt, key, err := parseHash(s)
	if err != nil {
		return "", err
	}
	return encodeHash(c, salt, key), nil
}

// HashOf hashes a password cheaply.
func HashOf(password string, salt []byte) (string, error) {
	return NewHasher(Cost{Memory: 8, Passes: 1, Threads: 1}).hash(context.Background(), password, salt)
}
