package main

import (
	"errors"

	"github.com/weir-analytics/weir/internal/httpd"
)

// tlsFlags are the certificate of the listener.
type tlsFlags struct {
	TLSCert string `name:"tls-cert" env:"WEIR_TLS_CERT" type:"path" placeholder:"FILE" help:"Certificate in PEM, with those of its issuers after it: the server speaks HTTPS, with HTTP/2. It is read again when it changes."`
	TLSKey  string `name:"tls-key" env:"WEIR_TLS_KEY" type:"path" placeholder:"FILE" help:"Key of --tls-cert, in PEM."`
}

func (f *tlsFlags) check() error {
	if (f.TLSCert == "") != (f.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	return nil
}

// scheme is that of the listener's addresses.
func (f *tlsFlags) scheme() string {
	if f.TLSCert != "" {
		return "https://"
	}
	return "http://"
}

// certificate opens the listener's certificate; nil is HTTP without TLS.
func (s *server) certificate() (*httpd.Certificate, error) {
	if s.cmd.TLSCert == "" {
		return nil, nil
	}
	c, err := httpd.OpenCertificate(s.cmd.TLSCert, s.cmd.TLSKey, s.clock.Now, s.log, s.reg)
	if err != nil {
		return nil, misuse(errors.Join(errors.New("--tls-cert, --tls-key"), err))
	}
	return c, nil
}
