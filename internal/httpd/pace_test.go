package httpd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
)

// pipes is a listener of connections within the process, which synctest's clock
// holds for too.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dial is a client's end of a new connection.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// inBubble runs a server in a bubble of synctest's.
func inBubble(t *testing.T, test func(t *testing.T, f *fixture, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		f := prepare(t)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.served.Run(ctx, p) }()
		test(t, f, p)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// answerOf reads an answer.
func answerOf(t *testing.T, c net.Conn) (status int, body string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Errorf("no answer: %v", err)
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("half an answer: %v", err)
	}
	return res.StatusCode, string(text)
}

func head(path, key string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, key, length)
}

// Phones send 8 KB a second.
func TestASlowSenderThatKeepsSendingIsTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		f.ingest.Accepted = 1
		c := p.dial()
		defer c.Close()
		body := `{"name":"` + strings.Repeat("x", 100_000) + `"}`
		go func() {
			<-time.After(9 * time.Second) // of the bubble's time: the way to the first byte
			_, _ = io.WriteString(c, head("/v1/events", f.key, len(body))+body[:1])
			for i := 1; i < len(body); i += 8000 {
				<-time.After(time.Second)
				_, _ = io.WriteString(c, body[i:min(i+8000, len(body))])
			}
		}()
		if status, text := answerOf(t, c); status != 200 {
			t.Errorf("%d %s", status, text)
		}
		if len(f.bodies) != 1 || f.bodies[0] != body {
			t.Errorf("%d bodies came", len(f.bodies))
		}
	})
}

// It waits its turn, for memory say, and the client has sent all that the connection takes.
func TestASenderDoesNotPayForTheTimeThatTheServerTakes(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		f.ingest.Accepted, f.idles = 1, 70*time.Second
		c := p.dial()
		defer c.Close()
		body := `{"name":"` + strings.Repeat("x", 100_000) + `"}`
		go func() { _, _ = io.WriteString(c, head("/v1/events", f.key, len(body))+body) }()
		if status, text := answerOf(t, c); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	})
}

// Or it holds, for a minute, memory that others need.
func TestABodyThatDoesNotComeIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		for _, path := range []string{"/v1/events", "/v1/traces", "/batch", "/v1/batch", "/api/v1/projects", "/api/v1/login"} {
			for _, sent := range []int{0, 1, 5000} {
				key := f.key
				if path == "/api/v1/projects" {
					key = f.admin
				}
				began := time.Now()
				c := p.dial()
				go func() { _, _ = io.WriteString(c, head(path, key, 6000)+strings.Repeat(" ", sent)) }()
				status, text := answerOf(t, c)
				if status != 408 || !strings.Contains(text, "too slowly") {
					t.Errorf("%s after %d bytes: %d %s", path, sent, status, text)
				}
				if took := time.Since(began); took > 12*time.Second { // of the bubble's time
					t.Errorf("%s after %d bytes: answered after %v", path, sent, took)
				}
				if _, err := io.Copy(io.Discard, c); err != nil { // until the server has closed it
					t.Error(err)
				}
				_ = c.Close()
			}
		}
		if n := f.budget.Held(); n != 0 {
			t.Errorf("%d bytes are held for ever", n)
		}
	})
}

func TestABodyThatTricklesIsGivenUpWithinAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		for every, most := range map[time.Duration]time.Duration{time.Second: 11 * time.Second, time.Second / 5000: 61 * time.Second} {
			began := time.Now()
			c, wrote := p.dial(), make(chan struct{})
			go func() {
				defer close(wrote)
				_, err := io.WriteString(c, head("/v1/events", f.key, 1<<20))
				for err == nil {
					<-time.After(every)
					_, err = io.WriteString(c, " ")
				}
			}()
			if status, text := answerOf(t, c); status != 408 {
				t.Errorf("%d %s", status, text)
			}
			if took := time.Since(began); took > most {
				t.Errorf("a byte every %v: answered after %v", every, took)
			}
			_ = c.Close()
			<-wrote
		}
	})
}

// Net/http reads the rest of a body before it answers.
func TestWhoIsRefusedDoesNotKeepTheConnectionByABodyThatDoesNotEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		for path, key := range map[string]string{"/v1/events": "wk_wrong", "/api/v1/projects": "wrong", "/api/v1/none": f.admin} {
			began := time.Now()
			c := p.dial()
			go func() { _, _ = io.WriteString(c, head(path, key, 100)+"{") }()
			if status, text := answerOf(t, c); status != 401 && status != 404 && status != 405 {
				t.Errorf("%s: %d %s", path, status, text)
			}
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("%s: answered after %v", path, took)
			}
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Error(err)
			}
			_ = c.Close()
		}
	})
}

// A deadline of the body that stayed would end the request while it is answered.
func TestAnAnswerMayTakeLongerThanABody(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		for path, takes := range map[string]time.Duration{"/v1/events": 90 * time.Second, f.path("/query"): 20 * time.Second} {
			f.takes = takes
			key, body := f.key, "{}"
			if path != "/v1/events" {
				key, body = f.admin, `{"kind":"trend","from":"-7d"}`
			}
			c := p.dial()
			go func() { _, _ = io.WriteString(c, head(path, key, len(body))+body) }()
			if status, text := answerOf(t, c); status != 200 {
				t.Errorf("%s: %d %s", path, status, text)
			}
			_ = c.Close()
		}
	})
}

func TestALiveStreamLastsLongerThanABody(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		c := p.dial()
		defer c.Close()
		go func() {
			_, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", f.path("/live"), f.admin)
		}()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = io.Copy(io.Discard, res.Body)
		if took := time.Since(began); took < 59*time.Minute {
			t.Errorf("ended after %v: %v", took, err)
		}
	})
}

// Or it is held in memory for as long as the client likes.
func TestALargeAnswerThatNobodyReadsIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture, p *pipes) {
		for range 20_000 {
			f.ingest.Rejected = append(f.ingest.Rejected, weir.Rejection{Reason: "name_missing"})
		}
		for wait, whole := range map[time.Duration]bool{8 * time.Second: true, 12 * time.Second: false} {
			c := p.dial()
			go func() { _, _ = io.WriteString(c, head("/v1/events", f.key, 2)+"{}") }()
			in := bufio.NewReader(c)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			<-time.After(wait)
			_, err = io.Copy(io.Discard, res.Body)
			if (err == nil) != whole {
				t.Errorf("read after %v: %v", wait, err)
			}
			_ = c.Close()
		}
	})
}
