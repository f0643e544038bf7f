package redistest

import (
	"context"
	"crypto/tls"
	"fmt"
	"strconv"

	"github.com/gomodule/redigo/redis"
)

// command sends one command over a new connection and returns its reply, flat: an element
// for a string or a number, "" for nil. The client is not the one under test, so that a
// fault of that one does not hide itself.
func command(ctx context.Context, addr string, conf *tls.Config, password string, args []string) ([]string, error) {
	options := []redis.DialOption{redis.DialPassword(password)}
	if conf != nil {
		options = append(options, redis.DialUseTLS(true), redis.DialTLSConfig(conf))
	}
	c, err := redis.DialContext(ctx, "tcp", addr, options...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	rest := make([]any, len(args)-1)
	for i, a := range args[1:] {
		rest[i] = a
	}
	reply, err := redis.DoContext(c, ctx, args[0], rest...)
	if err != nil {
		return nil, err
	}
	return flat(nil, reply)
}

// flat appends the elements of a reply. An error in it (EXEC) is the error of all.
func flat(to []string, reply any) (_ []string, err error) {
	switch r := reply.(type) {
	case nil:
		return append(to, ""), nil
	case string:
		return append(to, r), nil
	case []byte:
		return append(to, string(r)), nil
	case int64:
		return append(to, strconv.FormatInt(r, 10)), nil
	case redis.Error:
		return to, r
	case []any:
		for _, e := range r {
			if to, err = flat(to, e); err != nil {
				return to, err
			}
		}
		return to, nil
	}
	return nil, fmt.Errorf("a reply of type %T", reply)
}
