package clickhouse_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

// replicatedAt is a store that takes the tables for replicated ones. The server of these
// tests has none, so what replicas do is not seen here, only what they are asked for.
func replicatedAt(t *testing.T) (*clickhousetest.Server, *clickhouse.Store) {
	t.Helper()
	cluster := clickhousetest.StartCluster(t, 1, 1)
	url := cluster.URL("weir") + "?cluster=weir"
	openAt(t, url)
	return cluster.Servers[0], openAt(t, url+"&replicated=true")
}

func TestReplicasAreAskedForAMajorityAndForAllOfIt(t *testing.T) {
	_, s := replicatedAt(t)
	for name, want := range map[string]string{
		"insert_quorum":                 "auto",
		"insert_quorum_parallel":        "false",
		"insert_quorum_timeout":         "20000",
		"select_sequential_consistency": "1",
		"load_balancing":                "in_order",
		"insert_distributed_sync":       "true",
	} {
		question, insert, err := s.Setting(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if insert != want {
			t.Errorf("%s of an insert is %q, want %q", name, insert, want)
		}
		if name != "insert_distributed_sync" && question != want {
			t.Errorf("%s of a question is %q, want %q", name, question, want)
		}
	}
	plain := openAt(t, clickhousetest.Start(t).URL("weir"))
	if _, insert, err := plain.Setting(t.Context(), "insert_quorum"); err != nil || insert != "0" {
		t.Errorf("without replicas the quorum is %q, %v", insert, err)
	}
}

// Keeper remembers so many tokens. A batch that comes again is looked for on replicas too.
func TestABatchThatComesAgainIsLookedForOnReplicas(t *testing.T) {
	server, s := replicatedAt(t)
	b := batchOf(1, 50)
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"events", "visits", "tallies"} {
		server.Do("DELETE FROM weir." + table + "_local WHERE 1")
	}
	server.Do("TRUNCATE TABLE weir.batches_local")
	b.Again = true
	for range 2 {
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		whole(t, s, 50, 50, 50)
		server.Do("TRUNCATE TABLE weir.batches_local")
	}
}

func TestWhatReplicasRefuseForAMomentIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []proto.Error{proto.ErrUnsatisfiedQuorumForPreviousWrite, proto.ErrReplicaIsNotInQuorum} {
			refused := &ch.Exception{Code: int32(c)}
			calls := 0
			err := clickhouse.Retry(t.Context(), func() error {
				if calls++; calls < 5 {
					return refused
				}
				return nil
			})
			if err != nil || calls != 5 {
				t.Errorf("%d calls, %v", calls, err)
			}
			begun := time.Now()
			if err := clickhouse.Retry(t.Context(), func() error { return refused }); !errors.Is(err, refused) {
				t.Errorf("for ever: %v", err)
			}
			if d := time.Since(begun); d > 11*time.Second {
				t.Errorf("asked again for %v", d)
			}
		}
		calls := 0
		other := &ch.Exception{Code: int32(proto.ErrTooManyParts)}
		if err := clickhouse.Retry(t.Context(), func() error { calls++; return other }); calls != 1 || !errors.Is(err, other) {
			t.Errorf("another error: %d calls, %v", calls, err)
		}
	})
}

func TestOpeningSaysOnceWhatItWaitsForAndEndsWithItsContext(t *testing.T) {
	server := clickhousetest.Start(t)
	hung := func(t *testing.T) string { server.Pause(); t.Cleanup(server.Resume); return server.URL("weir") }
	gone := func(t *testing.T) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		return "clickhouse://" + l.Addr().String() + "/weir"
	}
	for name, at := range map[string]func(t *testing.T) string{"a server that is not there": gone, "a server that hangs": hung} {
		t.Run(name, func(t *testing.T) {
			u, err := clickhouse.Parse(at(t))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			defer cancel()
			var log bytes.Buffer
			_, err = clickhouse.Open(ctx, u, clickhouse.Options{Wait: time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("open: %v", err)
			}
			if n := strings.Count(log.String(), "\n"); n > 1 {
				t.Errorf("%d lines:\n%s", n, log.String())
			}
		})
	}
}
