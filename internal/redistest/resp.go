package redistest

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// replyError is an error that Redis replied.
type replyError string

func (e replyError) Error() string { return string(e) }

// command sends one command over a new connection and reads its reply. The client
// is not the one under test, so that a fault of that one does not hide itself.
func command(ctx context.Context, addr string, conf *tls.Config, password string, args []string) ([]string, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if conf != nil {
		c = tls.Client(c, conf)
	}
	r := bufio.NewReader(c)
	if password != "" {
		if _, err := roundTrip(c, r, []string{"AUTH", password}); err != nil {
			return nil, err
		}
	}
	return roundTrip(c, r, args)
}

func roundTrip(w io.Writer, r *bufio.Reader, args []string) ([]string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return nil, err
	}
	return readReply(r)
}

// readReply reads a reply of RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/).
// A string or number is one element, nil is "", and arrays within an array are
// laid flat.
func readReply(r *bufio.Reader) ([]string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("an empty line for a reply")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return []string{rest}, nil
	case '-':
		return nil, replyError(rest)
	case '$', '*':
	default:
		return nil, fmt.Errorf("reply of unknown kind: %q", line)
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return nil, fmt.Errorf("length of a reply: %w", err)
	}
	if n < 0 {
		return []string{""}, nil
	}
	if kind == '$' {
		b := make([]byte, n+2) // and CRLF
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		return []string{string(b[:n])}, nil
	}
	var elements []string
	var failed error
	for range n {
		// An error in an array (EXEC) does not end it: read on, then report it.
		e, err := readReply(r)
		if _, replied := errors.AsType[replyError](err); err != nil && !replied {
			return nil, err
		}
		failed = cmp.Or(failed, err)
		elements = append(elements, e...)
	}
	return elements, failed
}
