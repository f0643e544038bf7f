package httpd

import (
	"sync"

	weir "github.com/weir-analytics/weir"
)

// streams counts the live streams that are open: by who watches, by project, and
// in all.
type streams struct {
	users, shares, projects, server int // most of each; shares are shared links

	mu    sync.Mutex
	open  map[string]int
	again chan struct{} // closed when all streams must look whether they may go on
}

// look returns a channel that is closed when a stream must look whether it may go on.
func (x *streams) look() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.again
}

// lookAgain lets all streams look whether they may go on.
func (x *streams) lookAgain() {
	x.mu.Lock()
	defer x.mu.Unlock()
	close(x.again)
	x.again = make(chan struct{})
}

// enter counts a stream of a user, a token or a shared link until leave. The errors say what there
// are too many of; by names it for the metrics.
func (x *streams) enter(who principal, project string) (leave func(), by string, err error) {
	counts := [...]string{"user " + who.name(), "project " + project, "server"}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case who.share != nil && x.open[counts[0]] >= x.shares:
		return nil, "shared_link", weir.Errorf(weir.EUNAVAILABLE, "too many live streams of this shared link are open")
	case who.share == nil && x.open[counts[0]] >= x.users:
		return nil, "user", weir.Errorf(weir.ERATELIMITED, "you have %d live streams open, which is as many as one may have: close one", x.users)
	case x.open[counts[1]] >= x.projects:
		return nil, "project", weir.Errorf(weir.EUNAVAILABLE, "too many live streams of this project are open")
	case x.open[counts[2]] >= x.server:
		return nil, "server", weir.Errorf(weir.EUNAVAILABLE, "too many live streams are open")
	}
	for _, c := range counts {
		x.open[c]++
	}
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		for _, c := range counts {
			if x.open[c]--; x.open[c] == 0 {
				delete(x.open, c)
			}
		}
	}, "", nil
}
