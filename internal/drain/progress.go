package drain

import (
	"slices"
	"sync"
)

// progress is how far a shard is, for those who wait for it.
type progress struct {
	mu        sync.Mutex
	committed uint64
	// complete is a moment: what was acknowledged before it is committed. Zero
	// when none is known.
	complete  moment
	updates   uint64 // counts calls of reached
	requested uint64 // up to where another node waits
	waiters   []waiter
}

type waiter struct {
	seq  uint64
	done chan struct{}
}

// heard is how many news of the shard there have been, for wait.
func (p *progress) version() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updates
}

// wait returns a channel that is closed once seq is committed, nil if it is.
// heard is from before the caller read in the log that seq is not committed:
// only news since then count, since a log that was restored to an older state
// makes older news wrong.
func (p *progress) wait(seq, version uint64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.updates > version && p.committed >= seq {
		return nil
	}
	w := waiter{seq, make(chan struct{})}
	p.waiters = append(p.waiters, w)
	return w.done
}

// forget removes the waiter whose channel this is.
func (p *progress) removeWaiter(done <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(w waiter) bool { return w.done == done })
}

// ask notes that another node waits for the seq.
func (p *progress) request(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requested = max(p.requested, seq)
}

// forgetAsked forgets what other nodes waited for: it may be of a log that was
// longer. Who still waits asks again.
func (p *progress) clearRequested() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requested = 0
}

// wanted says whether anybody waits.
func (p *progress) hasWaiter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiters) > 0 || p.requested > p.committed
}

// waited is the seq that somebody of this node waits for, the last if there are
// several, 0 if there is none.
func (p *progress) highestWaited() (seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiters {
		seq = max(seq, w.seq)
	}
	return seq
}

// reached records what the log says is committed, which is less than before when
// the log was restored to an older state, and up to when the shard is complete
// by it; zero when that is not known.
func (p *progress) reached(seq uint64, complete moment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.committed = seq
	p.updates++
	if complete.mono.After(p.complete.mono) {
		p.complete = complete
	}
	p.waiters = slices.DeleteFunc(p.waiters, func(w waiter) bool {
		if w.seq > seq {
			return false
		}
		close(w.done)
		return true
	})
}

func (p *progress) completeAt() moment {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.complete
}
