package weir_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

func TestMessagesThatDifferInValuesHaveOneShape(t *testing.T) {
	for _, test := range []struct{ message, shape string }{
		{"", ""},
		{"not found", "not found"},
		{"  two\n\tlines \r\n", "two lines"},
		{"order 4711 not found", "order <n> not found"},
		{"order -3.5e-7 is below 1,000.00", "order <n> is below <n>"},
		{"retry 3/5 in 200 ms", "retry <n>/<n> in <n> ms"},
		{"timeout after 30.5s", "timeout after <n>"},
		{"timeout after 1m30.5s, 12ms, 3µs", "timeout after <n>, <n>, <n>"},
		{`user "ada lovelace" not found`, "user <text> not found"},
		{`user 'ada' can't log in: it's late`, "user <text> can't log in: it's late"},
		{"column `user_id` of \"a \\\"b\\\" c\"", "column <text> of <text>"},
		{`an unclosed "quote 7`, `an unclosed "quote <n>`},
		{"dial tcp 10.0.0.7:5432: connect: connection refused", "dial tcp <address>: connect: connection refused"},
		{"dial tcp [::1]:5432: connection refused", "dial tcp <address>: connection refused"},
		{"from fe80::1 and 2001:db8:0:0:0:0:2:1.", "from <address> and <address>."},
		{"std::string at 12:30:05", "std::string at <n>:<n>:<n>"},
		{"mail to ada.l@example.org failed", "mail to <address> failed"},
		{"GET https://api.example.com/v1/users/7?key=abc: EOF", "GET <address>: EOF"},
		{"(see http://example.com/a)", "(see <address>)"},
		{"trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace <id>"},
		{"key 0190d0d6-6a2c-7c3e-8f7a-1b2c3d4e5f60 exists", "key <id> exists"},
		{"segfault at 0x7ffe12", "segfault at <id>"},
		{"no such charge: ch_3Nf8sK2eZvKY", "no such charge: ch_<id>"},
		{"customer cus4711 is gone", "customer cus<n> is gone"},
		{"deadbeef cafe defaced", "deadbeef cafe defaced"},
		{"sha256 of utf8 over http2", "sha<n> of utf<n> over http<n>"},
		{"at 2026-11-29T10:00:00Z", "at <n>-<n>-<n>T<n>:<n>:<n>Z"},
		{"Käufe für 用户 12", "Käufe für 用户 <n>"},
		{"a < b, x=<n>", "a < b, x=<n>"},
	} {
		if got := weir.ErrorShape(test.message); got != test.shape {
			t.Errorf("the shape of %q is %q, want %q", test.message, got, test.shape)
		}
	}
}

func TestErrorsAreCutInWholeCharacters(t *testing.T) {
	long := strings.Repeat("ä", 5000)
	if got := weir.CutError("x" + long); len(got) != weir.MaxError-1 || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
	if got := weir.ErrorShape("x" + long); len(got) != weir.MaxErrorShape-1 || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
	if got := weir.ErrorShape(strings.Repeat("1 ", 5000)); len(got) > weir.MaxErrorShape {
		t.Errorf("%d bytes", len(got))
	}
}

// A shape is bounded, is text, has no digits, and does not depend on which digits a message has.
func FuzzErrorShape(f *testing.F) {
	for _, s := range []string{
		"order 4711", "10.0.0.7:5432: x", "[::1]:80", "0x1f", "a1b2c3d4", `'it's' "x" 5`, "1h2m0.5s", "1e5 1e", "a@b.c:", "http://x/1", "0190d0d6-6a2c-7c3e-8f7a-1b2c3d4e5f60", "\xff1", "1,2.3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, message string) {
		shape := weir.ErrorShape(message)
		if len(shape) > weir.MaxErrorShape {
			t.Fatalf("%d bytes", len(shape))
		}
		if utf8.ValidString(message) && !utf8.ValidString(shape) {
			t.Fatalf("%q is not UTF-8", shape)
		}
		if strings.ContainsAny(shape, "0123456789") {
			t.Fatalf("%q has a digit", shape)
		}
		other := weir.ErrorShape(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '0' + (r-'0'+3)%10
			}
			return r
		}, message))
		if utf8.ValidString(message) && other != shape {
			t.Fatalf("other digits, another shape: %q, %q", shape, other)
		}
	})
}
