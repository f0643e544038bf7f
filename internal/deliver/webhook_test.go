package deliver_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// closedAddresses are those that no webhook may be at, each in its forms.
var closedAddresses = map[string][]string{
	"this host":         {"0.0.0.0", "0.1.2.3", "::"},
	"loopback":          {"127.0.0.1", "127.1.2.3", "::1"},
	"private":           {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1"},
	"carrier-grade NAT": {"100.64.0.1", "100.127.255.255", "100.100.100.200"},
	"link-local":        {"169.254.1.1", "fe80::1", "fec0::1"},
	"metadata":          {"169.254.169.254", "fd00:ec2::254", "168.63.129.16", "192.0.0.192"},
	"multicast":         {"224.0.0.1", "239.255.255.255", "ff02::1"},
	"broadcast":         {"255.255.255.255", "240.0.0.1"},
	"documentation":     {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"},
	"benchmarking":      {"198.18.0.1", "198.19.255.255"},
	"IPv4 in IPv6":      {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1"},
	"NAT64":             {"64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "64:ff9b::8.8.8.8"},
	"6to4 and Teredo":   {"2002:7f00:1::1", "2002:a00:1::1", "2001:0:7f00:1::1"},
	"discard":           {"100::1"},
}

func TestOnlyPublicAddressesAreCalled(t *testing.T) {
	for name, all := range closedAddresses {
		for _, text := range all {
			if deliver.Public(netip.MustParseAddr(text)) {
				t.Errorf("%s: %s is public", name, text)
			}
		}
	}
	for _, text := range []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		if !deliver.Public(netip.MustParseAddr(text)) {
			t.Errorf("%s is not public", text)
		}
	}
	if deliver.Public(netip.Addr{}) || deliver.Public(netip.MustParseAddr("fe80::1%eth0")) {
		t.Error("no address, or one of a zone, is public")
	}
}

// to sends to a URL, with a look-up that answers in turn.
func to(t *testing.T, rawURL string, allow []netip.Prefix, answers ...string) error {
	t.Helper()
	n := 0
	w := deliver.NewWebhook(deliver.WebhookOptions{Allow: allow, Timeout: 2 * time.Second, Lookup: func(context.Context, string) ([]netip.Addr, error) {
		if n >= len(answers) {
			return nil, &net.DNSError{Err: "no such host", Name: "x", Server: "10.9.9.9"}
		}
		n++
		return []netip.Addr{netip.MustParseAddr(answers[n-1])}, nil
	}})
	return w.Send(t.Context(), deliver.Post{URL: rawURL, Secret: "s", Type: "t", Key: "k", Body: []byte("{}")})
}

// reached returns a server on loopback that counts who reaches it.
func reached(t *testing.T, h http.HandlerFunc) (*httptest.Server, *int) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n++; h(w, r) }))
	t.Cleanup(s.Close)
	return s, &n
}

func TestNoFormOfAPrivateAddressIsConnectedTo(t *testing.T) {
	s, n := reached(t, func(http.ResponseWriter, *http.Request) {})
	u, _ := url.Parse(s.URL)
	port := u.Port()
	for name, all := range closedAddresses {
		for _, text := range all {
			host := text
			if strings.Contains(text, ":") {
				host = "[" + text + "]"
			}
			for form, err := range map[string]error{
				"literal": to(t, "http://"+host+":"+port+"/", nil),
				"name":    to(t, "http://innocent.example:"+port+"/", nil, text),
			} {
				if err == nil || !deliver.Final(err) || !strings.Contains(err.Error(), "private network") || strings.Contains(err.Error(), text) {
					t.Errorf("%s, %s as a %s: %v", name, text, form, err)
				}
			}
		}
	}
	for _, c := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST.", "127.0.0.1.", "①②⑦.0.0.1"} {
		// The system may read such a name as a number.
		if err := to(t, "http://"+c+":"+port+"/", nil, "127.0.0.1"); !deliver.Final(err) {
			t.Errorf("%s: %v", c, err)
		}
	}
	if *n != 0 {
		t.Fatalf("the server was reached %d times", *n)
	}
}

func TestAnAddressIsLookedAtWhenItIsConnectedTo(t *testing.T) {
	s, n := reached(t, func(http.ResponseWriter, *http.Request) {})
	u, _ := url.Parse(s.URL)
	// The name was public when the alert was made, and is no more.
	hook := "http://rebinding.example:" + u.Port() + "/"
	if err := deliver.CheckURL(hook, nil); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"127.0.0.1", "::ffff:127.0.0.1"} {
		if err := to(t, hook, nil, answer); !deliver.Final(err) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	if *n != 0 {
		t.Fatalf("reached %d times", *n)
	}
	if err := to(t, hook, loopback, "127.0.0.1"); err != nil || *n != 1 {
		t.Errorf("where it is allowed: %v, reached %d times", err, *n)
	}
	if err := to(t, hook, loopback, "::ffff:127.0.0.1"); err != nil || *n != 2 {
		t.Errorf("where it is allowed, in IPv6: %v, reached %d times", err, *n)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	inner, n := reached(t, func(http.ResponseWriter, *http.Request) {})
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer, _ := reached(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inner.URL, status) })
		if err := to(t, outer.URL, loopback); !deliver.Final(err) || !strings.Contains(err.Error(), "redirect") {
			t.Errorf("%d: %v", status, err)
		}
	}
	if *n != 0 {
		t.Fatalf("followed %d times", *n)
	}
}

func TestTheProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	proxy, n := reached(t, func(http.ResponseWriter, *http.Request) {})
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	if err := to(t, "http://elsewhere.example/", nil, "10.0.0.1"); !deliver.Final(err) || *n != 0 {
		t.Errorf("%v, the proxy was reached %d times", err, *n)
	}
}

func TestAURLThatCanBeNoWebhookIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "x", "//example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org", "http://", "http:///x", "https://user:pw@example.org/",
		"http://localhost/", "http://a.localhost:80/", "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest/meta-data",
		"http://exa mple.org/", "https:example.org", "https://example.org/" + strings.Repeat("x", 2000), "http://[fe80::1%25eth0]/",
	} {
		if err := deliver.CheckURL(text, nil); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"https://hooks.example.org/services/T/B/x", "http://example.org:8080/?a=b", "https://8.8.8.8/"} {
		if err := deliver.CheckURL(text, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := deliver.CheckURL("http://127.0.0.1:9/", loopback); err != nil {
		t.Errorf("where it is allowed: %v", err)
	}
}

func TestAPostIsSignedAndNamed(t *testing.T) {
	var header http.Header
	var body string
	s, _ := reached(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		header, body = r.Header, string(b)
	})
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	w := deliver.NewWebhook(deliver.WebhookOptions{Allow: loopback, Clock: func() time.Time { return now }, Agent: "Weir/test"})
	if err := w.Send(t.Context(), deliver.Post{URL: s.URL, Secret: "whsec_x", Type: "alert.fired", Key: "a.1.fired.c", Body: []byte(`{"id":1}`)}); err != nil {
		t.Fatal(err)
	}
	if body != `{"id":1}` || header.Get("X-Weir-Event") != "alert.fired" || header.Get("Idempotency-Key") != "a.1.fired.c" ||
		header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "Weir/test" {
		t.Errorf("%s %v", body, header)
	}
	// As a receiver checks it.
	stamp, sum, ok := strings.Cut(header.Get("X-Weir-Signature"), ",v1=")
	stamp, found := strings.CutPrefix(stamp, "t=")
	if !ok || !found || stamp != strconv.FormatInt(now.Unix(), 10) {
		t.Fatalf("signature %q", header.Get("X-Weir-Signature"))
	}
	mac := hmac.New(sha256.New, []byte("whsec_x"))
	mac.Write([]byte(stamp + "." + body))
	if hex.EncodeToString(mac.Sum(nil)) != sum {
		t.Errorf("signature %q does not fit", sum)
	}
}

func TestAFailedPostSaysWhyAndNothingSecret(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		final  bool
		says   string
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "inner secret", 500) }, false, "500"},
		{"404", func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, false, "404"},
		{"429", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, false, "429"},
		{"410", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(410) }, true, "410"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, false, "in time"},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, ""},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 64<<10)) }, false, ""},
	} {
		s, _ := reached(t, c.answer)
		w := deliver.NewWebhook(deliver.WebhookOptions{Allow: loopback, Timeout: 200 * time.Millisecond})
		err := w.Send(t.Context(), deliver.Post{URL: s.URL + "/token-in-path?key=q", Secret: "whsec_x", Body: []byte("{}")})
		if err == nil || deliver.Final(err) != c.final || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, secret := range []string{"token-in-path", "key=q", "whsec_x", "inner secret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v tells a secret", c.name, err)
			}
		}
	}
	if err := to(t, "http://nowhere.example/token", nil); err == nil || deliver.Final(err) || strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "10.9.9.9") {
		t.Errorf("no such host: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := deliver.NewWebhook(deliver.WebhookOptions{}).Send(gone, deliver.Post{URL: "http://8.8.8.8/"}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}

func TestALongAnswerIsNotReadToItsEnd(t *testing.T) {
	written := make(chan int64, 1)
	s, _ := reached(t, func(w http.ResponseWriter, _ *http.Request) {
		n, _ := io.Copy(w, io.LimitReader(endless{}, 1<<30))
		written <- n
	})
	if err := to(t, s.URL, loopback); err != nil {
		t.Fatal(err)
	}
	if n := <-written; n >= 1<<30 {
		t.Errorf("%d bytes were taken", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestWebhookWithAnUntrustedCertificateIsNotSent(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	post := deliver.Post{URL: s.URL, Secret: "s", Body: []byte("{}")}
	if err := deliver.NewWebhook(deliver.WebhookOptions{Allow: loopback}).Send(t.Context(), post); err == nil {
		t.Error("it is taken")
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	trusting := deliver.NewWebhook(deliver.WebhookOptions{Allow: loopback, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}})
	if err := trusting.Send(t.Context(), post); err != nil {
		t.Errorf("one that is vouched for: %v", err)
	}
}

func FuzzCheckURLLetsNoPrivateAddressThrough(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1/", "http://[::1]:80/x", "https://example.org/x?y", "http://8.8.8.8", "http://user@10.0.0.1/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if deliver.CheckURL(text, nil) != nil {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("%q is taken", text)
		}
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !deliver.Public(a) {
			t.Fatalf("%q is taken", text)
		}
	})
}
