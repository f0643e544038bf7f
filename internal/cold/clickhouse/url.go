package clickhouse

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Schemes of a URL.
const (
	scheme    = "clickhouse"
	schemeTLS = "clickhouses"
)

// IsURL says whether s names a ClickHouse.
func IsURL(s string) bool {
	at, _, ok := strings.Cut(s, "://")
	return ok && (at == scheme || at == schemeTLS)
}

// URL is where a ClickHouse is, and how Weir uses it.
type URL struct {
	Addrs          []string // host:port of the native protocol; one is used, the next when it is away
	Database       string   // made when it is not there
	User, Password string
	TLS            *tls.Config // nil: none

	Cluster    string // name in remote_servers; "" is one server
	Replicated bool   // tables are replicated, over Keeper

	Policy     string // storage policy; "" is the server's default
	ColdVolume string // its volume for what is old
	ColdAfter  int    // days after which events go there; 0 is never

	MaxMemory int64         // bytes that one query may take; 0 is the server's limit
	MaxRows   int64         // that one query may read; 0 is the server's limit
	MaxTime   time.Duration // that one query may take
	Fsync     bool          // an insert is on disk before it is acknowledged
}

// Parse reads clickhouse://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE?OPTIONS, or
// clickhouses:// with TLS. Everything but a host has a default. Error: EINVALID,
// without the password.
func Parse(s string) (*URL, error) {
	fail := func(format string, args ...any) (*URL, error) {
		return nil, weir.Errorf(weir.EINVALID, "ClickHouse address: "+format, args...)
	}
	// Not url.Parse for all of it, which knows no list of hosts and puts the
	// password into its errors.
	at, rest, _ := strings.Cut(s, "://")
	if at != scheme && at != schemeTLS {
		return fail("want %s://HOST/DATABASE", scheme)
	}
	rest, query, _ := strings.Cut(rest, "?")
	u := &URL{Database: "weir", User: "default", ColdVolume: "cold", MaxTime: 30 * time.Second, Fsync: true}
	if i := strings.LastIndex(rest, "@"); i >= 0 {
		name, password, _ := strings.Cut(rest[:i], ":")
		var err1, err2 error
		if u.User, err1 = url.PathUnescape(name); err1 == nil {
			u.Password, err2 = url.PathUnescape(password)
		}
		if err1 != nil || err2 != nil {
			return fail("user or password: a %% begins an escape of two hexadecimal digits, as %%25")
		}
		rest = rest[i+1:]
	}
	hosts, database, _ := strings.Cut(rest, "/")
	if database != "" {
		u.Database = database
	}
	if !isName(u.Database) {
		return fail("database %q: want letters, digits and _", u.Database)
	}
	port := "9000"
	if at == schemeTLS {
		port, u.TLS = "9440", &tls.Config{MinVersion: tls.VersionTLS12}
	}
	for h := range strings.SplitSeq(hosts, ",") {
		addr, err := address(h, port)
		if err != nil {
			return fail("%v", err)
		}
		u.Addrs = append(u.Addrs, addr)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return fail("the part after ? is not NAME=VALUE&NAME=VALUE")
	}
	if err := u.options(values); err != nil {
		return fail("%v", err)
	}
	return u, nil
}

func address(s, port string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("a host is missing")
	}
	host, p, err := net.SplitHostPort(s)
	if err != nil {
		host, p = strings.Trim(s, "[]"), port
	}
	if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || host == "" {
		return "", fmt.Errorf("%q is not HOST:PORT", s)
	}
	return net.JoinHostPort(host, p), nil
}

var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// isName says whether s may be used in SQL as a name without quotes.
func isName(s string) bool { return name.MatchString(s) }

var optionNames = []string{"cluster", "replicated", "policy", "cold_volume", "cold_after", "max_memory", "max_rows", "max_time", "fsync", "ca", "cert", "key", "insecure"}

func (u *URL) options(values url.Values) error {
	for k := range values {
		if !slices.Contains(optionNames, k) {
			return fmt.Errorf("unknown option %q; there are %s", k, strings.Join(optionNames, ", "))
		}
	}
	var err error
	number := func(name string, to *int64) {
		if v := values.Get(name); v != "" && err == nil {
			if *to, err = strconv.ParseInt(v, 10, 64); err != nil || *to < 0 {
				err = fmt.Errorf("%s=%q: want a number", name, v)
			}
		}
	}
	flag := func(name string, to *bool) {
		if v := values.Get(name); v != "" && err == nil {
			if *to, err = strconv.ParseBool(v); err != nil {
				err = fmt.Errorf("%s=%q: want true or false", name, v)
			}
		}
	}
	named := func(name string, to *string) {
		if v := values.Get(name); v != "" && err == nil {
			if *to = v; !isName(v) {
				err = fmt.Errorf("%s=%q: want letters, digits and _", name, v)
			}
		}
	}
	var days int64
	var insecure bool
	named("cluster", &u.Cluster)
	flag("replicated", &u.Replicated)
	named("policy", &u.Policy)
	named("cold_volume", &u.ColdVolume)
	number("cold_after", &days)
	number("max_memory", &u.MaxMemory)
	number("max_rows", &u.MaxRows)
	flag("fsync", &u.Fsync)
	flag("insecure", &insecure)
	u.ColdAfter = int(days)
	if v := values.Get("max_time"); v != "" && err == nil {
		if u.MaxTime, err = time.ParseDuration(v); err != nil || u.MaxTime < time.Second {
			err = fmt.Errorf("max_time=%q: want a duration of a second at least, as 30s", v)
		}
	}
	switch {
	case err != nil:
		return err
	case u.Replicated && u.Cluster == "":
		return fmt.Errorf("replicated=true goes with cluster=NAME")
	case u.ColdAfter > 0 && u.Policy == "":
		return fmt.Errorf("cold_after goes with policy=NAME, a storage policy with a volume %q", u.ColdVolume)
	}
	return u.certificates(values, insecure)
}

func (u *URL) certificates(values url.Values, insecure bool) error {
	ca, cert, key := values.Get("ca"), values.Get("cert"), values.Get("key")
	if u.TLS == nil {
		if ca+cert+key != "" || insecure {
			return fmt.Errorf("ca, cert, key and insecure go with %s://", schemeTLS)
		}
		return nil
	}
	u.TLS.InsecureSkipVerify = insecure
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("ca: %w", err)
		}
		u.TLS.RootCAs = x509.NewCertPool()
		if !u.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("ca: %s has no certificate", ca)
		}
	}
	if (cert == "") != (key == "") {
		return fmt.Errorf("cert and key go together")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return fmt.Errorf("cert and key: %w", err)
		}
		u.TLS.Certificates = []tls.Certificate{pair}
	}
	return nil
}
