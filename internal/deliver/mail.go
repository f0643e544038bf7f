package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	weir "github.com/weir-analytics/weir"
	gomail "github.com/wneessen/go-mail"
)

// MailOptions say how mail is sent.
type MailOptions struct {
	// URL of the server: smtp://USER:PASSWORD@HOST:PORT, or smtps with TLS from
	// the start. With smtp, ?tls= is starttls, opportunistic or none; without it
	// STARTTLS is used where the server has it, and demanded with a password.
	URL     string
	From    string        // the sender, as Weir <weir@example.org>
	Timeout time.Duration // of each step; 0 is 15 s
	TLS     *tls.Config   // nil is the system's; its ServerName is the server's
}

// Mail sends mail. It is safe for concurrent use.
type Mail struct {
	from    *mail.Address
	domain  string
	host    string
	options []gomail.Option
}

// NewMail makes one. Errors do not hold the URL, which may have a password in it.
func NewMail(o MailOptions) (*Mail, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender %q is no mail address: use weir@example.org or Weir <weir@example.org>", o.From)
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("the mail server is given as smtp://USER:PASSWORD@HOST:PORT, or smtps://…")
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	m := &Mail{from: from, host: u.Hostname()}
	_, m.domain, _ = strings.Cut(from.Address, "@")
	port, err := mailPort(u)
	if err != nil {
		return nil, err
	}
	secure, err := mailSecurity(u)
	if err != nil {
		return nil, err
	}
	m.options = append(m.options, gomail.WithPort(port), gomail.WithTimeout(o.Timeout), secure, gomail.WithoutNoop())
	if o.TLS != nil {
		t := o.TLS.Clone()
		t.ServerName = m.host
		m.options = append(m.options, gomail.WithTLSConfig(t))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		m.options = append(m.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	if _, err := gomail.NewClient(m.host, m.options...); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

func mailPort(u *url.URL) (int, error) {
	switch {
	case u.Port() != "":
		n, err := strconv.Atoi(u.Port())
		if err != nil || n < 1 || n > 65535 {
			return 0, fmt.Errorf("the mail server's port %q is none", u.Port())
		}
		return n, nil
	case u.Scheme == "smtps":
		return 465, nil
	}
	return 587, nil
}

func mailSecurity(u *url.URL) (gomail.Option, error) {
	want := u.Query().Get("tls")
	switch {
	case u.Scheme == "smtps" && want == "":
		return gomail.WithSSL(), nil
	case u.Scheme != "smtp":
		return nil, errors.New("the mail server's URL begins with smtp:// or smtps://, and only smtp takes ?tls=")
	case want == "starttls", want == "" && u.User != nil:
		return gomail.WithTLSPolicy(gomail.TLSMandatory), nil
	case want == "opportunistic", want == "":
		return gomail.WithTLSPolicy(gomail.TLSOpportunistic), nil
	case want == "none":
		return gomail.WithTLSPolicy(gomail.NoTLS), nil
	}
	return nil, errors.New("the mail server's ?tls= is starttls, opportunistic or none")
}

// Letter is a mail to one address.
type Letter struct {
	Key        string // becomes the Message-ID: the same at each attempt
	To         string
	Subject    string
	Text, HTML string
	At         time.Time
}

// Send sends a letter. Final returns true for errors that stay: the server refused the
// address or the letter for good.
func (m *Mail) Send(ctx context.Context, l Letter) error {
	to, err := ParseAddress(l.To)
	if err != nil {
		return final{err}
	}
	msg := gomail.NewMsg()
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(&mail.Address{Address: to})
	msg.Subject(oneLine(l.Subject))
	msg.SetDateWithValue(l.At)
	msg.SetMessageIDWithValue(messageID(l.Key) + "@" + m.domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no replies of machines, RFC 3834
	msg.SetBodyString(gomail.TypeTextPlain, l.Text)
	if l.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	}
	client, err := gomail.NewClient(m.host, m.options...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	// The library heeds ctx only while it connects. A server that stops does not
	// wait for the rest, which ends with its timeouts.
	done := make(chan error, 1)
	go func() { done <- client.DialAndSendWithContext(ctx, msg) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		return fmt.Errorf("mail: %w", ctx.Err())
	}
	if err == nil || msg.IsDelivered() {
		return nil // what fails after the server took it is no failure
	}
	err = fmt.Errorf("mail: %w", err)
	if e, ok := errors.AsType[*gomail.SendError](err); ok && e.ErrorCode() >= 500 && e.ErrorCode() < 600 {
		return final{err}
	}
	return err
}

// oneLine returns text that can be a header's value: no line begins another header.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?")))
}

// messageID returns a key as the left part of a Message-ID: characters that may not be in it
// become "_".
func messageID(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, key)
}

const maxAddress = 254 // RFC 5321, a path of 256 with its brackets

// ParseAddress returns a plain mail address, without a name. Errors: EINVALID.
func ParseAddress(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != strings.TrimSpace(s) || len(a.Address) > maxAddress ||
		strings.ContainsFunc(a.Address, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == '"' }) {
		return "", weir.Errorf(weir.EINVALID, "an email channel takes one plain address such as ada@example.org")
	}
	return a.Address, nil
}
