package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	chgo "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	weir "github.com/weir-analytics/weir"
)

// code is the number of ClickHouse's own error, 0 for none of those.
func code(err error) proto.Error {
	if e, ok := chgo.AsException(err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[*ch.Exception](err); ok {
		return proto.Error(e.Code)
	}
	return 0
}

// spoiled are errors that come from a row's values, and come again whenever that
// row is written. A type that does not fit is not among them: it is the table's
// fault, and would make a dead letter of every event.
var spoiled = map[proto.Error]bool{
	proto.ErrViolatedConstraint:            true,
	proto.ErrFunctionThrowIfValueIsNonZero: true,
	proto.ErrArgumentOutOfBound:            true,
	proto.ErrIncorrectData:                 true,
	proto.ErrDecimalOverflow:               true,
	proto.ErrCannotParseText:               true,
	proto.ErrCannotParseQuotedString:       true,
	proto.ErrCannotParseNumber:             true,
	proto.ErrCannotParseDate:               true,
	proto.ErrCannotParseDatetime:           true,
}

// errTableIsFrozen is TABLE_IS_PERMANENTLY_READ_ONLY, which ch-go does not name.
const errTableIsFrozen proto.Error = 774

// meaning is what an error means for who runs Weir.
var meaning = map[proto.Error]string{
	proto.ErrTooManyParts:                "a table has too many parts: merges are behind; it goes on when they catch up",
	proto.ErrReadonly:                    "the user may only read: see the manual for what Weir needs",
	proto.ErrTableIsReadOnly:             "the replica is read-only: it has lost Keeper",
	errTableIsFrozen:                     "a table is set to be read-only",
	proto.ErrMemoryLimitExceeded:         "out of memory: the server's limit, or max_memory, is too small for this",
	proto.ErrTimeoutExceeded:             "the query took longer than max_time",
	proto.ErrDeadlockAvoided:             "another change of the tables holds a lock",
	proto.ErrNotEnoughSpace:              "the disk is full",
	proto.ErrCannotWriteToFileDescriptor: "the disk does not take what is written",
	proto.ErrUnknownTable:                "a table is missing: start Weir again to have it made",
	proto.ErrUnknownDatabase:             "the database is missing: start Weir again to have it made",
	proto.ErrAuthenticationFailed:        "user or password is wrong",
	proto.ErrAccessDenied:                "the user lacks a permission: see the manual for what Weir needs",
	proto.ErrTooManySimultaneousQueries:  "too many queries at once",
	proto.ErrQuotaExceeded:               "the user's quota is used up",
	proto.ErrTooManyRows:                 "the query reads more rows than max_rows, or the server, allows",
	proto.ErrAllConnectionTriesFailed:    "a shard cannot be reached",
	proto.ErrKeeperException:             "Keeper cannot be reached",
	proto.ErrTooFewLiveReplicas:          "less than the majority of a shard's replicas are there: it goes on when they are back, or when those that are gone for good are dropped",
	proto.ErrUnknownStatusOfInsert:       "the majority of a shard's replicas has not confirmed an insert in time",
	errInsertUnderWay:                    "another insert has not reached the majority of a shard's replicas",
	errBehind:                            "no replica that was asked has all acknowledged inserts: it goes on when one has caught up",
	proto.ErrUnknownPolicy:               "the storage policy does not exist on the server",
}

// Explain puts what an error means before it. Of nil it is nil.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if m := meaning[code(err)]; m != "" {
		return fmt.Errorf("ClickHouse: %s: %w", m, err)
	}
	if away(err) {
		return fmt.Errorf("ClickHouse cannot be reached: %w", err)
	}
	return err
}

// errOtherAlter is CANNOT_ASSIGN_ALTER: another node changes the replicated table.
const errOtherAlter proto.Error = 517

// passing says that a migration may succeed if it is tried again.
func passing(err error) bool {
	switch code(err) {
	case errOtherAlter, errInsertUnderWay, errBehind, proto.ErrTooFewLiveReplicas, proto.ErrTableIsReadOnly, proto.ErrKeeperException:
		return true
	}
	return away(err)
}

// away says that the server was not reached, or the connection broke.
func away(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}

// asked wraps the error of a query with the code and the message that the client gets.
func asked(err error) error {
	switch code(err) {
	case proto.ErrTimeoutExceeded:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the question takes too long: ask for a shorter range or a longer interval")
	case proto.ErrMemoryLimitExceeded, proto.ErrTooManyRows:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the question is too large for the cold tier: ask for a shorter range")
	case errBehind, proto.ErrTooFewLiveReplicas:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the replicas of the cold tier are catching up")
	case proto.ErrTooManySimultaneousQueries, proto.ErrQuotaExceeded:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "too many questions at once")
	case proto.ErrAllConnectionTriesFailed, proto.ErrNetworkError, proto.ErrSocketTimeout: // of the server that was asked, to another shard
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "a part of the cold tier is away")
	}
	if away(err) {
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the cold tier is away")
	}
	return Explain(err)
}
