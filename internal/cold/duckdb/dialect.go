package duckdb

import (
	"strconv"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

var _ cold.Dialect = Dialect{}

// Dialect writes DuckDB's SQL.
type Dialect struct{}

// Micros reads a TIMESTAMP as microseconds.
func (Dialect) Micros(expr string) string { return "epoch_us(" + expr + ")" }

// Time makes a TIMESTAMP of microseconds.
func (Dialect) Time(expr string) string { return "make_timestamp(" + expr + "::BIGINT)" }

// Minute rounds down.
func (Dialect) Minute(expr string) string { return "date_trunc('minute', " + expr + ")" }

// IntDiv divides integers.
func (Dialect) IntDiv(a, b string) string { return "(" + a + " // " + b + ")" }

// Sum is Kahan's.
func (Dialect) Sum(expr string) string { return "kahan_sum(" + expr + ")" }

// Int128 is a HUGEINT.
func (Dialect) Int128(expr string) string { return "CAST(" + expr + " AS HUGEINT)" }

// Quantile interpolates linearly.
func (Dialect) Quantile(expr string, q float64) string {
	return "quantile_cont(" + expr + ", " + strconv.FormatFloat(q, 'g', -1, 64) + ")"
}

// Quantiles is a list, NULL without values.
func (Dialect) Quantiles(expr string, qs ...float64) string {
	return "quantile_cont(" + expr + ", [" + cold.Decimals(qs) + "])"
}

// ArgMin passes over rows whose by is NULL.
func (Dialect) ArgMin(value, by string) string { return "arg_min(" + value + ", " + by + ")" }

// ArgMax passes over rows whose by is NULL.
func (Dialect) ArgMax(value, by string) string { return "arg_max(" + value + ", " + by + ")" }

// pointer escapes a name for a JSON pointer (RFC 6901, section 3).
var pointer = strings.NewReplacer("~", "~0", "/", "~1")

// PropertyText binds the property as a JSON pointer.
func (Dialect) PropertyText(column, name string) (string, any) {
	return "json_extract_string(" + column + ", ?::VARCHAR)", "/" + pointer.Replace(name)
}

// MemberText binds two JSON pointers: to the first element of a list, and to the member.
func (Dialect) MemberText(column, property, member string) (string, []any) {
	at := "/" + pointer.Replace(property) + "/" + pointer.Replace(member)
	one := "json_extract_string(" + column + ", ?::VARCHAR)"
	return "COALESCE(" + one + ", " + one + ")", []any{at + "/0", at}
}

// Number takes only text in the form of a JSON number: DuckDB's own cast also
// reads blanks, "inf", "nan" and "1_000". Other text extracts as the empty
// string, which does not cast; 1e999 casts to infinity.
func (Dialect) Number(expr string) string {
	return `NULLIF(NULLIF(TRY_CAST(regexp_extract(` + expr +
		`, '^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$') AS DOUBLE), 'inf'::DOUBLE), '-inf'::DOUBLE)`
}

// DecimalText goes by way of a DECIMAL, which is exact and has no -0. Its text has 18
// digits after the point.
func (Dialect) DecimalText(expr string) string {
	return "rtrim(rtrim(CAST(TRY_CAST(regexp_extract(" + expr + ", '" + cold.DecimalPattern + "') AS DECIMAL(38, 18)) AS VARCHAR), '0'), '.')"
}

// Contains keeps case.
func (Dialect) Contains(text, part string) string {
	return "contains(" + text + ", " + part + "::VARCHAR)"
}

// StartsWith keeps case.
func (Dialect) StartsWith(text, part string) string {
	return "starts_with(" + text + ", " + part + "::VARCHAR)"
}

// Matches finds a match anywhere, as RE2 does by itself.
func (Dialect) Matches(text, pattern string) string {
	return "regexp_matches(" + text + ", " + pattern + "::VARCHAR)"
}

// Bytes is strlen: length counts characters.
func (Dialect) Bytes(text string) string { return "strlen(" + text + ")" }

// Lower is lower for ASCII, where each character is a byte: translate is ten times slower.
func (Dialect) Lower(text string) string {
	return "CASE WHEN strlen(" + text + ") = length(" + text + ") THEN lower(" + text + ") ELSE translate(" + text +
		", 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END"
}

// Let is a lambda over a list of one: a plan with the text of expr a hundred times takes seconds
// to make.
func (Dialect) Let(expr string, body func(name string) string) string {
	return "list_transform([" + expr + "], lambda it: " + body("it") + ")[1]"
}

// SHA256 is hex by itself.
func (Dialect) SHA256(text string) string { return "sha256(" + text + ")" }

// Zero is chr(0).
func (Dialect) Zero() string { return "chr(0)" }

// Bit is 1 shifted left.
func (Dialect) Bit(n string) string { return "(1::BIGINT << " + n + ")" }

// BitUnion is a bitwise or.
func (Dialect) BitUnion(expr string) string { return "bit_or(" + expr + ")" }

// BitAt is a BIGINT.
func (Dialect) BitAt(mask string, n int) string {
	return "((" + mask + " >> " + strconv.Itoa(n) + ") & 1)"
}

// AnyBit is an INTEGER.
func (Dialect) AnyBit(mask string, first, n int) string {
	return "(" + mask + " & " + strconv.FormatInt((1<<n-1)<<first, 10) + " <> 0)::INTEGER"
}

// Place is NULL by itself if there is none.
func (Dialect) Place(column string, n int) string {
	return "COALESCE(list_position([" + strings.Repeat("?, ", n-1) + "?], " + column + "), 0)"
}

// Words is a list unnested.
func (Dialect) Words(expr string) string { return "unnest(string_split(" + expr + ", ' '))" }

// InQuery is IN.
func (Dialect) InQuery() string { return "IN" }
