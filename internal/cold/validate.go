package cold

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Validate returns a *RowError for the first row that no retry could write, or that would
// break every query which reads it. The rules are the same for all engines, so that they
// store the same rows.
func Validate(rows []weir.EventRow) error {
	const group = 64 // rows that stay in the processor's cache
	for begin := 0; begin < len(rows); begin += group {
		some := rows[begin:min(begin+group, len(rows))]
		bad, reason := -1, ""
		for _, check := range checks {
			if i, why := check(some); i >= 0 && (bad < 0 || i < bad) {
				bad, reason = i, why
			}
		}
		if bad >= 0 {
			return &RowError{Index: begin + bad, Reason: reason}
		}
	}
	return nil
}

// check returns the index of the first row whose value in a column cannot be stored, and
// why, or -1.
type check func(rows []weir.EventRow) (index int, reason string)

// checks has a check for each column that needs one.
var checks = func() (out []check) {
	for i := range schema.Events.Columns {
		if c := checkOf(&schema.Events.Columns[i]); c != nil {
			out = append(out, c)
		}
	}
	return out
}()

func checkOf(c *schema.Column[weir.EventRow]) check {
	name := c.Name
	switch f := c.Value.(type) {
	case func(*weir.EventRow) *string:
		return checkText(f)
	case func(*weir.EventRow) *time.Time:
		return checkEach(f, func(t time.Time) string { return refuseTime(name, t) })
	case func(*weir.EventRow) *weir.Number:
		if c.Type == schema.Int64 {
			return checkEach(f, func(v weir.Number) string {
				if v.Value != math.Trunc(v.Value) || v.Value < 0 || v.Value > weir.MaxBytes {
					return name + " is not a whole number from 0 to 2^53"
				}
				return ""
			})
		}
		return checkEach(f, func(v weir.Number) string {
			if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
				return name + " is not a finite number"
			}
			return ""
		})
	case func(*weir.EventRow) *int:
		return checkEach(f, func(v int) string {
			if v < math.MinInt32 || v > math.MaxInt32 {
				return name + " is out of range"
			}
			return ""
		})
	case func(*weir.EventRow) *[]byte:
		return checkEach(f, refuseProperties)
	}
	return nil
}

func checkText(f func(*weir.EventRow) *string) check {
	const reason = "text is not valid UTF-8"
	if offset, ok := schema.Offset(f); ok {
		return func(rows []weir.EventRow) (int, string) {
			for i := range rows {
				if !utf8.ValidString(*schema.At[string](&rows[i], offset)) {
					return i, reason
				}
			}
			return -1, ""
		}
	}
	return checkEach(f, func(s string) string {
		if !utf8.ValidString(s) {
			return reason
		}
		return ""
	})
}

// checkEach checks the values that are there. refuse returns why one cannot be stored.
func checkEach[V any](f func(*weir.EventRow) *V, refuse func(V) string) check {
	return func(rows []weir.EventRow) (int, string) {
		for i := range rows {
			if p := f(&rows[i]); p != nil {
				if reason := refuse(*p); reason != "" {
					return i, reason
				}
			}
		}
		return -1, ""
	}
}

// Earliest is the first time that a row may have, and Latest the first that it may not
// have: what the timestamps of all engines and clients can represent in microseconds.
var (
	Earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	Latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func refuseTime(name string, t time.Time) string {
	if t.Before(Earliest) || !t.Before(Latest) {
		return fmt.Sprintf("%s is out of range: year %d", name, t.UTC().Year())
	}
	return ""
}

// refuseProperties accepts only what DuckDB's JSON functions read: one row of
// anything else would fail every query on a property.
func refuseProperties(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	if p[0] != '{' || !json.Valid(p) {
		return "properties are not a JSON object"
	}
	if !utf8.Valid(p) {
		return "properties are not valid UTF-8"
	}
	if bytes.Contains(p, []byte(`\u`)) && loneSurrogate(p) {
		return "properties hold half of a surrogate pair"
	}
	return ""
}
