package clickhouse

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// bindings turns each "?" of a query into a parameter that the server binds, with
// its type: {p1:String}. A "?" within quotes is text.
func bindings(query string, args []any) (string, []any, error) {
	var b strings.Builder
	b.Grow(len(query) + 16*len(args))
	out := make([]any, 0, len(args))
	for quoted, rest := false, query; ; {
		i := strings.IndexAny(rest, "?'\\")
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		c := rest[i]
		rest = rest[i+1:]
		switch {
		case c == '\\' && quoted && rest != "":
			b.WriteByte(c)
			b.WriteByte(rest[0])
			rest = rest[1:]
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c != '?' || quoted:
			b.WriteByte(c)
		case len(out) == len(args):
			return "", nil, fmt.Errorf("query has more than %d places for arguments", len(args))
		default:
			name := "p" + strconv.Itoa(len(out)+1)
			typ, v, err := parameter(args[len(out)])
			if err != nil {
				return "", nil, err
			}
			b.WriteString("{" + name + ":" + typ + "}")
			out = append(out, sql.Named(name, v))
		}
	}
	if len(out) != len(args) {
		return "", nil, fmt.Errorf("query has %d places for %d arguments", len(out), len(args))
	}
	return b.String(), out, nil
}

func parameter(v any) (typ string, value any, err error) {
	switch v := v.(type) {
	case string:
		return "String", v, nil
	case int64:
		return "Int64", strconv.FormatInt(v, 10), nil
	case int:
		return "Int64", strconv.Itoa(v), nil
	case uint64:
		return "UInt64", strconv.FormatUint(v, 10), nil
	case float64:
		return "Float64", strconv.FormatFloat(v, 'g', -1, 64), nil
	case bool:
		return "Bool", strconv.FormatBool(v), nil
	}
	return "", nil, fmt.Errorf("arguments of type %T cannot be bound", v)
}
