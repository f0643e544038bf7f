package enrich

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longest values that Apply writes, in bytes. Longer ones are cut between
// characters.
const (
	maxPath  = 2048 // also the longest of all
	maxHost  = 253  // as DNS has it
	maxValue = 255
	maxAgent = 1024 // what is read of a user agent
	maxQuery = 8192 // what is read of a query string
)

// clean returns s as valid UTF-8, without control characters and surrounding space,
// at most limit bytes long. It allocates nothing for plain ASCII.
func clean(s string, limit int) string {
	s = strings.TrimSpace(s)
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSpace(s[:min(len(s), limit)])
	}
	s = truncate(s, 4*limit) // bounds the work; what is dropped below makes room
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r // RuneError for a broken byte, which Map writes as U+FFFD
	}, s)
	return strings.TrimSpace(truncate(s, limit))
}

// cut is s, or its beginning that ends before a character that would exceed
// limit bytes.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// indexEither returns where the first of two bytes stands in s, or -1.
func indexEither(s string, a, b byte) int {
	for i := range len(s) {
		if s[i] == a || s[i] == b {
			return i
		}
	}
	return -1
}
