package redistest_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestAServerWithTLSWantsACertificate(t *testing.T) {
	s, files := redistest.StartTLS(t)
	if want := "rediss://" + s.Addr; s.URL() != want {
		t.Errorf("URL %q, want %q", s.URL(), want)
	}
	if got := s.Do("PING"); got != "PONG" {
		t.Errorf("reply is %q", got)
	}
	if got, err := ping(t, s, files.CA); err == nil {
		t.Errorf("a client without a certificate got %q", got)
	}
	s.Restart()
	if got := s.Do("PING"); got != "PONG" {
		t.Errorf("after the restart the reply is %q", got)
	}

	open, files := redistest.StartTLS(t, "--tls-auth-clients", "no")
	if got, err := ping(t, open, files.CA); err != nil || got != "+PONG\r\n" {
		t.Errorf("a client without a certificate got %q, %v", got, err)
	}
}

// ping asks a server as a client that knows only the authority.
func ping(t *testing.T, s *redistest.Server, ca string) (string, error) {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", ca)
	}
	c, err := tls.Dial("tcp", s.Addr, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 64)
	n, err := c.Read(b)
	return string(b[:n]), err
}
