package redisconn_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestTLSChecksTheServersCertificate(t *testing.T) {
	s, files := redistest.StartTLS(t, "--tls-auth-clients", "no")
	opens(t, s.URL()+"?ca="+files.CA, redisconn.Options{Durable: true})
	opens(t, s.URL()+"?insecure=1", redisconn.Options{Durable: true})
	refuses(t, s.URL(), redisconn.Options{Wait: time.Hour}, "signed by", "?ca=FILE", s.Addr)
	refuses(t, "redis://"+s.Addr, redisconn.Options{Timeout: time.Second}, "redis://"+s.Addr)
}

func TestTLSShowsTheClientsCertificate(t *testing.T) {
	s, files := redistest.StartTLS(t)
	opens(t, s.URL()+"?ca="+files.CA+"&cert="+files.Cert+"&key="+files.Key, redisconn.Options{Durable: true})
	// The server hangs up, and may do so before its reason is read.
	refuses(t, s.URL()+"?ca="+files.CA, redisconn.Options{}, s.Addr)
}

func TestTLSFilesThatCannotBeReadAreNamed(t *testing.T) {
	s, files := redistest.StartTLS(t)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := redisconn.Options{Wait: time.Hour}
	refuses(t, s.URL()+"?ca=/no/such.pem", o, "ca:", "/no/such.pem")
	refuses(t, s.URL()+"?ca="+empty, o, "ca:", empty, "no certificate")
	refuses(t, s.URL()+"?cert=/no/cert.pem&key=/no/key.pem", o, "cert and key:", "/no/cert.pem")
	refuses(t, s.URL()+"?cert="+files.Cert+"&key="+empty, o, "cert and key:")
}

func TestAPlainServerUnderTLSIsNotOpened(t *testing.T) {
	s := redistest.Start(t)
	refuses(t, "rediss://"+s.Addr, redisconn.Options{Timeout: time.Second}, "rediss://"+s.Addr, "does not answer in time")
}
