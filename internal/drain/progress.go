package drain

import (
	"slices"
	"sync"
)

// progress says how far a shard is drained, and wakes those who wait for a seq.
type progress struct {
	mu        sync.Mutex
	committed uint64
	// complete: everything that was acknowledged before this moment is committed. Zero
	// if unknown.
	complete  moment
	updates   uint64 // counts calls of reached
	requested uint64 // up to where another node waits
	waiters   []waiter
}

type waiter struct {
	seq  uint64
	done chan struct{}
}

// version returns how often reached was called, for wait.
func (p *progress) version() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updates
}

// wait returns a channel that is closed when seq is committed, or nil if it is already.
// The caller reads version first, then the log, which says that seq is not committed.
// Only updates after that version count: if the log was restored to an older state, older
// updates are wrong.
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

// removeWaiter removes the waiter with this channel.
func (p *progress) removeWaiter(done <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(w waiter) bool { return w.done == done })
}

// request notes that another node waits for the seq.
func (p *progress) request(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requested = max(p.requested, seq)
}

// clearRequested clears the requests of other nodes. They may refer to a log that was
// longer before it was restored. A node that still waits sends its request again.
func (p *progress) clearRequested() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requested = 0
}

// hasWaiter reports whether anybody waits, on this or another node.
func (p *progress) hasWaiter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiters) > 0 || p.requested > p.committed
}

// highestWaited returns the highest seq that is waited for on this node, 0 if none is.
func (p *progress) highestWaited() (seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.waiters {
		seq = max(seq, w.seq)
	}
	return seq
}

// reached records the committed seq that was read from the log, and the moment up to
// which the shard is complete (zero if unknown). The seq may go back, if the log was
// restored to an older state.
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
