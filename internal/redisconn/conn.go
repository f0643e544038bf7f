// Package redisconn connects to Redis by URL (standalone, behind Sentinel, or a Cluster),
// checks the servers' configuration, and explains what is wrong with it.
package redisconn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/outage"
)

// Options of a connection; zero values are the defaults.
type Options struct {
	// Wait is how long Open tries again while Redis is not there or still loads
	// its data; 0 is once, Forever is until its context ends.
	Wait    time.Duration
	Timeout time.Duration // of one command and of connecting; 5 s
	// Durable says that what is kept there must not be lost: an evicting Redis
	// is refused, one without append-only file is warned of.
	Durable bool
	// Insecure lets a Redis that asks for no password be on an address that others
	// can reach. Without it such a Redis is refused.
	Insecure bool
	Logger   *slog.Logger

	treatLoopbackAsRemote bool // for tests: takes loopback addresses for others
}

// Forever has no end.
const Forever time.Duration = math.MaxInt64

func (o *Options) defaults() {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Open connects and checks each node that can be a master. The caller closes
// the client. Errors say what to do about them; none holds a password.
func Open(ctx context.Context, u URL, o Options) (rueidis.Client, error) {
	o.defaults()
	c, err := clientOption(u, o)
	if err != nil {
		return nil, err
	}
	waiting := outage.New(o.Logger, nil, "waiting for Redis", "Redis is there")
	for began := time.Now(); ; {
		client, err := dial(ctx, c, u, o)
		if err == nil {
			waiting.Up("url", u.String())
			return client, nil
		}
		if !passing(err) || time.Since(began) > o.Wait {
			return nil, fmt.Errorf("%s: %w", u, Explain(err))
		}
		waiting.Down(Explain(err), "url", u.String())
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func dial(ctx context.Context, c rueidis.ClientOption, u URL, o Options) (rueidis.Client, error) {
	client, err := rueidis.NewClient(c)
	if err != nil {
		return nil, err
	}
	if err := check(ctx, client, u, o); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

func clientOption(u URL, o Options) (rueidis.ClientOption, error) {
	c := rueidis.ClientOption{
		InitAddress: u.Addrs,
		Username:    u.User, Password: u.Password,
		SelectDB:     u.DB,
		ClientName:   "weir",
		DisableCache: true, // of values on the client: nothing here is read twice
		Dialer:       net.Dialer{Timeout: o.Timeout, KeepAlive: o.Timeout},
		// Also how long a silent server is waited for.
		ConnWriteTimeout:   o.Timeout,
		ReadBufferEachConn: 64 << 10, WriteBufferEachConn: 64 << 10,
		BlockingPoolCleanup: time.Minute,
		ForceSingleClient:   u.Kind == Standalone,
	}
	if u.TLS {
		t, err := tlsConfig(u)
		if err != nil {
			return c, err
		}
		c.TLSConfig = t
	}
	if u.Kind == Cluster {
		// Else the client asks who is in the cluster after errors only, and never
		// learns of a new replica.
		c.ClusterOption.ShardsRefreshInterval = 10 * time.Second
	}
	if u.Kind == Sentinel {
		c.Sentinel = rueidis.SentinelOption{
			MasterSet: u.Master, Username: u.SentinelUser, Password: u.SentinelPassword,
			ClientName: "weir", TLSConfig: c.TLSConfig, Dialer: c.Dialer,
			// The announcement of a new master may be missed, and an old one that
			// is a replica now keeps its connections.
			TopologyRefreshInterval: 5 * time.Second,
		}
	}
	return c, nil
}

func tlsConfig(u URL) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: u.InsecureSkipVerify} //nolint:gosec // when the URL asks for it
	if u.CAFile != "" {
		pem, err := os.ReadFile(u.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate in PEM form", u.CAFile)
		}
	}
	if u.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(u.CertFile, u.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	if u.Kind == Standalone {
		host, _, err := net.SplitHostPort(u.Addrs[0])
		if err != nil {
			return nil, err
		}
		t.ServerName = host
	}
	return t, nil
}

// passing says whether an error of connecting may go away by itself.
func passing(err error) bool {
	if Busy(err) {
		return true
	}
	var redis *rueidis.RedisError
	return !errors.As(err, &redis) && !errors.As(err, new(*guardError)) && !untrusted(err)
}

// untrusted says whether the two sides do not agree on TLS.
func untrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	// An alert, the server's or our own.
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}
