package clickhousetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports come from below the range from which kernels take those of outgoing
// connections (from 32768, or higher), so that nothing takes a server's port while
// it is down; and from below those of the buses of Redis clusters, which other
// packages' tests start at the same time (redistest: from 20000).
const firstPort, lastPort = 10_000, 19_999

// claimPort is a free port that is the test's until its end: a UDP socket of the
// same number is held, which is in no server's way and keeps other test processes
// off. Package redistest claims in the same way.
func claimPort(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		claim, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if !free(port) {
			claim.Close()
			continue
		}
		t.Cleanup(func() { claim.Close() })
		return port
	}
	t.Fatal("clickhousetest: no free port")
	return 0
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
