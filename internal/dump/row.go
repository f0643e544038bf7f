package dump

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/wire/item"
)

// row is a record by the names of its fields. A value is what encoding/json
// makes of JSON with json.Number for numbers; of CSV it is a string, and empty
// cells are missing.
type row struct {
	fields map[string]any
	zone   *time.Location
}

// has says whether all of the fields are there.
func (r row) has(names ...string) bool {
	for _, n := range names {
		if _, ok := r.fields[n]; !ok {
			return false
		}
	}
	return true
}

// names lists the fields, for an error.
func (r row) names() string {
	names := slices.Sorted(maps.Keys(r.fields))
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// text is the first of the fields that has one, without space around it.
func (r row) text(names ...string) string {
	for _, n := range names {
		if t := textOf(r.fields[n]); t != "" {
			return t
		}
	}
	return ""
}

// number is the first of the fields that has one.
func (r row) number(names ...string) (float64, bool) {
	for _, n := range names {
		if f, err := strconv.ParseFloat(textOf(r.fields[n]), 64); err == nil && f-f == 0 {
			return f, true
		}
	}
	return 0, false
}

// object is the first of the fields that is one, also as JSON text or as
// ClickHouse writes a map. The caller may change it.
func (r row) object(names ...string) row {
	for _, n := range names {
		switch v := r.fields[n].(type) {
		case map[string]any:
			return row{v, r.zone}
		case string:
			if m, err := object([]byte(strings.TrimSpace(v))); err == nil {
				return row{m, r.zone}
			}
			if m, ok := literalMap(v); ok {
				return row{m, r.zone}
			}
		}
	}
	return row{map[string]any{}, r.zone}
}

// list is a field that is an array, also as text.
func (r row) list(name string) []any {
	switch v := r.fields[name].(type) {
	case []any:
		return v
	case string:
		var l []any
		dec := json.NewDecoder(strings.NewReader(v))
		dec.UseNumber()
		if dec.Decode(&l) == nil {
			return l
		}
		if l, ok := literalList(v); ok {
			return l
		}
	}
	return nil
}

// drop takes fields away.
func (r row) drop(names ...string) {
	for _, n := range names {
		delete(r.fields, n)
	}
}

var (
	errNoTime  = errors.New("there is no time")
	errBadTime = errors.New("the time is none")
	errOldTime = errors.New("the time is before 1990; a number must be a unix time")
)

// earliest is before all events, and after what is none: the zero of a database, or a
// count of something else that is read as seconds since 1970.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// time is the first of the fields that has one.
func (r row) time(names ...string) (time.Time, error) {
	text := r.text(names...)
	if text == "" {
		return time.Time{}, errNoTime
	}
	t, err := readTime(text, r.zone)
	if err == nil && t.Before(earliest) {
		return time.Time{}, errOldTime
	}
	return t, err
}

// readTime reads a time as databases write it, or a unix time in seconds,
// milli-, micro- or nanoseconds. zone is that of a time that names none.
func readTime(text string, zone *time.Location) (time.Time, error) {
	us, ok := item.Moment([]byte(text), zone)
	if !ok {
		return time.Time{}, errBadTime
	}
	return time.UnixMicro(us).UTC(), nil
}

// textOf is a value as text: "" for what is no text, number or boolean.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(strings.Trim(v, "\x00"))
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// truth says whether a value is true, as JSON or as a database writes it.
func truth(v any) bool {
	switch textOf(v) {
	case "true", "1", "t":
		return true
	}
	return false
}
