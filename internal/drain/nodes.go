package drain

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rosterGroup is what the nodes that drain are called in the roster.
const rosterGroup = "drain"

// Topics of the bus. What they carry is a shard and a seq.
const (
	topicWant = "drain.want" // a node waits until the seq is committed
	topicDone = "drain.done" // it is
)

// attend says that this node is here, and takes its part of the shards: of n
// nodes in order, the i-th drains each shard whose number is i modulo n. All
// nodes see the same roster, so they agree; while they do not, leases decide.
func (d *Drain) attend(ctx context.Context) {
	names := []string{d.opt.Owner}
	if d.opt.Roster != nil {
		got, err := d.opt.Roster.Announce(ctx, rosterGroup, d.opt.Owner, d.opt.LeaseTTL)
		if err != nil {
			if ctx.Err() == nil {
				d.unread.Down(err)
			}
			return
		}
		d.unread.Up()
		names = got
	}
	at := slices.Index(names, d.opt.Owner)
	for i, s := range d.shards {
		mine := i%len(names) == at
		if s.mine.Swap(mine) != mine {
			d.opt.Logger.Debug("drain: shard assigned", "shard", i, "here", mine, "nodes", len(names))
			s.nudge()
		}
	}
}

func (d *Drain) attendUntil(ctx context.Context) {
	// Often, so that the shards of a node that is gone move soon after its lease.
	t := time.NewTicker(d.opt.LeaseTTL / 8)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			d.attend(ctx)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = d.opt.Roster.Leave(ctx, rosterGroup, d.opt.Owner)
			return
		}
	}
}

// want asks whoever drains the shard to reach the seq now.
func (s *shard) want(ctx context.Context, seq uint64) {
	s.nudge()
	if s.opt.Bus == nil || s.owned.Load() {
		return
	}
	_ = s.opt.Bus.Publish(ctx, topicWant, signal(s.n, seq)) // lost, it is sent again by follow
	s.nudgeFollow()
}

func (s *shard) tellDone(ctx context.Context) {
	if s.opt.Bus != nil {
		_ = s.opt.Bus.Publish(ctx, topicDone, signal(s.n, s.committed))
	}
}

func (d *Drain) nudgeFollow() {
	select {
	case d.look <- struct{}{}:
	default:
	}
}

// listen hears what other nodes want and have done.
func (d *Drain) listen(ctx context.Context) {
	// Its only error is that ctx is done.
	_ = d.opt.Bus.Subscribe(ctx, []string{topicWant, topicDone}, func(topic string, message []byte) {
		n, seq, ok := parseSignal(message)
		if !ok || n >= len(d.shards) {
			return
		}
		s := d.shards[n]
		switch {
		case topic == topicWant && s.owned.Load():
			s.progress.ask(seq)
			s.nudge()
		case topic == topicDone && !s.owned.Load():
			d.nudgeFollow()
		}
	})
}

const (
	followEvery   = 250 * time.Millisecond
	followWaiting = 20 * time.Millisecond // while somebody waits: messages may be lost
)

// follow learns how far other nodes have drained their shards. Messages only
// make it look sooner; what it goes by is the log.
func (d *Drain) follow(ctx context.Context) {
	for {
		every := followEvery
		for _, s := range d.shards {
			if s.owned.Load() {
				continue
			}
			if err := s.lookUp(ctx); err != nil && ctx.Err() == nil {
				d.opt.Failed(s.n, err)
			}
			if seq := s.progress.waited(); seq > 0 {
				every = followWaiting
				_ = s.opt.Bus.Publish(ctx, topicWant, signal(s.n, seq)) // the first may have been lost
			}
		}
		t := time.NewTimer(every)
		select {
		case <-d.look:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// lookUp reads how far the shard is. It is complete up to the time before that,
// if all was committed.
func (s *shard) lookUp(ctx context.Context) error {
	now := s.clock.look(s.opt.Clock)
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return err
	}
	if p.Committed < p.Head {
		now = moment{}
	}
	s.progress.reached(p.Committed, now)
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
