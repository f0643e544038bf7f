package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/servertest"
)

// Files are paths of PEM files that are good for a day.
type Files struct {
	CA        string // what signed the server's certificate, for 127.0.0.1 and localhost, and the client's
	Cert, Key string // the client's
}

// StartTLS is Start for a server that speaks TLS alone, and only to clients that
// show a certificate; with "--tls-auth-clients", "no" to all. The test is skipped
// where Redis was built without TLS.
func StartTLS(t testing.TB, args ...string) (*Server, Files) {
	t.Helper()
	bin := find(t, "redis-server")
	dir := t.TempDir()
	ca := newAuthority(t)
	files := Files{CA: write(t, dir, "ca.pem", "CERTIFICATE", ca.cert.Raw)}
	cert, key := ca.issue(t, dir, "server", x509.ExtKeyUsageServerAuth)
	files.Cert, files.Key = ca.issue(t, dir, "client", x509.ExtKeyUsageClientAuth)

	s := newServer(t, bin, nil)
	_, port := s.hostPort()
	s.configure(slices.Concat([]string{
		"--port", "0", "--tls-port", port,
		"--tls-ca-cert-file", files.CA, "--tls-cert-file", cert, "--tls-key-file", key,
	}, args))
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	s.tls = &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	s.launch()
	// One without TLS stops at the first option that it does not know.
	servertest.Wait(t, "start of "+s.Addr, func() error {
		err := s.up()
		if _, ended := errors.AsType[servertest.FinalError](err); ended && strings.Contains(s.logTail(), "tls-port") {
			servertest.Missing(t, "redis-server is built without TLS")
		}
		return err
	})
	return s, files
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key := newKey(t)
	a := template("Weir test authority")
	a.IsCA, a.BasicConstraintsValid, a.KeyUsage = true, true, x509.KeyUsageCertSign
	return authority{cert: sign(t, a, a, key, key), key: key}
}

// issue writes a certificate and its key, and returns their paths.
func (a authority) issue(t testing.TB, dir, name string, use x509.ExtKeyUsage) (cert, key string) {
	t.Helper()
	k := newKey(t)
	c := template(name)
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{use}
	c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	signed := sign(t, c, a.cert, k, a.key)
	return write(t, dir, name+".pem", "CERTIFICATE", signed.Raw), write(t, dir, name+".key", "PRIVATE KEY", der)
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, c, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func write(t testing.TB, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
