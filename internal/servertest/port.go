package servertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports are below those that kernels give to outgoing connections (from 32768, or
// higher), so that no connection takes the port of a server that is down.
const (
	firstPort, lastPort = 10_000, 19_999
	busOffset           = 10_000 // from the port of a server of Redis Cluster to that of its bus
)

// ClaimPort returns a free TCP port for which the port of the bus is free too. It is the
// test's until the test ends: the UDP socket of the same number stays open, which
// other test processes see and servers do not.
func ClaimPort(t testing.TB) int {
	t.Helper()
	port, release, err := Claim()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// Claim is ClaimPort for a server that several tests share: the port is the caller's until
// release.
func Claim() (port int, release func(), err error) {
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		claim, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if !free(port) || !free(port+busOffset) {
			claim.Close()
			continue
		}
		return port, func() { claim.Close() }, nil
	}
	return 0, nil, errors.New("servertest: no free port")
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
