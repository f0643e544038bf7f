package bench

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// conn is one keep-alive HTTP/1.1 connection that does nothing but POST. It
// costs a fraction of net/http's client, whose share of the machine would count
// against the server.
type conn struct {
	target *url.URL
	head   []byte // request line and headers, up to the length
	c      net.Conn
	r      *bufio.Reader
	text   *textproto.Reader
}

// lengthWidth is the room for a Content-Length, which is written over blanks.
const lengthWidth = 10

// requestTimeout bounds one request.
const requestTimeout = 30 * time.Second

func newConn(target *url.URL, key string) *conn {
	path := strings.TrimRight(target.EscapedPath(), "/") + "/v1/events"
	return &conn{target: target, head: fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nUser-Agent: weir-bench\r\nContent-Length: ",
		path, target.Host, key)}
}

// begin returns the start of a request, to which the caller appends the body; end
// completes it.
func (c *conn) begin(buf []byte) []byte {
	buf = append(buf[:0], c.head...)
	buf = append(buf, "          "[:lengthWidth]...)
	return append(buf, "\r\n\r\n"...)
}

func (c *conn) end(buf []byte) {
	at := len(c.head)
	size := len(buf) - at - lengthWidth - len("\r\n\r\n")
	var digits [20]byte
	s := strconv.AppendInt(digits[:0], int64(size), 10)
	copy(buf[at+lengthWidth-len(s):], s)
}

// reply is an answer. body is valid until the next request.
type reply struct {
	status     int
	retryAfter time.Duration
	body       []byte
}

// do sends a request and reads its answer. After an error the connection is made
// anew.
func (c *conn) do(ctx context.Context, request, scratch []byte) (reply, error) {
	if c.c == nil {
		if err := c.dial(ctx); err != nil {
			return reply{}, err
		}
	}
	r, keep, err := c.exchange(request, scratch)
	if err != nil || !keep {
		c.close()
	}
	return r, err
}

func (c *conn) close() {
	if c.c != nil {
		_ = c.c.Close()
		c.c = nil
	}
}

func (c *conn) dial(ctx context.Context) error {
	port := c.target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[c.target.Scheme]
	}
	d := net.Dialer{Timeout: requestTimeout}
	raw, err := d.DialContext(ctx, "tcp", net.JoinHostPort(c.target.Hostname(), port))
	if err != nil {
		return err
	}
	c.c = raw
	if c.target.Scheme == "https" {
		c.c = tls.Client(raw, &tls.Config{ServerName: c.target.Hostname(), MinVersion: tls.VersionTLS12})
	}
	if c.r == nil {
		c.r = bufio.NewReader(c.c)
		c.text = textproto.NewReader(c.r)
	}
	c.r.Reset(c.c)
	return nil
}

func (c *conn) exchange(request, scratch []byte) (r reply, keep bool, err error) {
	if err := c.c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return r, false, err
	}
	if _, err := c.c.Write(request); err != nil {
		return r, false, err
	}
	line, err := c.text.ReadLine()
	if err != nil {
		return r, false, fmt.Errorf("read the answer: %w", err)
	}
	if len(line) < 12 || !strings.HasPrefix(line, "HTTP/1.") {
		return r, false, errors.New("the answer is not HTTP/1.1")
	}
	if r.status, err = strconv.Atoi(line[9:12]); err != nil {
		return r, false, errors.New("the answer has no status")
	}
	keep = line[7] == '1'
	length, chunked := int64(-1), false
	for {
		h, err := c.text.ReadLineBytes()
		if err != nil {
			return r, false, fmt.Errorf("read the answer: %w", err)
		}
		if len(h) == 0 {
			break
		}
		name, value, _ := strings.Cut(string(h), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			if length, err = strconv.ParseInt(value, 10, 64); err != nil || length < 0 || length > maxReply {
				return r, false, fmt.Errorf("the answer's length is %q", value)
			}
		case "transfer-encoding":
			chunked = strings.EqualFold(value, "chunked")
		case "connection":
			keep = !strings.EqualFold(value, "close")
		case "retry-after":
			if s, err := strconv.Atoi(value); err == nil {
				r.retryAfter = time.Duration(s) * time.Second
			}
		}
	}
	r.body, keep, err = c.body(scratch, r.status, length, chunked, keep)
	return r, keep, err
}

// maxReply bounds an answer; a whole batch rejected with details is far below.
const maxReply = 16 << 20

func (c *conn) body(scratch []byte, status int, length int64, chunked, keep bool) ([]byte, bool, error) {
	var err error
	switch {
	case status == 204 || status == 304:
		return nil, keep, nil
	case chunked:
		if scratch, err = io.ReadAll(io.LimitReader(httputil.NewChunkedReader(c.r), maxReply)); err == nil {
			_, err = c.text.ReadLineBytes() // the line after the last chunk
		}
	case length < 0:
		scratch, err = io.ReadAll(io.LimitReader(c.r, maxReply))
		keep = false
	default:
		if int64(cap(scratch)) < length {
			scratch = make([]byte, length)
		}
		scratch = scratch[:length]
		_, err = io.ReadFull(c.r, scratch)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the answer: %w", err)
	}
	return scratch, keep, nil
}
