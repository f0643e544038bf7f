package clickhouse

import (
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

var _ cold.Dialect = Dialect{}

// Dialect writes ClickHouse's SQL, as it is read under the settings of a Store.
type Dialect struct{}

// Micros reads a DateTime64(6), which is microseconds within.
func (Dialect) Micros(expr string) string { return "toUnixTimestamp64Micro(" + expr + ")" }

// Time makes a DateTime64(6).
func (Dialect) Time(expr string) string {
	return "fromUnixTimestamp64Micro(toInt64(" + expr + "), 'UTC')"
}

// Minute rounds down, before 1970 too.
func (Dialect) Minute(expr string) string {
	us := "toUnixTimestamp64Micro(" + expr + ")"
	return "fromUnixTimestamp64Micro(" + us + " - positiveModulo(" + us + ", 60000000), 'UTC')"
}

// IntDiv divides integers.
func (Dialect) IntDiv(a, b string) string { return "intDiv(" + a + ", " + b + ")" }

// Sum is Kahan's.
func (Dialect) Sum(expr string) string { return "sumKahan(" + expr + ")" }

// Int128 is an Int128.
func (Dialect) Int128(expr string) string { return "toInt128(" + expr + ")" }

// Quantile interpolates linearly between the values beside it.
func (Dialect) Quantile(expr string, q float64) string {
	return "quantileExactInclusive(" + strconv.FormatFloat(q, 'g', -1, 64) + ")(" + expr + ")"
}

// Quantiles is an array, of NaN without values.
func (Dialect) Quantiles(expr string, qs ...float64) string {
	return "quantilesExactInclusive(" + cold.Decimals(qs) + ")(" + expr + ")"
}

// ArgMin passes over rows whose by is NULL.
func (Dialect) ArgMin(value, by string) string { return "argMin(" + value + ", " + by + ")" }

// ArgMax passes over rows whose by is NULL.
func (Dialect) ArgMax(value, by string) string { return "argMax(" + value + ", " + by + ")" }

// PropertyText binds the property's name.
func (Dialect) PropertyText(column, name string) (string, any) {
	return "JSONExtract(" + column + ", ?, 'Nullable(String)')", name
}

// MemberText binds the names twice: for the first element of a list, and for the member.
func (Dialect) MemberText(column, property, member string) (string, []any) {
	list := "CASE WHEN JSONType(" + column + ", ?, ?) = 'Array' THEN JSONExtract(" + column + ", ?, ?, 1, 'Nullable(String)') END"
	return "COALESCE(" + list + ", JSONExtract(" + column + ", ?, ?, 'Nullable(String)'))", []any{property, member, property, member, property, member}
}

// Number takes only text in the form of a JSON number. Other text extracts as the
// empty string, which is no number; 1e999 reads as infinity.
func (Dialect) Number(expr string) string {
	return `nullIf(nullIf(toFloat64OrNull(extract(` + expr +
		`, '^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?$')), inf), -inf)`
}

// DecimalText goes by way of a Decimal, which is exact and has no -0. Its text ends with
// the last digit that is not 0.
func (Dialect) DecimalText(expr string) string {
	return "toString(toDecimal128OrNull(extract(" + expr + ", '" + cold.DecimalPattern + "'), 18))"
}

// Contains keeps case.
func (Dialect) Contains(text, part string) string {
	return "(position(" + text + ", " + part + ") > 0)"
}

// StartsWith keeps case.
func (Dialect) StartsWith(text, part string) string { return "startsWith(" + text + ", " + part + ")" }

// Matches finds a match anywhere, as RE2 does by itself.
func (Dialect) Matches(text, pattern string) string { return "match(" + text + ", " + pattern + ")" }

// Bytes is length, which does not count characters here.
func (Dialect) Bytes(text string) string { return "length(" + text + ")" }

// Lower is for ASCII by itself.
func (Dialect) Lower(text string) string { return "lower(" + text + ")" }

// Let repeats expr, which ClickHouse computes once.
func (Dialect) Let(expr string, body func(name string) string) string { return body(expr) }

// SHA256 is bytes.
func (Dialect) SHA256(text string) string { return "lower(hex(SHA256(" + text + ")))" }

// Zero is char(0).
func (Dialect) Zero() string { return "char(0)" }

// Bit is 1 shifted left.
func (Dialect) Bit(n string) string { return "bitShiftLeft(toUInt64(1), " + n + ")" }

// BitUnion is a bitwise or.
func (Dialect) BitUnion(expr string) string { return "groupBitOr(" + expr + ")" }

// BitAt is an unsigned integer.
func (Dialect) BitAt(mask string, n int) string {
	return "bitAnd(bitShiftRight(" + mask + ", " + strconv.Itoa(n) + "), 1)"
}

// AnyBit is an unsigned integer.
func (Dialect) AnyBit(mask string, first, n int) string {
	return "(bitAnd(" + mask + ", " + strconv.FormatInt((1<<n-1)<<first, 10) + ") <> 0)"
}

// Place looks the text up in a hash table.
func (Dialect) Place(column string, n int) string {
	places := make([]string, n)
	for i := range places {
		places[i] = strconv.Itoa(i + 1)
	}
	return "transform(" + column + ", [" + strings.Repeat("?, ", n-1) + "?], [" + strings.Join(places, ", ") + "], 0)"
}

// Words is an array joined.
func (Dialect) Words(expr string) string { return "arrayJoin(splitByChar(' ', " + expr + "))" }

// InQuery has the query run once, for all shards: ClickHouse itself makes that of one
// such query, but not of one within another.
func (Dialect) InQuery() string { return "GLOBAL IN" }
