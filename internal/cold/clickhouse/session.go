package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	chgo "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/weir-analytics/weir/internal/cold"
)

// writer keeps connections for writing: below clickhouse-go, since only there are
// columns filled without a box for each value.
type writer struct {
	url  *URL
	turn chan struct{} // of replicated tables, which take one insert at a time

	mu     sync.Mutex
	idle   []*session
	first  int // in url.Addrs, the one to try first
	closed bool
}

func newWriter(u *URL) *writer { return &writer{url: u, turn: make(chan struct{}, 1)} }

// session is a connection with the blocks that go over it. It is not safe for
// concurrent use.
type session struct {
	url       *URL
	client    *chgo.Client
	blocks    map[string]*block // by table
	sightings cold.Sightings
	linked    cold.Linked
	marked    time.Time // time of the newest mark of an erasure that it read
}

// idleMost is how many connections wait for work: one a shard is usual.
const idleMost = 16

// take is a connection that was idle, or a new one.
func (w *writer) acquire(ctx context.Context) (*session, error) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(w.idle); n > 0 {
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		if !c.client.IsClosed() {
			return c, nil
		}
	} else {
		w.mu.Unlock()
	}
	return w.dial(ctx)
}

// dial tries the addresses in turn, first the one that answered last.
func (w *writer) dial(ctx context.Context) (*session, error) {
	w.mu.Lock()
	first := w.first
	w.mu.Unlock()
	var errs []error
	for i := range w.url.Addrs {
		at := (first + i) % len(w.url.Addrs)
		client, err := w.url.connect(ctx, w.url.Addrs[at])
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.mu.Lock()
		w.first = at
		w.mu.Unlock()
		return &session{url: w.url, client: client, blocks: map[string]*block{}}, nil
	}
	return nil, errors.Join(errs...)
}

// connect returns once the server at an address has greeted, or ctx is done: ch-go waits
// for a greeting without looking at ctx.
func (u *URL) connect(ctx context.Context, address string) (*chgo.Client, error) {
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{Timeout: dialTimeout}
	if u.TLS != nil {
		dialer = &tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: u.TLS}
	}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	client, err := chgo.Connect(ctx, conn, chgo.Options{
		Database: u.Database, User: u.User, Password: u.Password,
		ClientName: "weir", HandshakeTimeout: dialTimeout, ReadTimeout: writeTimeout,
		Settings: u.insertSettings(),
	})
	if err != nil {
		_ = conn.Close()
		return nil, withCause(ctx, err)
	}
	return client, nil
}

// withCause returns err as what ended ctx, where that is so.
func withCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// insertSettings hold for each insert, and for what a writer looks up. ClickHouse of
// another version that does not know one ignores it.
func (u *URL) insertSettings() []chgo.Setting {
	set := []chgo.Setting{
		chgo.SettingInt("async_insert", 0),
		chgo.SettingInt("insert_deduplicate", 1),
		// An import may have events of many months.
		chgo.SettingInt("max_partitions_per_insert_block", 0),
		// A Distributed table answers when the shards have the rows.
		chgo.SettingInt("insert_distributed_sync", 1),
	}
	for _, q := range u.quorum() {
		set = append(set, chgo.Setting{Key: q.setting, Value: q.value, Important: true})
	}
	return set
}

// give takes a connection back. After an error it is not used again: ClickHouse
// closes it a moment after it refused an insert whose rows were on their way.
func (w *writer) give(c *session, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if away(err) { // then the others are likely to be broken too
		w.drop()
	}
	if w.closed || c.client.IsClosed() || len(w.idle) == idleMost || err != nil {
		_ = c.client.Close()
		return
	}
	w.idle = append(w.idle, c)
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.drop()
}

// drop ends the idle connections. w.mu is held.
func (w *writer) drop() {
	for _, c := range w.idle {
		_ = c.client.Close()
	}
	w.idle = nil
}

// blockOf returns the session's block for a table, empty.
func blockOf[R any](c *session, t *table[R]) *block {
	b := c.blocks[t.name]
	if b == nil {
		b = newBlock(t)
		c.blocks[t.name] = b
	}
	b.reset()
	return b
}

// do sends a query, and returns once it is answered or ctx is done: ch-go waits for the
// server's next packet before it looks at ctx, also for a query that it has not sent. A
// session whose query was given up is closed, and whether the query had effect is unknown.
func (c *session) do(ctx context.Context, q chgo.Query) error {
	defer context.AfterFunc(ctx, func() { _ = c.client.Close() })()
	if err := c.client.Do(ctx, q); err != nil {
		return withCause(ctx, err)
	}
	return nil
}

func (c *session) insert(ctx context.Context, table, token string, b *block) error {
	return c.do(ctx, chgo.Query{
		Body: b.input.Into(table), Input: b.input,
		Settings: []chgo.Setting{{Key: "insert_deduplication_token", Value: token, Important: true}},
	})
}

// exec runs a statement that answers nothing.
func (c *session) exec(ctx context.Context, q string) error {
	return c.do(ctx, chgo.Query{Body: q})
}

// ask runs a query and calls each for each block of its answer. Arguments are
// bound to {NAME:TYPE}.
func (c *session) ask(ctx context.Context, q string, args map[string]any, wanted []chgo.ExternalTable, result proto.Results, each func()) error {
	return c.do(ctx, chgo.Query{
		Body: q, Parameters: chgo.Parameters(args), ExternalTables: wanted, Result: result,
		OnResult: func(context.Context, proto.Block) error { each(); return nil },
	})
}

// hasBatch says whether a batch is in, whole.
func (c *session) hasBatch(ctx context.Context, token string) (bool, error) {
	n := 0
	var tokens proto.ColStr
	err := c.ask(ctx, "SELECT token FROM batches WHERE token = {token:String} LIMIT 1", map[string]any{"token": token}, nil,
		proto.Results{{Name: "token", Data: &tokens}}, func() { n += tokens.Rows() })
	if err != nil {
		return false, fmt.Errorf("look up the token: %w", err)
	}
	return n > 0, nil
}
