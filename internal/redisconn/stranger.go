package redisconn

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
)

// A password in the URL does not say that Redis asks for one. So each server is
// called once as by a stranger, without password and certificate.

const (
	noPassword = "this Redis asks for no password, so whoever can reach it reads and changes what Weir keeps there"
	setOne     = "set requirepass or a user of its own, and give them in the URL: redis://USER:PASSWORD@HOST"
)

// checkStrangers refuses servers that take commands from everybody who can reach
// them, unless only this machine can, or the options allow it. Of sentinels it only
// warns: they hold no data, but they name the server that gets it.
func checkStrangers(ctx context.Context, nodes []Node, u URL, o Options) error {
	var addrs []string
	for _, n := range nodes {
		if n.Err == nil {
			addrs = append(addrs, n.Addr)
		}
	}
	open, err := o.open(ctx, addrs, u, "EXISTS", u.Prefix+":log")
	if err != nil {
		return err
	}
	for _, d := range open {
		if !d.loopback && !o.Insecure {
			return &guardError{fmt.Sprintf("%s: %s, and it is not on a loopback address; %s; or start with --insecure-redis, if nobody else can reach it", d.addr, noPassword, setOne)}
		}
	}
	if len(open) > 0 {
		o.Logger.Warn(noPassword+"; "+setOne, "addrs", addrsOf(open))
	}
	if u.Kind != Sentinel {
		return nil
	}
	if open, err = o.open(ctx, u.Addrs, u, "PING"); err == nil && len(open) > 0 {
		o.Logger.Warn("these sentinels ask for no password, so whoever can reach them can name another Redis as the master; "+
			"set requirepass there, and sentinel_password in the URL", "addrs", addrsOf(open))
	}
	return nil
}

// door is a server that takes commands from strangers.
type door struct {
	addr     string
	loopback bool
}

func addrsOf(doors []door) (addrs []string) {
	for _, d := range doors {
		addrs = append(addrs, d.addr)
	}
	return addrs
}

// open returns those of the servers that take a command from a stranger.
func (o Options) open(ctx context.Context, addrs []string, u URL, command ...string) (open []door, err error) {
	type answer struct{ takes, loopback bool }
	answers, errs := Gather(ctx, len(addrs), func(i int) (a answer, err error) {
		a.takes, a.loopback, err = o.stranger(ctx, addrs[i], u, command)
		return a, err
	})
	for i, a := range answers {
		if a.takes {
			open = append(open, door{addrs[i], a.loopback})
		}
		if errs[i] != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", addrs[i], errs[i]))
		}
	}
	return open, err
}

// stranger says whether the server accepts a command from a client without password and
// certificate, and whether it is on a loopback address. A server that closes the connection does
// not accept it; one that does not answer is an error.
func (o Options) stranger(ctx context.Context, addr string, u URL, command []string) (takes, loopback bool, err error) {
	conn, err := (&net.Dialer{Timeout: o.Timeout}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false, false, err
	}
	defer conn.Close()
	if a, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		loopback = a.Addr().Unmap().IsLoopback() && !o.treatLoopbackAsRemote
	}
	if err := conn.SetDeadline(time.Now().Add(o.Timeout)); err != nil {
		return false, loopback, err
	}
	if u.TLS {
		conn = tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}) //nolint:gosec // nothing secret is sent or believed
	}
	_, err = io.WriteString(conn, strings.Join(command, " ")+"\r\n") // an inline command
	var reply string
	if err == nil {
		reply, err = bufio.NewReader(conn).ReadString('\n')
	}
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, loopback, err
		}
		return false, loopback, nil
	}
	word, _, _ := strings.Cut(strings.TrimSpace(reply), " ")
	return !slices.Contains([]string{"-NOAUTH", "-NOPERM", "-WRONGPASS", "-DENIED"}, word), loopback, nil
}
