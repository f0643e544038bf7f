package main

import (
	"fmt"
	"net/netip"

	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/memory"
	"github.com/weir-analytics/weir/internal/process"
)

const (
	mostConns    = 4096
	connMemory   = 256 << 10 // bytes of all memory, for each by default: some 20 KB, and up to 50 while a head comes
	fewestConns  = 16
	storeFiles   = 1200 // Pebble keeps up to 1,000 files open; the rest is for DuckDB, SQLite, Redis, ClickHouse, mails
	connsPerFrom = 8    // one address has an eighth of all
)

// conns bounds the connections, so that the stores can always open their files.
func (s *server) conns() (*httpd.Conns, error) {
	limit, err := process.RaiseOpenFiles()
	if err != nil {
		return nil, fmt.Errorf("limit of open files: %w", err)
	}
	// Of a low limit the stores have half.
	room := limit - min(storeFiles, limit/2)
	most := s.cmd.MaxConns
	switch {
	case room < fewestConns:
		return nil, fmt.Errorf("the limit of open files is %d: that is too few for the stores and for connections; raise it (ulimit -n, LimitNOFILE)", limit)
	case most == 0:
		most = defaultConns(s.cmd.parts.Total, room)
	case most < fewestConns || most > room:
		return nil, misuse(fmt.Errorf("--max-conns: %d to %d with this limit of open files (%d), not %d", fewestConns, room, limit, most))
	}
	proxies := s.cmd.TrustedProxies
	if proxies == nil {
		proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	s.log.Info("connections are bounded", "most", most, "from_one_address", max(most/connsPerFrom, fewestConns/2), "open_files", limit)
	return httpd.NewConns(most, max(most/connsPerFrom, fewestConns/2), proxies, s.reg), nil
}

// defaultConns returns the default of --max-conns for a budget and a number of free files.
func defaultConns(total memory.Size, room int) int {
	return min(mostConns, room, int(total/connMemory))
}
