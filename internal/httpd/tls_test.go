package httpd_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/httpd"
)

// certificate writes a certificate of this machine, and its key, into the folder.
func certificate(t *testing.T, dir, name string, ends time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: ends,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// secured serves s with TLS. It returns the address.
func secured(t *testing.T, s *httpd.Server, conns *httpd.Conns, c *httpd.Certificate) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	f := &httpd.Front{Logger: slog.New(slog.DiscardHandler), Conns: conns, TLS: c}
	if s != nil {
		f.Pass(s)
	}
	go func() { done <- f.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func opened(t *testing.T, certFile, keyFile string, now func() time.Time, log *bytes.Buffer) *httpd.Certificate {
	t.Helper()
	c, err := httpd.OpenCertificate(certFile, keyFile, now, slog.New(slog.NewTextHandler(log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trusting is a client that trusts whom it meets, with or without HTTP/2.
func trusting(http2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: protocols, //nolint:gosec // the test makes the certificate
	}}
}

func TestBothVersionsOfHTTPAreServedWithTLS(t *testing.T) {
	certFile, keyFile := certificate(t, t.TempDir(), "one", time.Now().Add(time.Hour))
	f := start(t)
	addr := secured(t, f.served, httpd.NewConns(8, 8, nil, nil), opened(t, certFile, keyFile, time.Now, &bytes.Buffer{}))
	for want, client := range map[string]*http.Client{"HTTP/2.0": trusting(true), "HTTP/1.1": trusting(false)} {
		res, err := client.Get("https://" + addr + "/login")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.Proto != want || res.StatusCode != 200 {
			t.Errorf("%s, want %s: %s", res.Proto, want, res.Status)
		}
		for name, want := range map[string]string{
			"Strict-Transport-Security": "max-age=31536000", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		client.CloseIdleConnections()
	}
	if a := f.do("GET", "/login", ""); a.header.Get("Strict-Transport-Security") != "" || a.header.Get("Cross-Origin-Opener-Policy") != "" {
		t.Errorf("without TLS: %v", a.header)
	}
}

func TestPlainHTTPOnATLSPortIsToldSo(t *testing.T) {
	certFile, keyFile := certificate(t, t.TempDir(), "one", time.Now().Add(time.Hour))
	addr := secured(t, nil, nil, opened(t, certFile, keyFile, time.Now, &bytes.Buffer{}))
	res, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil || res.StatusCode != 400 || !strings.Contains(body.String(), "https://") {
		t.Errorf("%s: %s, %v", res.Status, body.String(), err)
	}
	// What is neither is closed without an answer.
	c := dial(t, "127.0.0.1", addr)
	fmt.Fprint(c, "\x00\x01\x02\x03\x04\x05\x06\x07\r\n\r\n")
	if healthy(c) {
		t.Error("it is served")
	}
}

// The bounds of connections and of heads are the same with TLS: the first counts those without
// a handshake too.
func TestConnectionsWithTLSAreBounded(t *testing.T) {
	certFile, keyFile := certificate(t, t.TempDir(), "one", time.Now().Add(time.Hour))
	addr := secured(t, nil, httpd.NewConns(8, 4, nil, nil), opened(t, certFile, keyFile, time.Now, &bytes.Buffer{}))
	shake := func(from string) net.Conn {
		return tls.Client(dial(t, from, addr), &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the test makes the certificate
	}
	first := shake("127.0.0.1")
	if !healthy(first) {
		t.Fatal("not served")
	}
	for range 20 {
		dial(t, "127.0.0.1", addr)
	}
	if !healthy(shake("127.0.0.2")) {
		t.Error("another address is not served")
	}
	if healthy(first) {
		t.Error("the one that was idle for longest is still open")
	}
	c := shake("127.0.0.3")
	fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n"+strings.Repeat("A:\r\n", 400)+"\r\n")
	if got, _ := bytesOf(c); strings.Contains(got, "200 OK") {
		t.Errorf("400 lines: %s", got)
	}
}

// bytesOf reads a connection to its end.
func bytesOf(c net.Conn) (string, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(c)
	return b.String(), err
}

func TestACertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := certificate(t, dir, "one", time.Now().Add(time.Hour))
	now, log := time.Now(), &bytes.Buffer{}
	c := opened(t, certFile, keyFile, func() time.Time { return now }, log)
	shown := func() string {
		got, err := httpd.Shown(c)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.Subject.CommonName
	}
	certificate(t, dir, "two", now.Add(time.Hour))
	if got := shown(); got != "one" {
		t.Errorf("read before its time: %s", got)
	}
	now = now.Add(10 * time.Second)
	if got := shown(); got != "two" {
		t.Errorf("shown %s", got)
	}
	// Only one of the two files is there yet.
	kept, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	certificate(t, dir, "three", now.Add(time.Hour))
	renewed, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range [][]byte{kept, []byte("nothing")} {
		if err := os.WriteFile(keyFile, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Second)
		if got := shown(); got != "two" {
			t.Errorf("with a key of another: %s", got)
		}
	}
	if !strings.Contains(log.String(), "the one before is used") {
		t.Errorf("log: %s", log)
	}
	if err := os.WriteFile(keyFile, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(10 * time.Second)
	if got := shown(); got != "three" {
		t.Errorf("shown %s", got)
	}
	// It ends within an hour: that is said once a day.
	for range 3 {
		now = now.Add(8 * time.Hour)
		shown()
	}
	if n := strings.Count(log.String(), "ends soon"); n != 2 {
		t.Errorf("warned %d times: %s", n, log)
	}
}

func TestACertificateThatIsNoneIsRefused(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := certificate(t, dir, "one", time.Now().Add(time.Hour))
	other := t.TempDir()
	_, otherKey := certificate(t, other, "two", time.Now().Add(time.Hour))
	for what, files := range map[string][2]string{
		"no file": {certFile + "x", keyFile}, "the key of another": {certFile, otherKey}, "a key as certificate": {keyFile, certFile},
	} {
		if _, err := httpd.OpenCertificate(files[0], files[1], time.Now, slog.New(slog.DiscardHandler), nil); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
