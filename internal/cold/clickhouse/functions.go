package clickhouse

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/weir-analytics/weir/internal/cold"
)

// LikePattern doubles backslashes: one is an escape character here.
func (Dialect) LikePattern(pattern string) string { return strings.ReplaceAll(pattern, `\`, `\\`) }

// timeForm matches a text that is a time.
const timeForm = `^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]([ T][0-9][0-9]:[0-9][0-9](:[0-9][0-9]([.][0-9]+)?)?)?$`

// functions are written in another way than as their name. None of them fails for a value: see package sqlgate.
// Whole numbers are Int64: it has no type in common with UInt64.
var functions = map[string]string{
	"text of time":      "formatDateTime({1}, '%Y-%m-%d %H:%i:%S')",
	"time of text":      "parseDateTime64BestEffortOrNull(regexpExtract({1}, '" + timeForm + "', 0), 6, 'UTC')",
	"integer of number": "accurateCastOrNull(trunc({1}), 'Int64')",
	"integer":           "accurateCastOrNull({1}, 'Int64')",
	"whole":             "toInt64({1})",

	"count_if":  "COUNT(CASE WHEN {1} THEN 1 END)",
	"stddev":    "stddevSamp({1})",
	"any_value": "any({1})",
	"lag/1":     "lag(toNullable({1}))", // NULL where there is no row
	"lag/2":     "lag(toNullable({1}), {2})",
	"lead/1":    "lead(toNullable({1}))",
	"lead/2":    "lead(toNullable({1}), {2})",

	"lower":          "lowerUTF8({1})",
	"upper":          "upperUTF8({1})",
	"length":         "lengthUTF8({1})",
	"left":           "leftUTF8({1}, {2})",
	"right":          "rightUTF8({1}, {2})",
	"substring/2":    "substringUTF8({1}, {2})",
	"substring/3":    "substringUTF8({1}, {2}, {3})",
	"ends_with":      "endsWith({1}, {2})",
	"strpos":         "positionUTF8({1}, {2})",
	"replace":        "replaceAll({1}, {2}, {3})",
	"split_part":     "CASE WHEN {1} IS NOT NULL THEN splitByString({2}, assumeNotNull({1}))[{3}] END",
	"regexp_extract": "regexpExtract({1}, {2}, {3})",
	"regexp_replace": "replaceRegexpAll({1}, {2}, {3})",

	"date_trunc minute":  truncated("0", "60000000"),
	"date_trunc hour":    truncated("0", "3600000000"),
	"date_trunc day":     truncated("0", "86400000000"),
	"date_trunc week":    truncated("345600000000", "604800000000"), // the first Monday was the fifth day
	"date_trunc month":   "toDateTime64(toStartOfMonth({1}), 6, 'UTC')",
	"date_trunc quarter": "toDateTime64(toStartOfQuarter({1}), 6, 'UTC')",
	"date_trunc year":    "toDateTime64(toStartOfYear({1}), 6, 'UTC')",
	"date_part year":     "toInt64(toYear({1}))",
	"date_part quarter":  "toInt64(toQuarter({1}))",
	"date_part month":    "toInt64(toMonth({1}))",
	"date_part week":     "toInt64(toISOWeek({1}))",
	"date_part day":      "toInt64(toDayOfMonth({1}))",
	"date_part isodow":   "toInt64(toDayOfWeek({1}))",
	"date_part hour":     "toInt64(toHour({1}))",
	"date_part minute":   "toInt64(toMinute({1}))",
	"date_part second":   "toInt64(toSecond({1}))",
	"strftime":           "formatDateTime({1}, {2})",
	"strftime %M":        "%i",
}

// truncated rounds a time down to a multiple of some microseconds, counted from others.
func truncated(from, us string) string {
	const at = "toUnixTimestamp64Micro({1})"
	return "fromUnixTimestamp64Micro(" + at + " - positiveModulo(" + at + " - " + from + ", " + us + "), 'UTC')"
}

// Function finds it in functions. The unit of date_diff is an argument.
func (Dialect) Function(name string) string {
	if unit, found := strings.CutPrefix(name, "date_diff "); found {
		return "dateDiff('" + unit + "', {1}, {2}, 'UTC')"
	}
	return functions[name]
}

// Statement runs a statement of package sqlgate, with limits of its own: it may read alone.
func (s *Store) Statement(ctx context.Context, query string, b cold.Bounds, args ...any) (*sql.Rows, error) {
	query, bound, err := bindings(query, args)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: statement: %w", err)
	}
	set := s.url.querySettings()
	set["readonly"] = 1
	set["allow_ddl"] = 0
	set["allow_introspection_functions"] = 0
	set["max_execution_time"] = int(max(1, b.Time.Seconds()))
	set["max_result_rows"] = b.Rows
	set["result_overflow_mode"] = "throw"
	set["max_memory_usage"] = b.Memory
	if s.url.MaxMemory > 0 {
		set["max_memory_usage"] = min(b.Memory, s.url.MaxMemory)
	}
	var rows *sql.Rows
	err = retry(ctx, func() error {
		rows, err = s.db.QueryContext(ch.Context(ctx, ch.WithSettings(set)), query, bound...) //nolint:rowserrcheck,sqlclosecheck // the caller reads and closes them
		return err
	})
	switch {
	case err == nil:
		return rows, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case ofStatement(code(err)):
		err = fmt.Errorf("%w: %w", cold.ErrStatement, err)
	default:
		err = asked(err)
	}
	return nil, fmt.Errorf("clickhouse: statement: %w", err)
}

// ofStatement says that an error comes from what is asked, not from the state of the server.
func ofStatement(c proto.Error) bool {
	switch c {
	case 0, proto.ErrTimeoutExceeded, proto.ErrMemoryLimitExceeded, proto.ErrTooManyRows, errBehind, proto.ErrTooFewLiveReplicas, proto.ErrTooManySimultaneousQueries,
		proto.ErrQuotaExceeded, proto.ErrAllConnectionTriesFailed, proto.ErrNetworkError, proto.ErrSocketTimeout, proto.ErrUnknownTable, proto.ErrUnknownDatabase, proto.ErrAccessDenied, proto.ErrReadonly:
		return false
	}
	return true
}
