package drain

import (
	"slices"
	"sync"
	"time"
)

// progress is a shard's committed seq, for those who wait for it.
type progress struct {
	mu        sync.Mutex
	committed uint64
	complete  time.Time // everything acknowledged before it is committed
	asked     uint64    // up to where another node waits
	waiters   []waiter
}

type waiter struct {
	seq  uint64
	done chan struct{}
}

// wait returns a channel that is closed once seq is committed, nil if it is.
func (p *progress) wait(seq uint64) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.committed >= seq {
		return nil
	}
	w := waiter{seq, make(chan struct{})}
	p.waiters = append(p.waiters, w)
	return w.done
}

// ask notes that another node waits for the seq.
func (p *progress) ask(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = max(p.asked, seq)
}

// wanted says whether anybody waits.
func (p *progress) wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiters) > 0 || p.asked > p.committed
}

// waited is the seq that somebody of this node waits for, the last if there are
// several, 0 if there is none.
func (p *progress) waited() (seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiters {
		seq = max(seq, w.seq)
	}
	return seq
}

// reached records a commit, and up to when the shard is complete by it.
func (p *progress) reached(seq uint64, complete time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A node that follows may read what is older than what it knows.
	p.committed = max(p.committed, seq)
	if complete.After(p.complete) {
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

func (p *progress) at() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.committed
}

func (p *progress) completeAt() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.complete
}
