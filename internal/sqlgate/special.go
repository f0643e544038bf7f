package sqlgate

import (
	"fmt"
	"regexp"
	"strings"
)

func countCall(w *writer, c *call, _ *Function, args []value) value {
	if len(args) == 0 {
		if c.distinct {
			w.failf(c.pos(), "count(DISTINCT x) takes what is counted")
		}
		return w.of(c.pos(), Int, raw("COUNT(*)"))
	}
	if c.distinct {
		return w.of(c.pos(), Int, w.sql("COUNT(DISTINCT @)", args[0].fragment), args...)
	}
	return w.of(c.pos(), Int, w.sql("COUNT(@)", args[0].fragment), args...)
}

func sumCall(w *writer, c *call, _ *Function, args []value) value {
	a := args[0]
	if a.kind == Int {
		return w.of(c.pos(), Int, w.sql("SUM(@)", a.fragment), a)
	}
	return w.of(c.pos(), Float, fragment{w.d.Sum(a.sql), a.args}, a)
}

func quantileCall(w *writer, c *call, f *Function, args []value) value {
	q := 0.5
	if f.Name == "quantile" {
		switch v := args[1].constant.(type) {
		case int64:
			q = float64(v)
		case float64:
			q = v
		}
		if !(q >= 0 && q <= 1) {
			w.failf(args[1].at, "a quantile is 0 to 1: 0.95 is p95")
		}
	}
	return w.of(c.pos(), Float, fragment{w.d.Quantile(args[0].sql, q), args[0].args}, args[0])
}

func argCall(w *writer, c *call, f *Function, args []value) value {
	write := w.d.ArgMin
	if f.Name == "arg_max" {
		write = w.d.ArgMax
	}
	// The engine's function takes both in order.
	marked := w.filled(strings.Replace(strings.Replace(write("\x01", "\x02"), "\x01", "{1}", 1), "\x02", "{2}", 1), args[0].fragment, args[1].fragment)
	return w.of(c.pos(), args[0].kind, marked, args...)
}

func sameKinds(w *writer, c *call, f *Function, args []value) value {
	args, kind := w.same(args...)
	parts := make([]fragment, len(args))
	for i, a := range args {
		parts[i] = a.fragment
	}
	if len(args) == 1 {
		return args[0]
	}
	if f.Name == "nullif" && len(args) != 2 {
		w.failf(c.pos(), "nullif is called as nullif(x, y)")
	}
	return w.of(c.pos(), kind, w.sql(upper(f.Name)+"(@)", w.list(parts)), args...)
}

func concatCall(w *writer, c *call, _ *Function, args []value) value {
	return w.concat(c.pos(), args...)
}

func substringCall(w *writer, c *call, f *Function, args []value) value {
	for i, a := range args[1:] {
		if a.constant.(int64) < int64(1-i) {
			w.failf(a.at, "substring counts from 1, and takes %d characters at least", 0)
		}
	}
	g := *f
	g.special = nil
	return w.called(c, &g, args)
}

func searchCall(w *writer, c *call, f *Function, args []value) value {
	write := w.d.Contains
	if f.Name == "starts_with" {
		write = w.d.StartsWith
	}
	return w.of(c.pos(), Bool, fragment{write(args[0].sql, args[1].sql), append(append([]any{}, args[0].args...), args[1].args...)}, args...)
}

// short refuses a constant text that makes work grow.
func (w *writer) short(a value) string {
	s := a.constant.(string)
	if len(s) > 1000 {
		w.failf(a.at, "the text has more than 1000 bytes")
	}
	return s
}

func replaceCall(w *writer, c *call, f *Function, args []value) value {
	from, to := w.short(args[1]), w.short(args[2])
	if from == "" {
		w.failf(args[1].at, "replace takes a text that is not empty")
	}
	g := *f
	g.special = nil
	v := w.called(c, &g, args)
	return w.grown(v, args[0].growth*max(1, (len(to)+len(from)-1)/len(from)))
}

func splitCall(w *writer, c *call, f *Function, args []value) value {
	if w.short(args[1]) == "" {
		w.failf(args[1].at, "split_part takes a separator that is not empty")
	}
	if args[2].constant.(int64) < 1 {
		w.failf(args[2].at, "split_part counts parts from 1")
	}
	g := *f
	g.special = nil
	return w.called(c, &g, args)
}

var groupReference = regexp.MustCompile(`\\(.?)`)

// patternCall writes the functions of regular expressions. The pattern is checked here: an engine would fail.
func patternCall(w *writer, c *call, f *Function, args []value) value {
	pattern := w.short(args[1])
	re, err := regexp.Compile(pattern)
	if err != nil {
		w.failf(args[1].at, "the pattern is not one of RE2: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	growth := args[0].growth
	switch {
	case f.Name == "regexp_matches":
		return w.of(c.pos(), Bool, fragment{w.d.Matches(args[0].sql, args[1].sql), append(append([]any{}, args[0].args...), args[1].args...)}, args...)
	case f.Name == "regexp_extract" && len(args) == 3:
		if n := args[2].constant.(int64); n < 0 || n > int64(min(re.NumSubexp(), 9)) {
			w.failf(args[2].at, "the pattern has no group %d", n)
		}
	case f.Name == "regexp_extract":
		args = append(args, w.literal(c.pos(), int64(0)))
	default:
		to := w.short(args[2])
		for _, m := range groupReference.FindAllStringSubmatch(to, -1) {
			if m[1] != `\` && (m[1] < "0" || m[1] > "9" || int(m[1][0]-'0') > re.NumSubexp()) {
				w.failf(args[2].at, `\%s is no group of the pattern; a backslash is \\`, m[1])
			}
			growth += args[0].growth
		}
		growth += args[0].growth * len(groupReference.ReplaceAllString(to, ""))
	}
	g := *f
	g.special = nil
	return w.grown(w.called(c, &g, args), growth)
}

func nowCall(w *writer, c *call, _ *Function, _ []value) value {
	return w.moment(c.pos(), w.catalog.Now)
}

func localCall(w *writer, c *call, _ *Function, args []value) value {
	if w.catalog.Local == nil {
		return args[0]
	}
	// Local names the time several times.
	parts := strings.Split(w.catalog.Local("\x01"), "\x01")
	f := raw(parts[0])
	for _, p := range parts[1:] {
		f = w.sql("@@"+strings.ReplaceAll(p, "@", ""), f, args[0].fragment)
	}
	return w.of(c.pos(), Time, f, args...)
}

var unitsOf = map[string][]string{
	"date_trunc": {"minute", "hour", "day", "week", "month", "quarter", "year"},
	"date_part":  {"year", "quarter", "month", "week", "day", "isodow", "hour", "minute", "second"},
	"date_diff":  {"second", "minute", "hour", "day"},
}

// unitCall writes functions of time whose first argument is a unit: each unit is a function of the engine.
func unitCall(w *writer, c *call, f *Function, args []value) value {
	unit := strings.ToLower(args[0].constant.(string))
	for _, u := range unitsOf[f.Name] {
		if u != unit && u+"s" != unit {
			continue
		}
		parts := make([]fragment, len(args)-1)
		for i, a := range args[1:] {
			parts[i] = a.fragment
		}
		return w.of(c.pos(), f.returns, w.template(f.Name+" "+u, "", parts...), args[1:]...)
	}
	panic(&fault{args[0].at, fmt.Sprintf("%s does not take the unit %s", f.Name, token{text: unit}.shown()), unitsOf[f.Name]})
}

func epochCall(w *writer, c *call, _ *Function, args []value) value {
	return w.of(c.pos(), Float, fragment{"(" + w.d.Micros(args[0].sql) + " / 1000000.0)", args[0].args}, args...)
}

// formatCall writes a format by the engine's letters.
func formatCall(w *writer, c *call, f *Function, args []value) value {
	format := args[1].constant.(string)
	if len(format) > 100 {
		w.failf(args[1].at, "the format is longer than 100 bytes")
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		if i == len(format) || !strings.ContainsRune("YmdHMSj%", rune(format[i])) {
			panic(&fault{args[1].at, "the format has a letter that is not allowed", []string{"%Y", "%m", "%d", "%H", "%M", "%S", "%j", "%%"}})
		}
		letter := w.d.Function("strftime %" + string(format[i]))
		if letter == "" {
			letter = "%" + string(format[i])
		}
		b.WriteString(letter)
	}
	return w.of(c.pos(), Text, w.template("strftime", "", args[0].fragment, fragment{"CAST(? AS VARCHAR)", []any{b.String()}}), args[0])
}

func memberCall(w *writer, c *call, _ *Function, args []value) value {
	return w.member(args[0], []string{args[1].constant.(string)})
}
