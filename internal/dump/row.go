package dump

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
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
)

// time is the first of the fields that has one.
func (r row) time(names ...string) (time.Time, error) {
	text := r.text(names...)
	if text == "" {
		return time.Time{}, errNoTime
	}
	return readTime(text, r.zone)
}

// layouts of times, with and without a zone. Fractions of a second are read
// wherever they stand.
var (
	zoned = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05 MST"}
	naive = []string{time.DateTime, "2006-01-02T15:04:05"}
)

// readTime reads a time as databases write it, or a unix time in seconds,
// milli-, micro- or nanoseconds. zone is that of a time that names none.
func readTime(text string, zone *time.Location) (time.Time, error) {
	if f, err := strconv.ParseInt(text, 10, 64); err == nil {
		return unix(f), nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 && math.Abs(f) < 1e11 {
		return time.UnixMicro(int64(f * 1e6)).UTC(), nil
	}
	for _, layout := range zoned {
		if strings.HasSuffix(layout, "MST") && !strings.HasSuffix(text, " UTC") {
			continue // any other name of a zone would be read as UTC too
		}
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range naive {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errBadTime
}

// unix reads a unix time, whose unit its size tells.
func unix(v int64) time.Time {
	switch a := max(v, -v); {
	case a < 1e11:
		return time.Unix(v, 0).UTC()
	case a < 1e14:
		return time.UnixMilli(v).UTC()
	case a < 1e17:
		return time.UnixMicro(v).UTC()
	}
	return time.Unix(0, v).UTC()
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
