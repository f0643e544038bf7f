package clickhouse_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
)

func BenchmarkTraits(b *testing.B) {
	server := clickhousetest.Start(b)
	coldtest.BenchTraits(b, func(b *testing.B, _ string) cold.Store { return openAt(b, server.URL("weir")) })
}

func BenchmarkDiscovery(b *testing.B) {
	server := clickhousetest.Start(b)
	coldtest.BenchDiscovery(b, func(b *testing.B, _ string) cold.Store { return openAt(b, server.URL("weir")) })
}
