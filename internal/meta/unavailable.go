package meta

import (
	"errors"

	"github.com/weir-analytics/weir/internal/meta/postgres"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Unavailable says whether an error of the store is one of its file or its disk,
// such as a full disk or another process that holds the file for long, or of a PostgreSQL
// that does not answer, rather than one of the program.
func Unavailable(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return postgres.Unavailable(err)
	}
	switch e.Code() & 0xff { // without what extended codes add
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_NOMEM, lib.SQLITE_READONLY, lib.SQLITE_IOERR, lib.SQLITE_CORRUPT,
		lib.SQLITE_FULL, lib.SQLITE_CANTOPEN, lib.SQLITE_PROTOCOL, lib.SQLITE_NOTADB, lib.SQLITE_INTERRUPT:
		return true
	}
	return false
}
