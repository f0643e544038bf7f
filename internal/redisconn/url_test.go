package redisconn_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/redisconn"
)

func TestAURLIsRead(t *testing.T) {
	one := func(change func(*redisconn.URL)) redisconn.URL {
		u := redisconn.URL{Kind: redisconn.Standalone, Addrs: []string{"h:6379"}, Prefix: "w"}
		change(&u)
		return u
	}
	for s, want := range map[string]redisconn.URL{
		"redis://h":                one(func(*redisconn.URL) {}),
		"redis://h/":               one(func(*redisconn.URL) {}),
		"redis://h:7000":           one(func(u *redisconn.URL) { u.Addrs = []string{"h:7000"} }),
		"redis://h/3":              one(func(u *redisconn.URL) { u.DB = 3 }),
		"redis://h/3/":             one(func(u *redisconn.URL) { u.DB = 3 }),
		"redis://10.0.0.1:1":       one(func(u *redisconn.URL) { u.Addrs = []string{"10.0.0.1:1"} }),
		"redis://[::1]":            one(func(u *redisconn.URL) { u.Addrs = []string{"[::1]:6379"} }),
		"redis://[::1]:7000/1":     one(func(u *redisconn.URL) { u.Addrs, u.DB = []string{"[::1]:7000"}, 1 }),
		"redis://::1":              one(func(u *redisconn.URL) { u.Addrs = []string{"[::1]:6379"} }),
		"redis://user@h":           one(func(u *redisconn.URL) { u.User = "user" }),
		"redis://:pw@h":            one(func(u *redisconn.URL) { u.Password = "pw" }),
		"redis://user:pw@h":        one(func(u *redisconn.URL) { u.User, u.Password = "user", "pw" }),
		"redis://user:p:w@h":       one(func(u *redisconn.URL) { u.User, u.Password = "user", "p:w" }),
		"redis://user:p@w@h":       one(func(u *redisconn.URL) { u.User, u.Password = "user", "p@w" }),
		"redis://u%3A:%2F%3F%23@h": one(func(u *redisconn.URL) { u.User, u.Password = "u:", "/?#" }),
		"redis://:%40%25%C3%BC@h":  one(func(u *redisconn.URL) { u.Password = "@%ü" }),
		"redis://h?prefix=a-b_1":   one(func(u *redisconn.URL) { u.Prefix = "a-b_1" }),
		"redis://h/2?prefix=a":     one(func(u *redisconn.URL) { u.DB, u.Prefix = 2, "a" }),
		"rediss://h":               one(func(u *redisconn.URL) { u.TLS = true }),
		"rediss://h?insecure=1":    one(func(u *redisconn.URL) { u.TLS, u.InsecureSkipVerify = true, true }),
		"rediss://h?insecure=0":    one(func(u *redisconn.URL) { u.TLS = true }),
		"rediss://h?ca=/a@b&cert=c.pem&key=k.pem": one(func(u *redisconn.URL) {
			u.TLS, u.CAFile, u.CertFile, u.KeyFile = true, "/a@b", "c.pem", "k.pem"
		}),
		"redis+sentinel://a,b:1,[::1]/main": {
			Kind: redisconn.Sentinel, Addrs: []string{"a:26379", "b:1", "[::1]:26379"}, Master: "main", Prefix: "w",
		},
		"rediss+sentinel://u:p@a/main/4?sentinel_user=su&sentinel_password=s%26p": {
			Kind: redisconn.Sentinel, Addrs: []string{"a:26379"}, Master: "main", DB: 4, Prefix: "w", TLS: true,
			User: "u", Password: "p", SentinelUser: "su", SentinelPassword: "s&p",
		},
		"redis+cluster://a,b:7001,c": {Kind: redisconn.Cluster, Addrs: []string{"a:6379", "b:7001", "c:6379"}, Prefix: "w"},
		"redis+cluster://:p@a/0":     {Kind: redisconn.Cluster, Addrs: []string{"a:6379"}, Password: "p", Prefix: "w"},
		"rediss+cluster://a?prefix=x": {
			Kind: redisconn.Cluster, Addrs: []string{"a:6379"}, Prefix: "x", TLS: true,
		},
	} {
		got, err := redisconn.Parse(s)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", s, err, d)
		}
		if !redisconn.IsURL(s) {
			t.Errorf("%s is not said to be one of Redis", s)
		}
	}
}

// secret is in every URL below where a password stands, or where one that was
// written wrongly would be taken for something else.
const secret = "hunter2" //nolint:gosec // of nothing

func TestAWrongURLIsRefusedWithoutItsPassword(t *testing.T) {
	for s, want := range map[string]string{
		"":                                              "want redis://",
		secret:                                          "want redis://",
		"localhost:6379":                                "want redis://",
		"http://u:" + secret + "@h":                     "want redis://HOST:PORT, redis+sentinel://H1,H2,H3/MASTER or redis+cluster://H1,H2,H3, not http://",
		"redis+foo://u:" + secret + "@h":                "not redis+foo://",
		"redis:/u:" + secret + "@h":                     "want redis://",
		"u:" + secret + "@h://":                         "want redis://",
		"redis://":                                      "a host is missing",
		"redis://:7000":                                 "a host is missing",
		"redis://u:" + secret + "@":                     "a host is missing",
		"redis+cluster://a,,b":                          "a host is missing",
		"redis+cluster://a, b":                          "a host is missing, or is not one",
		"redis://[::1":                                  "",
		"redis://h:0":                                   "a port is not a number",
		"redis://h:65536":                               "a port is not a number",
		"redis://h:" + secret:                           "a port is not a number", // @HOST is missing
		"redis://a:" + secret + ",b":                    "a port is not a number",
		"redis://u:" + secret + "/x@h":                  "written as %XX",
		"redis://u:1/" + secret + "@h/0":                "written as %XX",
		"redis://u:x/" + secret + "@h:6379/0":           "written as %XX",
		"redis://u:1?" + secret + "@h":                  "written as %XX",
		"redis://u:1?" + secret + "=1@h":                "written as %XX",
		"redis://u:1?a=b&" + secret + "=1@h":            "written as %XX",
		"redis://u:#" + secret + "@h":                   "written as %XX",
		"redis://u:" + secret + "#1@h":                  "written as %XX",
		"redis://u:" + secret + "%zz@h":                 "written as %XX",
		"redis://u:" + secret + "%@h":                   "written as %XX",
		"redis://u:" + secret + " 1@h":                  "written as %XX",
		"redis://u:" + secret + "[@h":                   "written as %XX",
		"redis://h#0":                                   "written as %XX",
		"redis://u:" + secret + "@a,b":                  "redis:// takes one host",
		"redis://u:" + secret + "@h/x":                  `database "x" is not a number`,
		"redis://h/-1":                                  `database "-1" is not a number`,
		"redis://h/1/2":                                 `database "1/2" is not a number`,
		"redis+cluster://h/1":                           "database 0 only",
		"redis+sentinel://u:" + secret + "@h":           "ends with the master's name",
		"redis+sentinel://h/":                           "ends with the master's name",
		"redis+sentinel://h/main/x":                     `database "x" is not a number`,
		"redis://h?prefix=":                             "prefix",
		"redis://h?prefix=a:b":                          "prefix",
		"redis://h?prefix=%7Ba%7D":                      "prefix",
		"redis://u:" + secret + "@h?db=1":               `unknown parameter "db"`,
		"redis://h?sentinel_password=" + secret + "%zz": "parameters cannot be read",
		"redis://h?prefix=a;x=1":                        "parameters cannot be read",
		"rediss://h?insecure=perhaps":                   `insecure="perhaps": want 1 or 0`,
		"redis://h?insecure=1":                          "write rediss in place of redis",
		"redis://h?ca=f":                                "write rediss in place of redis",
		"redis+cluster://h?cert=f&key=g":                "write rediss in place of redis",
		"rediss://u:" + secret + "@h?cert=c.pem":        "cert and key go together",
		"rediss://h?key=k.pem":                          "cert and key go together",
	} {
		u, err := redisconn.Parse(s)
		if want == "" { // read or refused: what counts is what follows
			continue
		}
		if err == nil {
			t.Errorf("%q is read as %+v", s, u)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", s, err, want)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q: the error holds the password: %v", s, err)
		}
		if d := cmp.Diff(redisconn.URL{}, u); d != "" {
			t.Errorf("%q: with an error came %s", s, d)
		}
	}
}

func TestAURLIsShownWithoutItsSecrets(t *testing.T) {
	for s, want := range map[string]string{
		"redis://user:" + secret + "@h":                                    "redis://h:6379",
		"rediss://:" + secret + "@[::1]/3?insecure=1":                      "rediss://[::1]:6379/3",
		"rediss+sentinel://:x@a,b/main/1?sentinel_password=" + secret:      "rediss+sentinel://a:26379,b:26379/main/1",
		"redis+sentinel://a/main?sentinel_user=x&sentinel_password=" + "y": "redis+sentinel://a:26379/main",
		"rediss+cluster://u:" + secret + "@a,b?ca=f":                       "rediss+cluster://a:6379,b:6379",
	} {
		u, err := redisconn.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := u.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestOtherStoresAreNotTakenForRedis(t *testing.T) {
	for _, s := range []string{"", "pebble:data", "redis", "redis:x", "redisx://h", "http://h", "redis+other://h", "postgres://h"} {
		if redisconn.IsURL(s) {
			t.Errorf("%q is said to be a URL of Redis", s)
		}
	}
}

// FuzzParse checks of any URL that its password is in no error, however wrongly
// it is written, and that what was read reads the same when it is shown.
func FuzzParse(f *testing.F) {
	for _, seed := range [][2]string{
		{"redis://u:", "@h:6379/0?prefix=a"},
		{"redis://:", "%zz@h"},
		{"redis://u:/", "@h"},
		{"redis://u:1?", "@h"},
		{"redis://u:#", "@h"},
		{"redis://u:", ""},
		{"rediss+cluster://u:", "@a,[::1]:1,b/0?insecure=1&ca=f"},
		{"redis+sentinel://a,b/main/3?sentinel_password=", "&cert=c&key=k"},
		{"redis+sentinel://a,b/main/3?sentinel_password=%", "@"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "QuX3vMz9"
		s := before + secret + after
		u, err := redisconn.Parse(s)
		if err != nil {
			if isPassword(before, after) && strings.Contains(err.Error(), secret) {
				t.Fatalf("%q: the error holds the password: %v", s, err)
			}
			return
		}
		shown := u.String()
		if u.Password != "" && strings.Contains(u.Password, secret) && strings.Contains(shown, secret) && !strings.Contains(before+after, secret) {
			t.Fatalf("%q is shown as %q", s, shown)
		}
		again, err := redisconn.Parse(shown)
		if err != nil {
			t.Fatalf("%q is shown as %q, which cannot be read: %v", s, shown, err)
		}
		want := redisconn.URL{Kind: u.Kind, Addrs: u.Addrs, Master: u.Master, DB: u.DB, TLS: u.TLS, Prefix: redisconn.DefaultPrefix}
		if d := cmp.Diff(want, again); d != "" {
			t.Fatalf("%q is shown as %q: %s", s, shown, d)
		}
	})
}

// isPassword says whether what stands between the two is meant as one: after
// the user's colon and before the last @, or a parameter's value.
func isPassword(before, after string) bool {
	_, authority, ok := strings.Cut(before, "://")
	if !ok || strings.Contains(after, "://") {
		return false
	}
	if strings.HasSuffix(before, "?sentinel_password=") {
		return true
	}
	return strings.Contains(authority, ":") && !strings.Contains(authority, "@") && strings.Contains(after, "@") && !strings.Contains(after, "?")
}
