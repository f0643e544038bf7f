package password

import (
	_ "embed"
	"sort"
	"strings"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// Least and Most bound a password: characters, and bytes. NIST SP 800-63B asks for 8 at
// least, and OWASP ASVS for no other rule than a length and a list of common ones.
const (
	Least = 10
	Most  = 1024
)

// common are passwords that many people have, in lower case, sorted, a line each. See
// NOTICE.md for its source.
//
//go:embed common.txt
var common string

// suffixed is how many digits and signs after a common password do not make it another.
const suffixed = 4

// Check refuses a password that is short, common, or the address that it is for. Error:
// EINVALID, which does not hold the password.
func Check(password, email string) error {
	lower := strings.ToLower(password)
	email = strings.ToLower(strings.TrimSpace(email))
	local, _, _ := strings.Cut(email, "@")
	switch {
	case utf8.RuneCountInString(password) < Least || len(password) > Most:
		return weir.Errorf(weir.EINVALID, "password: at least %d characters, and at most %d bytes", Least, Most)
	case email != "" && (lower == email || stem(lower) == local):
		return weir.Errorf(weir.EINVALID, "password: another one than the mail address")
	case isCommon(lower):
		return weir.Errorf(weir.EINVALID, "password: this one is on the list of common passwords, or nearly: take another")
	}
	return nil
}

// isCommon says whether a password, in lower case, is one of the common ones, such a one
// with a few digits or signs after it, or one character many times.
func isCommon(lower string) bool {
	first, _ := utf8.DecodeRuneInString(lower)
	if strings.Trim(lower, string(first)) == "" {
		return true
	}
	return listed(lower) || listed(stem(lower))
}

// stem cuts digits and signs off the end of a password, a few at most: "dragon12!" is "dragon".
func stem(lower string) string {
	s := lower
	for range suffixed {
		if s == "" || s[len(s)-1] >= utf8.RuneSelf || 'a' <= s[len(s)-1] && s[len(s)-1] <= 'z' {
			break
		}
		s = s[:len(s)-1]
	}
	return s
}

// listed says whether common has a line. It searches the text, which is part of the program
// and takes no memory of its own.
func listed(word string) bool {
	if word == "" || strings.Contains(word, "\n") {
		return false
	}
	// The first position at which a line that is not before word begins.
	at := sort.Search(len(common), func(i int) bool {
		line := common[strings.LastIndexByte(common[:i], '\n')+1:]
		line, _, _ = strings.Cut(line, "\n")
		return line >= word
	})
	line, _, _ := strings.Cut(common[strings.LastIndexByte(common[:at], '\n')+1:], "\n")
	return line == word
}
