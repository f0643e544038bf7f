package redis

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

//go:embed scripts/bind.lua
var bindText string

var bindScript = newScript(bindText)

// Bind remembers beside the log which meta store the nodes that share it have: that
// of the first one that comes, or with replace this one. It returns the one that was
// there before, "" for none.
func (s *Store) Bind(ctx context.Context, meta string, replace bool) (before string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	again := "0"
	if replace {
		again = "1"
	}
	r, err := s.run(ctx, bindScript, nil, []string{s.keys.log}, []string{"meta", meta, again})
	if err == nil {
		before, err = r.ToString()
	}
	if rueidis.IsRedisNil(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("hot: bind the meta store: %w", redisconn.Explain(err))
	}
	return before, nil
}
