package httpd

import (
	"context"
	"time"
)

// tellWithin is the longest that a request waits for the message to the other nodes.
const tellWithin = 2 * time.Second

// accessTopic is the topic of messages that somebody's access ended.
const accessTopic = "access"

// accessEnded is called after each change of projects, keys, tokens, members and accounts. It lets the live streams of all nodes look at once whether they may go on, and
// empties the other nodes' caches.
func (s *Server) accessEnded(ctx context.Context) {
	s.streams.lookAgain()
	if s.cfg.Bus == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellWithin)
	defer cancel()
	if err := s.cfg.Bus.Publish(ctx, accessTopic, nil); err != nil {
		s.log.WarnContext(ctx, "the other nodes were not told that an access ended: their live streams end within seconds, what they remember of projects and keys within a minute", "error", err)
	}
}

// Listen makes changes of access at the other nodes take effect at once, until ctx is done. It
// returns ctx's error.
func (s *Server) Listen(ctx context.Context) error {
	if s.cfg.Bus == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.cfg.Bus.Subscribe(ctx, []string{accessTopic}, func(string, []byte) {
		s.cfg.Directory.Forget()
		s.streams.lookAgain()
	})
}
