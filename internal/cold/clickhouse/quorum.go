package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// quorum are the settings that make replicated tables as safe as those of one server.
//
// An insert is acknowledged when the majority of a shard's replicas have it, and a
// query is answered by a replica that has all such inserts, or not at all. Both hold
// together only while a table takes one insert at a time: with insert_quorum_parallel
// each may have another majority, and no replica need have all of them. Inserts and
// questions go to the first replica that is there, so that it is usually the same.
// https://clickhouse.com/docs/operations/settings/settings#select_sequential_consistency
func (u *URL) quorum() []struct{ setting, value string } {
	if !u.Replicated {
		return nil
	}
	return []struct{ setting, value string }{
		{"insert_quorum", "auto"},
		{"insert_quorum_parallel", "0"},
		{"insert_quorum_timeout", "20000"}, // ms; less than writeTimeout
		{"select_sequential_consistency", "1"},
		{"load_balancing", "in_order"},
	}
}

// What a replicated table refuses for a moment, and with nothing done.
const (
	// errInsertUnderWay is UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE: another insert into
	// the table has not reached its majority yet.
	errInsertUnderWay = proto.ErrUnsatisfiedQuorumForPreviousWrite
	// errBehind is REPLICA_IS_NOT_IN_QUORUM: the replica that was asked lacks an insert.
	errBehind = proto.ErrReplicaIsNotInQuorum
)

const (
	retryAfter = 100 * time.Millisecond
	retryMost  = 10 * time.Second
)

// retry repeats what replicas refuse for a moment, for some seconds.
func retry(ctx context.Context, f func() error) error {
	for end := time.Now().Add(retryMost); ; {
		err := f()
		if c := code(err); c != errInsertUnderWay && c != errBehind || ctx.Err() != nil || time.Now().After(end) {
			return err
		}
		pause(ctx, retryAfter)
	}
}
