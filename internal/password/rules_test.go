package password_test

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/password"
)

func TestShortCommonAndOwnPasswordsAreRefused(t *testing.T) {
	for what, p := range map[string]string{
		"nine characters":              "ninechars",
		"nothing":                      "",
		"over a kibibyte":              strings.Repeat("päss", 205),
		"a common one":                 "qwertyuiop",
		"a common one in capitals":     "QWERTYuiop",
		"a common one with a year":     "password2024",
		"a common one with a year and": "Monkey2024!",
		"one character many times":     "aaaaaaaaaaaaaaaa",
		"the address":                  "ADA.Lovelace@example.org",
		"the name of the address":      "ada.lovelace12",
		"the last of the list":         "zzzzzzzzzzz",
	} {
		err := password.Check(p, "ada.lovelace@example.org")
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s is taken: %v", what, err)
			continue
		}
		if p != "" && strings.Contains(err.Error(), p) {
			t.Errorf("%s: the error holds the password: %v", what, err)
		}
	}
	for _, p := range []string{
		"correct horse", "fünfzehn Zeichen", "0123 4567 8901 xyz", strings.Repeat("ab", 512), "ada.lovelace and the engine", "日本語のパスワードです", "\n\n\n\n\n\n\n\n\nx",
	} {
		if err := password.Check(p, "ada.lovelace@example.org"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestEveryLineOfTheListIsFound(t *testing.T) {
	file, err := os.Open("common.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []string
	for s := bufio.NewScanner(file); s.Scan(); {
		lines = append(lines, s.Text())
	}
	if len(lines) < 10_000 || !slices.IsSorted(lines) {
		t.Fatalf("%d lines; sorted: %v", len(lines), slices.IsSorted(lines))
	}
	for _, l := range lines {
		if !password.Listed(l) {
			t.Errorf("%q is not found", l)
		}
		if password.Listed(l + "\x00") {
			t.Errorf("%q and more is found", l)
		}
	}
}
