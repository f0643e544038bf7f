// Package cold is the cold tier's contract: idempotent writes of whole batches,
// and SQL over what was written. Package coldtest proves a backend against it,
// with a naive oracle.
package cold

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// ErrNewer is returned by a backend's Open when a newer version of Weir wrote the store.
var ErrNewer = errors.New("cold: store was written by a newer version of Weir")

// Batch is what one drained batch adds. Its rows are a function of its token:
// writing the same token twice adds nothing the second time. The batches of a log's
// shard come in the order of their seqs, each when the one before it is whole.
type Batch struct {
	Token string // log, shard, range
	Log   string // the hot log's id: a shard's seqs are of one log
	Shard int
	First uint64
	Last  uint64
	Now   time.Time // the intent's

	// Again says that all or a part of the batch may be there: a write of it
	// failed, or the node that began it is gone.
	Again bool

	// Effaced says that the rows are without who was erased, as the batch's intent has
	// decided it: Write stores them as they are. Of any other batch it asks Erased.
	Effaced bool

	// Copied says that the batch is from another cold tier. Its Links are the links there: none
	// are derived from Events.
	Copied bool

	Events []weir.EventRow
	Visits []weir.VisitRow
	// Links are those beside what Events say themselves, which Write finds: see the
	// function Links. One that is there already may be among them.
	Links []weir.Link
	Dead  []weir.DeadLetter
	// Traits are changes beside those that Events ask for, which Write finds by
	// itself: see Traits. A change that is there already may be among them.
	Traits []weir.TraitChange
	// Marks say who was erased, for batches that are written after this one. A mark
	// that is there already may be among them.
	Marks []Mark
}

// Row returns the batch's row in the table batches.
func (b *Batch) Row() schema.Token {
	return schema.Token{Token: b.Token, Shard: b.Shard, First: b.First, Last: b.Last, WrittenAt: b.Now}
}

// ErrTooLarge says that a batch needs more memory than the store may take. Nothing
// of it is there.
var ErrTooLarge = errors.New("cold: batch needs more memory than there is")

// Writer writes batches. All methods are safe for concurrent use.
type Writer interface {
	// Write makes the whole batch durable and visible. After an error a part of
	// it may be there; a Write of the same token, with Again, adds the rest and
	// nothing twice. So does one at the same time, in this process or another.
	// A *RowError names a row that can never be written, ErrTooLarge says that
	// fewer rows may have room; any other error is passing.
	Write(ctx context.Context, b *Batch) error
	// Erased says who was erased at since or later, and perhaps others. It has each mark
	// that was there when it was asked. It is not to be changed.
	Erased(ctx context.Context, since time.Time) (Erased, error)
	// Spacing is the least time between two flushes that nobody waits long
	// for: 0 where small batches are cheap.
	Spacing() time.Duration
}

// Holder is a Writer of a store that no other process writes, so that it can say
// for sure what it holds.
type Holder interface {
	// Holds says whether the last batch of a shard, named by its token, is there:
	// if not, nothing of it is.
	Holds(ctx context.Context, token string) (bool, error)
}

// RowError says that one event of a batch can never be written.
type RowError struct {
	Index  int // in Batch.Events
	Reason string
}

func (e *RowError) Error() string { return "cold: row refused: " + e.Reason }

// Reader answers SQL. Arguments are bound to "?" in order.
//
// The tables are events, sightings, tallies, visits, traits, identities, aliases, erasures,
// deletions, deleted_events, dead_letters and batches, with the columns that package schema describes in every
// engine, and perhaps more. The rows of sightings and tallies are computed at the write,
// as Sightings and Tallies say.
type Reader interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// Statement runs a statement that package sqlgate wrote in the place of a user's, read-only where the engine
	// can say so. It must not delay questions for longer than one of them would. Error: ErrStatement.
	Statement(ctx context.Context, query string, b Bounds, args ...any) (*sql.Rows, error)
	Dialect() Dialect
}

// Store is a whole backend.
type Store interface {
	Writer
	Reader
	Forgetter
	Eraser
	Deleter
	Close() error
}

// Decimals writes numbers with commas between them, for a Dialect.
func Decimals(fs []float64) string {
	s := make([]string, len(fs))
	for i, f := range fs {
		s[i] = strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strings.Join(s, ", ")
}

// DecimalPattern matches the numbers that Dialect.DecimalText spells: those that a decimal
// with 18 digits after the point represents without rounding.
const DecimalPattern = `^-?(?:0|[1-9][0-9]{0,18})(?:[.][0-9]{1,18}|(?:[.][0-9]{1,9})?[eE](?:[+]?[0-9]{1,2}|-[0-9]))?$`

// Dialect is where the engines' SQL differs. Arguments and results are SQL
// expressions; an argument stands exactly once in its result, so that its "?"
// keep their count and order. Everything else that insight writes is SQL which
// both engines read alike.
type Dialect interface {
	// Micros is a timestamp column as integer microseconds since 1970 UTC.
	Micros(expr string) string
	// Time is integer microseconds since 1970 UTC as a timestamp.
	Time(expr string) string
	// Minute is a timestamp truncated to the minute.
	Minute(expr string) string
	// IntDiv is integer division of a non-negative a by a positive b, rounded
	// down.
	IntDiv(a, b string) string
	// Sum is the sum of the DOUBLEs of expr, with compensation for what additions lose
	// (Kahan): NULL or 0 without values, not finite if it overflows.
	Sum(expr string) string
	// Int128 is a whole DOUBLE as an integer of 128 bits.
	Int128(expr string) string
	// Quantile is the exact quantile q (0..1, linear interpolation) of the
	// values of expr that are not NULL; NULL when there are none.
	Quantile(expr string, q float64) string
	// Quantiles are several of them as an array, whose first element is [1]: read
	// once, and unspecified when there are no values.
	Quantiles(expr string, qs ...float64) string
	// ArgMin and ArgMax are value at the least and greatest by that is not NULL.
	ArgMin(value, by string) string
	ArgMax(value, by string) string
	// PropertyText is a property of a properties column as text: NULL when it
	// is missing or null, strings unquoted, anything else as JSON. expr holds
	// one "?" for arg.
	PropertyText(column, name string) (expr string, arg any)
	// MemberText is the same of a member of an object that is a property; of a list it is
	// the first element. expr holds a "?" for each of args.
	MemberText(column, property, member string) (expr string, args []any)
	// Number is text as a finite DOUBLE, NULL when it does not have the form
	// of a JSON number.
	Number(expr string) string
	// DecimalText is text in the form of a JSON number as the one spelling of that number:
	// 1000.0, 1e3 and 1000 are "1000", -0.0 is "0". NULL for other text, and for numbers
	// with over 20 digits before the point or 18 after it: each of these is a text.
	DecimalText(expr string) string
	// Contains tests that text contains part, case kept, and StartsWith that it begins with it.
	Contains(text, part string) string
	StartsWith(text, part string) string
	// Matches tests that text matches a regular expression of RE2.
	Matches(text, pattern string) string
	// Lower is text with A to Z as a to z; other letters stay, since engines differ in them.
	// text may stand several times in it, so it has no "?".
	Lower(text string) string
	// Bytes is the length of text in bytes.
	Bytes(text string) string
	// SHA256 is the hash of text in hex, in small letters.
	SHA256(text string) string
	// Zero is a text of one zero byte.
	Zero() string

	// Bit is a 64-bit mask with the one bit n (0..61), BitUnion the union of the
	// masks of a group, BitAt one bit of a mask as the integer 0 or 1, AnyBit the
	// same of n bits from first on: 1 where one of them is set. Persons by bucket are
	// counted with masks, which is a third faster than distinct pairs.
	Bit(n string) string
	BitUnion(expr string) string
	BitAt(mask string, n int) string
	AnyBit(mask string, first, n int) string

	// Let is an expression in which expr has a name: body uses it often. Placeholders
	// come in the order of the text: those of expr, then those of body.
	Let(expr string, body func(name string) string) string

	// Place is where column is in a list of n texts that follow as "?": 1 for the first, 0 if it
	// is not in the list. A CASE of a hundred texts takes twice as long.
	Place(column string, n int) string

	// Words makes a row for each word of a text with single spaces between words.
	Words(expr string) string
	// Function is how a function of package sqlgate is written, with {1}, {2} … for its arguments; "" is as its
	// name and the arguments in parentheses. There are conversions among them: "integer of number". Whatever the
	// values, it must not fail.
	Function(name string) string
	// LikePattern is a pattern of LIKE in which a backslash stands for itself.
	LikePattern(pattern string) string

	// InQuery is the operator for "in" with a query on its right that itself contains such
	// operators.
	InQuery() string
}
