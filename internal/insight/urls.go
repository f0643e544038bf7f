package insight

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// isRuled says whether the project's URL rules apply to a column of events.
func isRuled(column string) bool { return column == "path" || column == "route" }

// pageOf is the page of a path by the project's URL rules, as weir.URLRules.Namer returns it.
// path is the name of a column. NULL stays NULL.
//
// Example: the rules strip slashes and have /p/* as /p/:id, and path is /p/7/. Its page is
//
//	CASE WHEN starts_with(tidy, '/p/') AND regexp_matches(tidy, '(?s)^/p/[^/]+$') THEN '/p/:id' ELSE tidy END
//
// where tidy is an expression that is /p/7, which cold.Dialect.Let names. The test of the prefix is the fast one, and decides for most rules.
func pageOf(d cold.Dialect, p *weir.Project, path string) fragment {
	u := &p.URLRules
	tidy := path
	if u.StripSlash {
		short := "TRIM(TRAILING '/' FROM " + path + ")"
		tidy = "CASE WHEN " + short + " = '' AND " + path + " <> '' THEN '/' ELSE " + short + " END"
	}
	if u.LowerCase {
		tidy = d.Lower("(" + tidy + ")")
	}
	if tidy != path {
		tidy = "(" + tidy + ")"
	}
	if len(u.Rules) == 0 {
		return raw(tidy)
	}
	var args []any
	named := func(tidy string) string {
		cases := make([]fragment, len(u.Rules))
		for i, m := range u.Matches() {
			if m.Pattern == "" {
				cases[i] = sql("WHEN "+tidy+" = @ THEN @", bind(m.Prefix), bind(m.To))
				continue
			}
			matches := call(func(x string) string { return d.Matches(tidy, x) }, bind(m.Pattern))
			if m.Prefix != "" {
				matches = all(call(func(x string) string { return d.StartsWith(tidy, x) }, bind(m.Prefix)), matches)
			}
			cases[i] = sql("WHEN @ THEN @", matches, bind(m.To))
		}
		name := sql("(CASE @ ELSE "+tidy+" END)", list(cases, " "))
		args = name.args
		return name.sql
	}
	if tidy == path {
		return fragment{sql: named(path), args: args}
	}
	return fragment{sql: d.Let(tidy, named), args: args}
}

// hashOf is a text that differs for different rules, "" without any. It is in the key of
// cached answers, so a change of the rules makes them invalid.
func hashOf(u *weir.URLRules) string {
	if u.Empty() {
		return ""
	}
	b, err := json.Marshal(u)
	if err != nil {
		panic(err) // texts and booleans always marshal
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
