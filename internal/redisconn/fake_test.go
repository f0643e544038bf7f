package redisconn_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fake is a server that speaks as much of Redis as a client needs to look at
// it: a real one of an old version, or one that loads for as long as a test
// wants, is not to be had.
type fake struct {
	Addr string

	mu      sync.Mutex
	info    string // what INFO says
	loading int    // so many more times it says that it loads
	asked   int    // so many times was INFO asked
}

func startFake(t *testing.T, info string, loading int) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{Addr: l.Addr().String(), info: info, loading: loading}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return f
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		words, err := readCommand(r)
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, f.answer(words)); err != nil {
			return
		}
	}
}

func (f *fake) answer(words []string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch strings.ToUpper(words[0]) {
	case "HELLO":
		return "%2\r\n+version\r\n+6.2.0\r\n+proto\r\n:3\r\n"
	case "INFO":
		f.asked++
		info := f.info + "loading:0\r\n"
		if f.loading > 0 {
			f.loading--
			info = f.info + "loading:1\r\n"
		}
		return fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
	case "PING":
		return "+PONG\r\n"
	}
	return "+OK\r\n"
}

// readCommand reads an array of bulk strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	count := func(kind byte) (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line[0] != kind {
			return 0, fmt.Errorf("%q is not a command", line)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := count('*')
	if err != nil {
		return nil, err
	}
	words := make([]string, n)
	for i := range words {
		size, err := count('$')
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		words[i] = string(b[:size])
	}
	return words, nil
}
