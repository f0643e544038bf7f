package clickhouse

import (
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	weir "github.com/weir-analytics/weir"
)

func TestAShardThatIsAwayIsNoFaultOfTheProgram(t *testing.T) {
	for _, code := range []int32{209, 210, 279} { // SOCKET_TIMEOUT, NETWORK_ERROR, ALL_CONNECTION_TRIES_FAILED
		if got := weir.ErrorCode(asked(&ch.Exception{Code: code})); got != weir.EUNAVAILABLE {
			t.Errorf("code %d: %q", code, got)
		}
	}
}
