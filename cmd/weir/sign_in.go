package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"path"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/demo"
	"github.com/weir-analytics/weir/internal/httpd"
)

// checkPublic refuses an address of the server that is more than scheme and host.
func checkPublic(u *url.URL) error {
	if u == nil {
		return nil
	}
	if u.Path != "" && path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/" || u.RawPath != "" {
		return errors.New("--public-url: its path has parts that are not plain, such as // or %2F")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("--public-url: want scheme and host, and a path if there is one, such as https://weir.example.com or https://example.com/weir")
	}
	return nil
}

// anyHost says whether the page and the API are served under any host name: without
// --public-url, on a network, the right one is unknown.
func (c *serveCmd) anyHost() bool { return c.PublicURL == nil && !loopback(c.Listen) }

// prepareSignIn prepares sign-in: the account of the demo, or the setup code of the first owner.
func (s *server) prepareSignIn(ctx context.Context) (err error) {
	if s.deviceKey, err = s.meta.Secret(ctx, "devices"); err != nil {
		return err
	}
	if s.cmd.Demo {
		s.demoLogin, err = demo.ResetAccount(ctx, s.meta)
		return err
	}
	if err := demo.RetireAccount(ctx, s.meta, s.log); err != nil {
		return err
	}
	if s.unowned, err = s.meta.SetupRequired(ctx); err != nil {
		return err
	}
	if s.unowned && s.cmd.AdminToken == "" {
		s.setupCode = rand.Text() // 130 bits
	}
	return nil
}

// address returns where people reach the server that listens on addr.
func (s *server) address(addr net.Addr) string {
	if u := s.cmd.PublicURL; u != nil {
		return publicAddress(u)
	}
	if ap, err := netip.ParseAddrPort(addr.String()); err == nil && ap.Addr().IsUnspecified() {
		return fmt.Sprintf("%slocalhost:%d", s.cmd.scheme(), ap.Port())
	}
	return s.cmd.scheme() + addr.String()
}

// publicAddress returns --public-url without a slash at its end.
func publicAddress(u *url.URL) string {
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// warnOfExposure warns if more people can reach the server than its operator may think.
func (s *server) warnOfExposure() {
	if s.cmd.anyHost() {
		s.log.Warn("the page and the API are served under any host name: give the address that people use as --public-url", "listen", s.cmd.Listen)
	}
	if s.unowned && !loopback(s.cmd.Listen) {
		s.log.Warn("NOBODY OWNS THIS SERVER YET, and it listens to the network: whoever has its set-up code or admin token can make the owner's account. Do it now", "listen", s.cmd.Listen)
	}
}

// greetOwner prints how to become the owner, for whoever can read the output. The code is
// after the #, which no browser sends to a server, and so no log has it.
func (s *server) greetOwner(address string, stdout io.Writer) {
	switch {
	case !s.unowned:
	case s.setupCode == "":
		fmt.Fprintf(stdout, "Open %s to create the owner's account; it asks for the admin token.\n", address)
	default:
		fmt.Fprintf(stdout, "Open %s/#setup=%s to create the owner's account. The code is good once, until the next start.\n", address, s.setupCode)
	}
}

// place describes where a request comes from, for the list of a user's sessions.
func (s *server) place(ip, userAgent string) (device, country string) {
	in := &weir.Incoming{Source: weir.Source{IP: ip, UserAgent: userAgent}}
	s.enrich.Apply(in, nil)
	switch e := in.Event; {
	case e.Browser == "" || e.OS == "":
		device = cmp.Or(e.Browser, e.OS)
	default:
		device = e.Browser + " on " + e.OS
	}
	return device, in.Event.Country
}

// mailer returns what sends mails to people, nil without a mail server.
func (s *server) mailer() func(ctx context.Context, m httpd.Mail) error {
	mail, _ := s.cmd.mail() // check looked at the error
	if mail == nil {
		return nil
	}
	return func(ctx context.Context, m httpd.Mail) error {
		return mail.Send(ctx, deliver.Letter{Key: m.Key, To: m.To, Subject: m.Subject, Text: m.Text, At: s.clock.Now()})
	}
}
