package redisconn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Kind is how a Redis is deployed.
type Kind string

// The kinds, as a URL's scheme names them. With rediss in place of redis the
// connections are TLS.
const (
	Standalone Kind = "redis"          // redis://host:port/db
	Sentinel   Kind = "redis+sentinel" // redis+sentinel://h1,h2,h3/MASTER/db
	Cluster    Kind = "redis+cluster"  // redis+cluster://h1,h2,h3
)

// URL is where a Redis is and how to speak to it.
type URL struct {
	Kind   Kind
	Addrs  []string // host:port of the server, the sentinels, or some nodes of the cluster
	Master string   // name of the master that the sentinels watch
	DB     int

	User, Password                 string
	SentinelUser, SentinelPassword string

	TLS                bool
	CAFile             string // instead of the system's authorities
	CertFile, KeyFile  string // of the client
	InsecureSkipVerify bool

	// Prefix begins the names of all keys, so that several may share a Redis.
	Prefix string
}

// DefaultPrefix begins the keys of a URL that asks for no other.
const DefaultPrefix = "w"

// IsURL says whether the scheme of s is one of Redis.
func IsURL(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	_, _, known := kindOf(scheme)
	return ok && known
}

func kindOf(scheme string) (k Kind, tls, ok bool) {
	if rest, cut := strings.CutPrefix(scheme, "rediss"); cut {
		scheme, tls = "redis"+rest, true
	}
	switch k = Kind(scheme); k {
	case Standalone, Sentinel, Cluster:
		return k, tls, true
	}
	return "", false, false
}

// Parse reads a URL. Its query may set prefix, ca, cert, key (files), insecure=1
// (no check of the server's certificate), sentinel_user, sentinel_password. No
// error holds anything that may be part of a password.
func Parse(s string) (URL, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	kind, tls, known := kindOf(scheme)
	if !ok || !known {
		return URL{}, fmt.Errorf("want redis://HOST:PORT, redis+sentinel://H1,H2,H3/MASTER or redis+cluster://H1,H2,H3, not %s", redact(s))
	}
	// A list of hosts is not a host: net/url reads the rest around it.
	auth, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		auth, tail = rest[:i], rest[i:]
	}
	user, hosts := "", auth
	if i := strings.LastIndexByte(auth, '@'); i >= 0 {
		user, hosts = auth[:i+1], auth[i+1:]
	}
	path, query, _ := strings.Cut(tail, "?")
	p, err := url.Parse("redis://" + user + "host" + path)
	// A special character that a password holds as it is ends it early: the
	// rest of it stands where something else is expected.
	if err != nil || strings.Contains(path, "@") || strings.Contains(rest, "#") {
		return URL{}, errPassword
	}
	u := URL{Kind: kind, TLS: tls, Prefix: DefaultPrefix}
	if p.User != nil {
		u.User = p.User.Username()
		u.Password, _ = p.User.Password()
	}
	err = u.setHosts(hosts)
	if err == nil {
		err = u.setPath(strings.Trim(p.Path, "/"))
	}
	if err == nil {
		err = u.setQuery(query)
	}
	if err != nil && strings.Contains(query, "@") {
		err = errPassword
	}
	if err != nil {
		return URL{}, err
	}
	return u, nil
}

// errPassword does not quote what it is about.
var errPassword = errors.New("this is not a URL of Redis; special characters of a password are written as %XX in it: / is %2F, ? is %3F, # is %23, @ is %40")

func (u *URL) setHosts(hosts string) error {
	usual := "6379"
	if u.Kind == Sentinel {
		usual = "26379"
	}
	for text := range strings.SplitSeq(hosts, ",") {
		host, port, err := net.SplitHostPort(text)
		if err != nil {
			host, port = strings.Trim(text, "[]"), usual
		}
		if host == "" || strings.ContainsAny(host, " []") {
			return errors.New("a host is missing, or is not one")
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errors.New("a port is not a number from 1 to 65535") // not quoted: where @HOST is missing it is the password
		}
		u.Addrs = append(u.Addrs, net.JoinHostPort(host, port))
	}
	if u.Kind == Standalone && len(u.Addrs) > 1 {
		return errors.New("redis:// takes one host: several are redis+sentinel:// or redis+cluster://")
	}
	return nil
}

func (u *URL) setPath(path string) error {
	db := path
	if u.Kind == Sentinel {
		u.Master, db, _ = strings.Cut(path, "/")
		if u.Master == "" {
			return errors.New("redis+sentinel:// ends with the master's name: redis+sentinel://H1,H2,H3/MASTER")
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.Atoi(db)
	if err != nil || n < 0 {
		return fmt.Errorf("database %q is not a number", db)
	}
	if u.Kind == Cluster && n != 0 {
		return errors.New("a Redis Cluster has database 0 only")
	}
	u.DB = n
	return nil
}

func (u *URL) setQuery(query string) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the parameters cannot be read; special characters are written as %XX in them")
	}
	for name, values := range q {
		v := values[len(values)-1]
		switch name {
		case "prefix":
			if v == "" || strings.ContainsAny(v, "{}: ") {
				return fmt.Errorf("prefix %q: want letters, digits, '-' or '_'", v)
			}
			u.Prefix = v
		case "ca":
			u.CAFile = v
		case "cert":
			u.CertFile = v
		case "key":
			u.KeyFile = v
		case "insecure":
			on, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("insecure=%q: want 1 or 0", v)
			}
			u.InsecureSkipVerify = on
		case "sentinel_user":
			u.SentinelUser = v
		case "sentinel_password":
			u.SentinelPassword = v
		default:
			return fmt.Errorf("unknown parameter %q: there are prefix, ca, cert, key, insecure, sentinel_user, sentinel_password", name)
		}
	}
	if !u.TLS && (u.CAFile != "" || u.CertFile != "" || u.KeyFile != "" || u.InsecureSkipVerify) {
		return errors.New("ca, cert, key and insecure are for TLS: write rediss in place of redis")
	}
	if (u.CertFile == "") != (u.KeyFile == "") {
		return errors.New("cert and key go together")
	}
	return nil
}

// String returns the URL without its secrets.
func (u URL) String() string {
	scheme := string(u.Kind)
	if u.TLS {
		scheme = strings.Replace(scheme, "redis", "rediss", 1)
	}
	s := scheme + "://" + strings.Join(u.Addrs, ",")
	if u.Master != "" {
		s += "/" + url.PathEscape(u.Master)
	}
	if u.DB != 0 {
		s += "/" + strconv.Itoa(u.DB)
	}
	return s
}

// redact returns the scheme of a URL that cannot be parsed.
func redact(s string) string {
	scheme, _, ok := strings.Cut(s, "://")
	other := func(r rune) bool { return r != '+' && (r < 'a' || r > 'z') }
	if !ok || strings.ContainsFunc(scheme, other) {
		return "this"
	}
	return scheme + "://"
}
