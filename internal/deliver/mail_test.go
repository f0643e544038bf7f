package deliver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
)

// sink is a mail server that keeps what it is sent.
type sink struct {
	t      *testing.T
	l      net.Listener
	cert   *tls.Config // with STARTTLS, or from the start
	start  bool        // offers STARTTLS
	auth   string      // demanded, as user:password
	refuse map[string]string

	mu      sync.Mutex
	letters []letter
}

type letter struct {
	from, to string
	secure   bool
	user     string
	data     string
}

func newSink(t *testing.T, change func(*sink)) *sink {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{t: t, l: l, refuse: map[string]string{}}
	change(s)
	if s.cert != nil && !s.start {
		s.l = tls.NewListener(l, s.cert)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := s.l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *sink) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	_, secure := c.(*tls.Conn)
	var in letter
	r := bufio.NewReader(c)
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 sink")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		if answer, ok := s.refuse[strings.ToUpper(verb)]; ok {
			say("%s", answer)
			continue
		}
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-sink")
			if s.start && !secure {
				say("250-STARTTLS")
			}
			if s.auth != "" {
				say("250-AUTH PLAIN")
			}
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go on")
			t := tls.Server(c, s.cert)
			c, r, secure = t, bufio.NewReader(t), true
		case "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			parts := strings.Split(string(raw), "\x00")
			if len(parts) != 3 || parts[1]+":"+parts[2] != s.auth {
				say("535 5.7.8 no")
				continue
			}
			in.user = parts[1]
			say("235 yes")
		case "MAIL":
			if s.auth != "" && in.user == "" {
				say("530 5.7.0 who are you")
				continue
			}
			in.from = rest
			say("250 ok")
		case "RCPT":
			in.to += rest
			say("250 ok")
		case "DATA":
			say("354 go on")
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				in.data += strings.TrimPrefix(l, ".")
			}
			in.secure = secure
			s.mu.Lock()
			s.letters = append(s.letters, in)
			s.mu.Unlock()
			in = letter{user: in.user}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *sink) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.letters
}

// certified returns a certificate for 127.0.0.1, and who trusts it.
func certified(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	h := httptest.NewTLSServer(nil)
	defer h.Close()
	pool := x509.NewCertPool()
	pool.AddCert(h.Certificate())
	return &tls.Config{Certificates: h.TLS.Certificates, MinVersion: tls.VersionTLS12}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

var hello = deliver.Letter{
	Key: "a.1.fired.c", To: "ada@example.org", Subject: "Firing: Fehler über 10 %", Text: "It fires — now.\n", HTML: "<p>It fires — <b>now</b>.</p>",
	At: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC),
}

func send(t *testing.T, url string, trust *tls.Config, l deliver.Letter) error {
	t.Helper()
	m, err := deliver.NewMail(deliver.MailOptions{URL: url, From: "Weir <weir@example.org>", TLS: trust, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return m.Send(t.Context(), l)
}

func TestAMailIsSentAsTheServerWantsIt(t *testing.T) {
	server, client := certified(t)
	for _, c := range []struct {
		name   string
		sink   func(*sink)
		scheme string
		user   string
		query  string
		secure bool
	}{
		{"plain", func(*sink) {}, "smtp", "", "", false},
		{"plain, as asked, though STARTTLS is offered", func(s *sink) { s.cert, s.start = server, true }, "smtp", "", "?tls=none", false},
		{"STARTTLS where it is offered", func(s *sink) { s.cert, s.start = server, true }, "smtp", "", "", true},
		{"STARTTLS as asked", func(s *sink) { s.cert, s.start = server, true }, "smtp", "", "?tls=starttls", true},
		{"STARTTLS with a password", func(s *sink) { s.cert, s.start, s.auth = server, true, "weir:p@ss" }, "smtp", "weir:p%40ss@", "", true},
		{"TLS from the start", func(s *sink) { s.cert = server }, "smtps", "", "", true},
		{"TLS from the start with a password", func(s *sink) { s.cert, s.auth = server, "weir:p@ss" }, "smtps", "weir:p%40ss@", "", true},
	} {
		s := newSink(t, c.sink)
		if err := send(t, c.scheme+"://"+c.user+s.l.Addr().String()+c.query, client, hello); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := s.got()
		if len(got) != 1 || got[0].secure != c.secure || !strings.HasPrefix(got[0].from, "FROM:<weir@example.org>") || got[0].to != "TO:<ada@example.org>" || (got[0].user != "") != (c.user != "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestAMailIsOneLetterInTwoForms(t *testing.T) {
	s := newSink(t, func(*sink) {})
	for range 2 {
		if err := send(t, "smtp://"+s.l.Addr().String(), nil, hello); err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	for _, l := range s.got() {
		m, err := mail.ReadMessage(strings.NewReader(l.data))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.Header.Get("Message-Id"))
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != hello.Subject || m.Header.Get("To") != "<ada@example.org>" || m.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("header %v, subject %q %v", m.Header, subject, err)
		}
		if date, err := m.Header.Date(); err != nil || !date.Equal(hello.At) {
			t.Errorf("date %v %v", date, err)
		}
		kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
		if err != nil || kind != "multipart/alternative" {
			t.Fatalf("type %s %v", kind, err)
		}
		var parts []string
		for p := multipart.NewReader(m.Body, params["boundary"]); ; {
			part, err := p.NextRawPart()
			if err == io.EOF { //nolint:errorlint // it is not wrapped
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part.Header.Get("Content-Type")+": "+strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		}
		if len(parts) != 2 || parts[0] != "text/plain; charset=UTF-8: It fires — now." || parts[1] != "text/html; charset=UTF-8: "+hello.HTML {
			t.Errorf("parts %q", parts)
		}
	}
	if ids[0] != "<a.1.fired.c@example.org>" || ids[1] != ids[0] {
		t.Errorf("ids %v", ids)
	}
}

func TestNoTextBecomesAHeader(t *testing.T) {
	s := newSink(t, func(*sink) {})
	l := hello
	l.Subject = "x\r\nBcc: eve@example.org\r\n\r\nbody\u2028X-Evil: 1"
	l.Key = "x>\r\nX-Evil: 1"
	if err := send(t, "smtp://"+s.l.Addr().String(), nil, l); err != nil {
		t.Fatal(err)
	}
	got := s.got()[0]
	m, err := mail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("X-Evil") != "" || got.to != "TO:<ada@example.org>" {
		t.Errorf("%v to %s", m.Header, got.to)
	}
	for _, to := range []string{"ada@example.org\r\nBcc: eve@example.org", "Ada <ada@example.org>", "ada@example.org,eve@example.org", "ada", "", "ada@example.org> NOTIFY=", `"a b"@example.org`} {
		l := hello
		l.To = to
		if err := send(t, "smtp://"+s.l.Addr().String(), nil, l); !deliver.Final(err) || weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v", to, err)
		}
	}
	if n := len(s.got()); n != 1 {
		t.Errorf("%d letters", n)
	}
}

func TestAMailThatIsNotTakenIsTriedAgainOrNot(t *testing.T) {
	server, client := certified(t)
	for _, c := range []struct {
		name  string
		sink  func(*sink)
		user  string
		query string
		final bool
	}{
		{"an unknown address", func(s *sink) { s.refuse["RCPT"] = "550 5.1.1 unknown" }, "", "", true},
		{"a full mailbox", func(s *sink) { s.refuse["RCPT"] = "452 4.2.2 full" }, "", "", false},
		{"a sender who may not", func(s *sink) { s.refuse["MAIL"] = "553 5.7.1 no" }, "", "", true},
		{"a server that is busy", func(s *sink) { s.refuse["DATA"] = "421 4.3.2 later" }, "", "", false},
		{"a wrong password", func(s *sink) { s.cert, s.start, s.auth = server, true, "weir:right" }, "weir:wrong@", "", false},
		{"no STARTTLS for a password", func(s *sink) { s.auth = "weir:right" }, "weir:right@", "", false},
		{"no STARTTLS where it is asked", func(*sink) {}, "", "?tls=starttls", false},
	} {
		s := newSink(t, c.sink)
		err := send(t, "smtp://"+c.user+s.l.Addr().String()+c.query, client, hello)
		if err == nil || deliver.Final(err) != c.final || len(s.got()) != 0 {
			t.Errorf("%s: %v, %d letters", c.name, err, len(s.got()))
			continue
		}
		if strings.Contains(err.Error(), "wrong@") || strings.Contains(err.Error(), ":right") {
			t.Errorf("%s: %v tells the password", c.name, err)
		}
	}
	strange := newSink(t, func(s *sink) { s.cert, s.start = server, true })
	if err := send(t, "smtp://"+strange.l.Addr().String()+"?tls=starttls", nil, hello); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	// It was taken, and only the goodbye fails.
	rude := newSink(t, func(s *sink) { s.refuse["RSET"], s.refuse["QUIT"] = "421 4.0.0 gone", "421 4.0.0 gone" })
	if err := send(t, "smtp://"+rude.l.Addr().String(), nil, hello); err != nil || len(rude.got()) != 1 {
		t.Errorf("after the letter was taken: %v", err)
	}
	_ = rude.l.Close()
	if err := send(t, "smtp://"+rude.l.Addr().String(), nil, hello); err == nil || deliver.Final(err) {
		t.Errorf("a server that is away: %v", err)
	}
}

func TestAServerThatSaysNothingHoldsNobodyUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	url := "smtp://" + l.Addr().String()
	patient, err := deliver.NewMail(deliver.MailOptions{URL: url, From: "weir@example.org", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c, err := l.Accept() // and no word
		cancel()
		if err == nil {
			_, _ = io.Copy(io.Discard, c)
		}
	}()
	if err := patient.Send(ctx, hello); !errors.Is(err, context.Canceled) || deliver.Final(err) {
		t.Errorf("given up: %v", err)
	}
	hasty, err := deliver.NewMail(deliver.MailOptions{URL: url, From: "weir@example.org", Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := hasty.Send(t.Context(), hello); err == nil || deliver.Final(err) {
		t.Errorf("out of time: %v", err)
	}
}

func TestMailOptionsAreChecked(t *testing.T) {
	for _, c := range []deliver.MailOptions{
		{URL: "smtp://h", From: "nobody"},
		{URL: "", From: "a@b.c"},
		{URL: "http://h", From: "a@b.c"},
		{URL: "smtp://", From: "a@b.c"},
		{URL: "smtp://h:0", From: "a@b.c"},
		{URL: "smtp://h/path", From: "a@b.c"},
		{URL: "smtp://h?tls=maybe", From: "a@b.c"},
		{URL: "smtps://h?tls=none", From: "a@b.c"},
		{URL: "smtp://u:secret-word@h:x", From: "a@b.c"},
	} {
		if _, err := deliver.NewMail(c); err == nil || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func FuzzAnAddressIsOneAndPlain(f *testing.F) {
	for _, s := range []string{"ada@example.org", "Ada <ada@example.org>", "a@b, c@d", "a@b\r\nX: y", `"a b"@c.d`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := deliver.ParseAddress(text)
		if err != nil {
			return
		}
		if strings.ContainsAny(a, "\r\n <>,\"") || !strings.Contains(a, "@") {
			t.Fatalf("%q becomes %q", text, a)
		}
		if again, err := deliver.ParseAddress(a); err != nil || again != a {
			t.Fatalf("%q becomes %q and then %q %v", text, a, again, err)
		}
	})
}
