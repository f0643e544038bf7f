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

// Codes that stand in no list of ch-go's.
const (
	codeTooManyParts      proto.Error = 252
	codeReadOnly          proto.Error = 164
	codeTableIsReadOnly   proto.Error = 242
	codeMemoryLimit       proto.Error = 241
	codeTimeout           proto.Error = 159
	codeDeadlock          proto.Error = 473
	codeNotEnoughSpace    proto.Error = 243
	codeCannotWrite       proto.Error = 75
	codeUnknownTable      proto.Error = 60
	codeUnknownDatabase   proto.Error = 81
	codeAuthentication    proto.Error = 516
	codeAccessDenied      proto.Error = 497
	codeTooManyQueries    proto.Error = 202
	codeTooManyRows       proto.Error = 158
	codeKeeper            proto.Error = 999
	codeAllReplicasGone   proto.Error = 279
	codeConstraint        proto.Error = 469
	codeCannotParseText   proto.Error = 6
	codeOutOfBound        proto.Error = 69
	codeIncorrectData     proto.Error = 117
	codeDecimalOverflow   proto.Error = 407
	codeCannotParseQuoted proto.Error = 26
	codeCannotParseNumber proto.Error = 72
	codeCannotParseDate   proto.Error = 38
	codeCannotParseTime   proto.Error = 41
	codePolicyUnknown     proto.Error = 478
	codeThrowIf           proto.Error = 395
	codeUserLimitOfMemory proto.Error = 201
)

// spoiled are errors that come from a row's values, and come again whenever that
// row is written. A type that does not fit is not among them: it is the table's
// fault, and would make a dead letter of every event.
var spoiled = map[proto.Error]bool{
	codeConstraint: true, codeThrowIf: true, codeOutOfBound: true, codeIncorrectData: true, codeDecimalOverflow: true,
	codeCannotParseText: true, codeCannotParseQuoted: true, codeCannotParseNumber: true, codeCannotParseDate: true, codeCannotParseTime: true,
}

// meaning is what an error means for who runs Weir.
var meaning = map[proto.Error]string{
	codeTooManyParts:      "a table has too many parts: merges are behind; it goes on when they catch up",
	codeReadOnly:          "the user may only read: see the manual for what Weir needs",
	codeTableIsReadOnly:   "the replica is read-only: it has lost Keeper",
	codeMemoryLimit:       "out of memory: the server's limit, or max_memory, is too small for this",
	codeTimeout:           "the query took longer than max_time",
	codeDeadlock:          "another change of the tables holds a lock",
	codeNotEnoughSpace:    "the disk is full",
	codeCannotWrite:       "the disk does not take what is written",
	codeUnknownTable:      "a table is missing: start Weir again to have it made",
	codeUnknownDatabase:   "the database is missing: start Weir again to have it made",
	codeAuthentication:    "user or password is wrong",
	codeAccessDenied:      "the user lacks a permission: see the manual for what Weir needs",
	codeTooManyQueries:    "too many queries at once",
	codeUserLimitOfMemory: "the user's quota is used up",
	codeTooManyRows:       "the query reads more rows than the server allows",
	codeAllReplicasGone:   "a shard cannot be reached",
	codeKeeper:            "Keeper cannot be reached",
	codePolicyUnknown:     "the storage policy does not exist on the server",
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

// away says that the server was not reached, or the connection broke.
func away(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}

// asked is a question's fault, with the code that its asker is told.
func asked(err error) error {
	switch code(err) {
	case codeTimeout:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the question takes too long: ask for a shorter range or a longer interval")
	case codeMemoryLimit, codeUserLimitOfMemory, codeTooManyRows:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the question is too large for the cold tier: ask for a shorter range")
	case codeTooManyQueries:
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "too many questions at once")
	}
	if away(err) {
		return weir.Wrap(Explain(err), weir.EUNAVAILABLE, "the cold tier is away")
	}
	return Explain(err)
}
