package password_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/password"
)

const (
	testSalt = "AAECAwQFBgcICQoLDA0ODw"
	testKey  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

func TestDamagedHashesAreRefused(t *testing.T) {
	good := "$argon2id$v=19$m=8,t=1,p=1$" + testSalt + "$" + testKey
	if got, err := password.HashRoundTrip(good); err != nil || got != good {
		t.Fatalf("round trip = %q", got)
	}
	for _, s := range []string{
		"", "$", "plain",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=8", "m=7", 1),
		strings.Replace(good, "m=8", "m=4294967295", 1),
		strings.Replace(good, "m=8", "m=99999999999", 1),
		strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "t=1", "t=65", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=256", 1),
		strings.Replace(good, ",p=1", "", 1),
		strings.Replace(good, "m=8", "x=8", 1),
		strings.Replace(good, testSalt, "AAAA", 1),
		strings.Replace(good, testSalt, "!", 1),
		strings.Replace(good, testKey, "AAAA", 1),
		strings.Replace(good, testKey, "!", 1),
		good + "$",
	} {
		if _, err := password.HashRoundTrip(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func FuzzParseHash(f *testing.F) {
	good, err := password.HashOf("correct horse", []byte("0123456789abcdef"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$" + testSalt + "$" + testKey)
	f.Add("$argon2id$v=19$m=0008,t=1,p=1$" + testSalt + "$" + testKey)
	f.Add("$argon2id$v=19$m=-8,t=1,p=1$$")
	memory := regexp.MustCompile(`\$m=(\d+),`)
	f.Fuzz(func(t *testing.T, s string) {
		canonical, err := password.HashRoundTrip(s)
		if err != nil {
			return
		}
		again, err := password.HashRoundTrip(canonical)
		if err != nil || again != canonical {
			t.Fatalf("%q is written as %q, which is read as %q, %v", s, canonical, again, err)
		}
		m, err := strconv.Atoi(memory.FindStringSubmatch(canonical)[1])
		if err != nil || m > 1<<20 {
			t.Fatalf("%q asks for %d KiB", s, m)
		}
	})
}
