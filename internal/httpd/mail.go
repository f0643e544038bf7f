package httpd

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Mail is a mail to one address.
type Mail struct {
	Key, To, Subject, Text string
}

// Bounds on mails that are being sent.
const (
	mailsAtOnce = 8
	mailWithin  = time.Minute
)

// letters counts the mails that are being sent.
type letters struct {
	mu  sync.Mutex
	now int
}

func (l *letters) begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now >= mailsAtOnce {
		return false
	}
	l.now++
	return true
}

func (l *letters) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now--
}

// sendLater sends the mail that write returns, nil for none, after the answer: an answer that
// waited would show by its time whether there is a mail to send. It says whether it will try.
func (s *Server) sendLater(ctx context.Context, write func(ctx context.Context) (*Mail, error)) bool {
	return s.sendWithin(ctx, &s.letters, write)
}

// sendWithin is sendLater with a bound of its own.
func (s *Server) sendWithin(ctx context.Context, sending *letters, write func(ctx context.Context) (*Mail, error)) bool {
	if s.cfg.Mail == nil {
		return false
	}
	if !sending.begin() {
		s.log.WarnContext(ctx, "a mail was not sent: too many are being sent", "at_once", mailsAtOnce)
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailWithin)
	go func() {
		defer sending.end()
		defer cancel()
		m, err := write(ctx)
		if err == nil && m != nil {
			err = s.cfg.Mail(ctx, *m)
		}
		if err != nil {
			s.log.WarnContext(ctx, "a mail was not sent", "error", err)
		}
	}()
	return true
}

// link returns the address of the page with a secret, which is after the #: no browser sends
// it to a server, and so no log has it.
func (s *Server) link(r *http.Request, kind, secret string) string {
	return s.address(r) + "/#" + kind + "=" + secret
}

// address returns the address of the server without a slash at its end: the public one, or the
// one that the request names.
func (s *Server) address(r *http.Request) string {
	if u := s.cfg.PublicURL; u != nil {
		return u.Scheme + "://" + u.Host + s.base
	}
	if callOf(r.Context()).secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// mails says whether links are sent by mail: there is a mail server, and the address of this
// one is known. The host that a request names could be an attacker's.
func (s *Server) mails() bool { return s.cfg.Mail != nil && s.cfg.PublicURL != nil }
