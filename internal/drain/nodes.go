package drain

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rosterGroup is the name of the draining nodes' group in the roster.
const rosterGroup = "drain"

// Topics of the bus. A message carries a shard and a seq.
const (
	topicRequest   = "drain.want" // a node waits until the seq is committed
	topicCommitted = "drain.done" // the seq is committed
)

// joinRoster announces this node in the roster and assigns shards to it: of n nodes in
// order, the i-th drains the shards i, i+n, i+2n … All nodes read the same roster, so
// they agree. While they do not (a node just joined or left), the leases decide.
func (d *Drain) joinRoster(ctx context.Context) {
	names := []string{d.opt.Owner}
	if d.opt.Roster != nil {
		got, err := d.opt.Roster.Announce(ctx, rosterGroup, d.opt.Owner, d.opt.LeaseTTL)
		if err != nil {
			if ctx.Err() == nil {
				d.rosterOutage.Down(err)
			}
			return
		}
		d.rosterOutage.Up()
		names = got
	}
	at := slices.Index(names, d.opt.Owner)
	for i, s := range d.shards {
		mine := i%len(names) == at
		if s.mine.Swap(mine) != mine {
			d.opt.Logger.Debug("drain: shard assigned", "shard", i, "here", mine, "nodes", len(names))
			s.wakeUp()
		}
	}
}

func (d *Drain) keepInRoster(ctx context.Context) {
	// More often than needed to stay in the roster: the shards of a lost node should
	// move soon after its lease ends.
	t := time.NewTicker(d.opt.LeaseTTL / 8)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			d.joinRoster(ctx)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = d.opt.Roster.Leave(ctx, rosterGroup, d.opt.Owner)
			return
		}
	}
}

// requestDrain asks the node that drains the shard to commit up to seq now.
func (s *shard) requestDrain(ctx context.Context, seq uint64) {
	s.wakeUp()
	if s.opt.Bus == nil || s.owned.Load() {
		return
	}
	_ = s.opt.Bus.Publish(ctx, topicRequest, signal(s.n, seq)) // if it is lost, follow sends it again
	s.wakeFollow()
}

func (s *shard) publishCommitted(ctx context.Context) {
	if s.opt.Bus != nil {
		_ = s.opt.Bus.Publish(ctx, topicCommitted, signal(s.n, s.committed))
	}
}

func (d *Drain) wakeFollow() {
	select {
	case d.followNow <- struct{}{}:
	default:
	}
}

// listen receives the requests and commits of other nodes.
func (d *Drain) listen(ctx context.Context) {
	// Subscribe returns an error only when ctx is done.
	_ = d.opt.Bus.Subscribe(ctx, []string{topicRequest, topicCommitted}, func(topic string, message []byte) {
		n, seq, ok := parseSignal(message)
		if !ok || n >= len(d.shards) {
			return
		}
		s := d.shards[n]
		switch {
		case topic == topicRequest && s.owned.Load():
			s.progress.request(seq)
			s.wakeUp()
		case topic == topicCommitted && !s.owned.Load():
			d.wakeFollow()
		}
	})
}

const (
	followEvery   = 250 * time.Millisecond
	followWaiting = 20 * time.Millisecond // while a barrier waits: messages may be lost
)

// follow reads from the log how far other nodes have drained their shards. Messages
// of the bus only make it read sooner.
func (d *Drain) follow(ctx context.Context) {
	for {
		every := followEvery
		for _, s := range d.shards {
			if s.owned.Load() {
				continue
			}
			if err := s.readProgress(ctx); err != nil && ctx.Err() == nil {
				d.opt.Failed(s.n, err)
			}
			if seq := s.progress.highestWaited(); seq > 0 {
				every = followWaiting
				_ = s.opt.Bus.Publish(ctx, topicRequest, signal(s.n, seq)) // the first message may be lost
			}
		}
		t := time.NewTimer(every)
		select {
		case <-d.followNow:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// readProgress reads how far the shard is. If everything was committed, the shard is
// complete up to the time just before the read.
func (s *shard) readProgress(ctx context.Context) error {
	complete := s.clock.look(s.opt.Clock)
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return err
	}
	if p.Committed < p.Head {
		complete = moment{}
	}
	s.progress.reached(p.Committed, complete)
	return nil
}

func signal(shard int, seq uint64) []byte {
	b := strconv.AppendInt(nil, int64(shard), 10)
	return strconv.AppendUint(append(b, ' '), seq, 10)
}

func parseSignal(b []byte) (shard int, seq uint64, ok bool) {
	n, q, ok := strings.Cut(string(b), " ")
	shard, err1 := strconv.Atoi(n)
	seq, err2 := strconv.ParseUint(q, 10, 64)
	return shard, seq, ok && err1 == nil && err2 == nil && shard >= 0
}
