package redis

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redisconn"
)

//go:embed scripts/append.lua
var appendText string

var appendScript = newScript(appendText)

// writer appends to one shard. It has one call under way at a time, on a
// connection of its own; what arrives meanwhile gathers and goes together. So
// events keep the order of their appends, and the busier a shard is, the fewer
// calls an event costs.
type writer struct {
	s     *Store
	shard int
	queue chan *piece
	group *group
	gen   generation
	back  *lookback // nil asks Redis

	cleared int64 // how often sketches of the shard were cleared; the group's marks are of after that

	connection                 // without one, the next call takes one
	coming     chan connection // one that is being made
	server     string          // what marks and back were learned from; see meet
}

type connection struct {
	conn    rueidis.DedicatedClient
	release func()
}

func newWriter(s *Store, shard int) *writer {
	return &writer{s: s, shard: shard, queue: make(chan *piece, 256), group: newGroup(), gen: generation{bits: 13}}
}

// Append implements hot.Log: one atomic step a shard, several for more than
// maxGroup events or maxBytes of one.
func (s *Store) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	if len(items) == 0 {
		return nil, nil
	}
	if err := errors.Join(ctx.Err(), s.usable()); err != nil {
		return nil, err
	}
	homes, err := s.homes(ctx, items)
	if err != nil {
		return nil, err
	}
	pieces := s.splitByShard(items, homes)
	done, until := make(chan struct{}, len(pieces)), time.Now().Add(s.opt.Timeout)
	queued := 0
queue:
	for _, p := range pieces {
		p.done, p.until = done, until
		select {
		case s.writers[p.shard].queue <- p:
			queued++
		case <-s.stop:
			err = hot.ErrClosed
			break queue
		case <-ctx.Done():
			err = ctx.Err()
			break queue
		}
	}
	if err = cmp.Or(err, s.answered(ctx, done, queued)); err != nil {
		for _, p := range pieces {
			p.abandon()
		}
		return nil, err
	}
	var known []int
	for _, p := range pieces {
		err = cmp.Or(err, p.err)
		for i := range p.entries {
			if p.entries[i].known {
				known = append(known, p.entries[i].index)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(known)
	return known, nil
}

// answered waits for n answers. Errors: ctx's, and hot.ErrClosed when the store
// closes before it has seen all of them.
func (s *Store) answered(ctx context.Context, done <-chan struct{}, n int) error {
	for range n {
		select {
		case <-done:
			continue
		default:
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ended: // after it nobody answers
			select {
			case <-done:
			default:
				return hot.ErrClosed
			}
		}
	}
	return nil
}

// abandon ends the reading of the piece's events. If they were sent already, it stays unknown
// whether they were stored.
func (p *piece) abandon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abandoned = true
}

// splitByShard splits a request into pieces: each of one shard, with at most maxGroup
// events and maxBytes. homes are the shards of items that do not go to their sender's.
func (s *Store) splitByShard(items []hot.Item, homes map[int]int) []*piece {
	pieces := make([]*piece, 0, s.opt.Shards)
	last := make([]*piece, s.opt.Shards)
	for i, it := range items {
		e := it.Event
		shard, size := hot.ShardOf(e, s.opt.Shards), hot.RecordSize(e)
		if home, ok := homes[i]; ok {
			shard = home
		}
		p := last[shard]
		if p == nil || len(p.entries) == maxGroup || p.bytes+size > maxBytes {
			p = &piece{shard: shard, entries: make([]entry, 0, min(maxGroup, (len(items)-i)/s.opt.Shards+8))}
			last[shard] = p
			pieces = append(pieces, p)
		}
		p.entries = append(p.entries, entry{item: it, index: i, id: hot.DedupID(e)})
		p.bytes += size
	}
	return pieces
}

func (w *writer) run() {
	defer w.close()
	var pieces []*piece
	var left *piece // did not fit
	for {
		pieces = pieces[:0]
		if left == nil {
			select {
			case left = <-w.queue:
			case <-w.s.stop:
				w.refuse()
				return
			}
		}
		events, bytes := 0, 0
	gather:
		for {
			pieces = append(pieces, left)
			events += len(left.entries)
			bytes += left.bytes
			left = nil
			select {
			case left = <-w.queue:
				if events+len(left.entries) > maxGroup || bytes+left.bytes > maxBytes {
					break gather
				}
			default:
				break gather
			}
		}
		err := w.append(pieces)
		for _, p := range pieces {
			p.err = err
			p.done <- struct{}{}
		}
	}
}

// refuse answers what is queued when the store closes.
func (w *writer) refuse() {
	for {
		select {
		case p := <-w.queue:
			p.err = hot.ErrClosed
			p.done <- struct{}{}
		default:
			return
		}
	}
}

// append sends the pieces until Redis has all events that are no duplicates. The first
// has waited longest: the time of all ends with its.
func (w *writer) append(pieces []*piece) error {
	ctx, cancel := context.WithDeadline(context.Background(), pieces[0].until)
	defer cancel()
	for {
		answer, err := w.call(ctx, pieces)
		if redisconn.Moving(err) {
			// Refused, and nothing done. The next connection goes where the
			// shard is then.
			w.drop()
			if pause(ctx, moveWait) {
				continue
			}
		}
		if err != nil {
			if !redisconn.Full(err) { // a refusal that says nothing against the connection
				w.drop()
			}
			return w.s.fault(fmt.Sprintf("append to shard %d", w.shard), err)
		}
		switch answer.word {
		case "":
			return nil
		case "ok":
			w.group.appended()
			return nil
		case "known":
			w.group.found(answer.numbers)
		case "stale":
			is := answer.known()
			if w.gen = is.generation; is.cleared != w.cleared {
				w.cleared = is.cleared
				clear(w.group.marks)
			}
		}
	}
}

// build makes a call of what the pieces have left. Their senders wait for it:
// after it their events are not read any more.
func (w *writer) build(pieces []*piece) (keys, args []string) {
	for _, p := range pieces {
		p.mu.Lock()
		defer p.mu.Unlock()
	}
	w.group.fill(pieces)
	if len(w.group.entries) == 0 {
		return nil, nil
	}
	w.look(w.gen)
	return w.group.build(w)
}

// answer is what the append script returns; without a word nothing was left to
// send.
type answer struct {
	word    string
	numbers []int64
}

// known returns what an answer "stale" says.
func (a answer) known() known {
	return known{generation{a.numbers[0], int(a.numbers[1]), int(a.numbers[2])}, a.numbers[3]}
}

// call connects before it builds: what the writer remembers may not be true of a
// new connection.
func (w *writer) call(ctx context.Context, pieces []*piece) (answer, error) {
	if err := w.connect(ctx); err != nil {
		return answer{}, err
	}
	keys, args := w.build(pieces)
	if len(keys) == 0 {
		return answer{}, nil
	}
	r, err := appendScript.on(ctx, w.conn, w.s.replica, keys, args)
	if err != nil {
		return answer{}, err
	}
	return readAnswer(r)
}

func readAnswer(r rueidis.RedisResult) (a answer, err error) {
	parts, err := r.ToArray()
	if err != nil {
		return a, err
	}
	for i, p := range parts {
		if i == 0 {
			if a.word, err = p.ToString(); err != nil {
				return a, err
			}
			continue
		}
		n, err := p.AsInt64()
		if err != nil {
			return a, err
		}
		a.numbers = append(a.numbers, n)
	}
	return a, nil
}

// connect takes a connection, if there is none. Dialing a new one does not end with the context:
// a caller whose time is over returns, and the next call uses the connection.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	if w.coming == nil {
		coming := make(chan connection, 1)
		w.coming = coming
		go func() {
			conn, release := w.s.client.Dedicate()
			coming <- connection{conn, release}
		}()
	}
	select {
	case w.connection = <-w.coming:
		w.coming = nil
		return w.meet(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// meet identifies the server of a new connection. If it is the same process of Redis and was the
// master all the time, it has everything that it acknowledged. Otherwise the writer's caches may
// be wrong, and are emptied.
func (w *writer) meet(ctx context.Context) error {
	b := w.conn.B()
	// The first command has a key, for in a Cluster it says which server the connection is to.
	got := w.conn.DoMulti(ctx, b.Exists().Key(w.s.keys.shards[w.shard]).Build(), b.Info().Section("server", "replication").Build())
	if err := got[0].Error(); err != nil {
		return err
	}
	raw, err := got[1].ToString()
	if err != nil {
		return err
	}
	info := redisconn.ParseInfo(raw)
	// A promotion gives a new replication id, a restart a new run id.
	if server := info["run_id"] + " " + info["master_replid"]; server != w.server {
		w.forget()
		w.server = server
	}
	return nil
}

// drop gives the connection back; one that has failed is not used again.
func (w *writer) drop() {
	if w.conn != nil {
		w.release()
		w.connection = connection{}
	}
}

// close drops the connection, and one that is being made.
func (w *writer) close() {
	w.drop()
	w.forget()
	if w.coming != nil {
		w.connection = <-w.coming
		w.drop()
	}
}
