package backend

import (
	"context"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

// clickhouseCold returns a cold tier in ClickHouse, a server or a cluster.
func clickhouseCold(url, _ string) (Cold, error) {
	u, err := clickhouse.Parse(url)
	if err != nil {
		return Cold{}, err
	}
	return Cold{
		Shared: true, Lags: true, BatchesKept: 6 * 24 * time.Hour,
		address: strings.Join(u.Addrs, ",") + "/" + u.Database,
		open: func(ctx context.Context, o ColdOptions) (*ColdTier, error) {
			if o.Patient {
				if u, err = clickhouse.Parse(patient(url)); err != nil {
					return nil, err
				}
			}
			s, err := clickhouse.Open(ctx, u, clickhouse.Options{Wait: o.Wait, Logger: o.Logger})
			if err != nil {
				return nil, err
			}
			return &ColdTier{Store: s}, nil
		},
	}, nil
}

// patient returns the URL with an hour for a query, unless it says how long.
func patient(url string) string {
	_, options, has := strings.Cut(url, "?")
	switch {
	case !has:
		return url + "?max_time=1h"
	case strings.Contains("&"+options, "&max_time="):
		return url
	}
	return url + "&max_time=1h"
}
