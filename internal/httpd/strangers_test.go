package httpd_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestWhatAnybodyMaySendIsSmall(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/api/v1/login", "/api/v1/setup"} {
		a := f.do("POST", path, `{"email":"a@b.example","password":"`+strings.Repeat("x", 9000)+`"}`)
		wantError(t, a, 413, weir.ETOOLARGE)
	}
}

// Or strangers fill the memory with bodies that nobody will look at.
func TestWhoMayNotCallIsRefusedBeforeTheBodyComes(t *testing.T) {
	f := start(t)
	for _, rule := range httpd.Rules() {
		if rule.Method == "GET" || rule.Method == "OPTIONS" || rule.Need == httpd.Public || rule.Need == httpd.Session || rule.Need == httpd.Sender {
			continue
		}
		path := strings.NewReplacer("{id}", f.shop.ID, "{key}", "k", "{alert}", "a", "{profile}", "p", "{date}", "2026-03-10", "{$}", "").Replace(rule.Path)
		c, err := net.Dial("tcp", f.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{", rule.Method, path, f.server.Listener.Addr())
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s %s: %v", rule.Method, path, err)
		}
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s: %s", rule.Method, path, res.Status)
		}
		_ = res.Body.Close()
		_ = c.Close()
	}
}
