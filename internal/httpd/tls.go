package httpd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	certificateLook = 10 * time.Second    // between looks at the files of a certificate
	certificateEnds = 14 * 24 * time.Hour // before its end a certificate is warned of
)

// Certificate is a server's certificate with its key, in two files in PEM. It is read again
// after a file has changed. While the new files are wrong, or only one of them is there, the
// old certificate is used. It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu     sync.Mutex
	used   *tls.Certificate
	seen   [2]string // what the files looked like when they were last read
	looked time.Time
	warned time.Time
}

// OpenCertificate reads the files: the certificate with those of its issuers after it, and the
// key. The registry is optional. Error: a file cannot be read, or they do not belong together.
func OpenCertificate(certFile, keyFile string, now func() time.Time, log *slog.Logger, reg prometheus.Registerer) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, now: now}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.looked = now()
	if reg != nil {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "weir_tls_certificate_end_seconds", Help: "When the certificate of --tls-cert ends, as Unix time.",
		}, func() float64 { return float64(c.leaf().NotAfter.Unix()) }))
	}
	return c, nil
}

func (c *Certificate) leaf() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used.Leaf
}

// get returns the certificate for a handshake, and reads it before if a file has changed.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked) >= certificateLook {
		c.looked = now
		if c.look() != c.seen {
			if err := c.load(); err != nil {
				c.log.Error("the certificate has changed and cannot be read: the one before is used", "error", err)
			} else {
				c.log.Info("the certificate was read again", "ends", c.used.Leaf.NotAfter)
			}
		}
		c.warnOfEnd(now)
	}
	return c.used, nil
}

// look returns what the files look like from outside.
func (c *Certificate) look() (seen [2]string) {
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err != nil {
			seen[i] = err.Error()
		} else {
			seen[i] = fmt.Sprint(info.ModTime().UnixNano(), info.Size())
		}
	}
	return seen
}

// load reads the files. It takes their look before: what changes meanwhile is read again.
func (c *Certificate) load() error {
	c.seen = c.look()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.used = &pair
	return nil
}

// warnOfEnd logs at most once a day that the certificate ends soon.
func (c *Certificate) warnOfEnd(now time.Time) {
	end := c.used.Leaf.NotAfter
	if end.Sub(now) > certificateEnds || now.Sub(c.warned) < 24*time.Hour {
		return
	}
	c.warned = now
	c.log.Warn("the certificate ends soon, or has ended: put a new one into its files", "file", c.certFile, "ends", end)
}

func (c *Certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// plainHTTP answers a client that speaks HTTP without TLS.
const plainHTTP = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks HTTPS: the address begins with https://.\n"

// shake does the handshake of TLS, before the first byte of a request is read.
func shake(c *tls.Conn) error {
	err := c.Handshake()
	if err == nil {
		return nil
	}
	var header tls.RecordHeaderError
	if errors.As(err, &header) && header.Conn != nil && looksLikeHTTP(header.RecordHeader) {
		_, _ = io.WriteString(header.Conn, plainHTTP) // who does not read it is gone
	}
	return err
}

// looksLikeHTTP says whether the first bytes of a connection are a method of HTTP.
func looksLikeHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "OPTIO", "DELET":
		return true
	}
	return false
}
