package weir

import "regexp/syntax"

// Limits of a regular expression: its bytes, and the steps that it is compiled to.
const (
	maxPattern      = 1000
	maxPatternSteps = 5000
)

// checkPattern refuses a regular expression that is not RE2, or is large. Error: EINVALID.
func checkPattern(pattern string) error {
	if len(pattern) > maxPattern {
		return Errorf(EINVALID, "a regular expression has at most %d bytes", maxPattern)
	}
	re, err := syntax.Parse(pattern, patternFlags)
	if err != nil {
		return Errorf(EINVALID, "%q is no regular expression (RE2): %s", pattern, err)
	}
	if p, err := syntax.Compile(re.Simplify()); err != nil || len(p.Inst) > maxPatternSteps {
		return Errorf(EINVALID, "%q is too large a regular expression", pattern)
	}
	return nil
}

// A point matches a newline too: engines differ in what they do without being told.
const patternFlags = syntax.Perl | syntax.DotNL

// Pattern returns a regular expression that was checked, in a spelling that all engines read
// alike.
func Pattern(pattern string) string {
	re, err := syntax.Parse(pattern, patternFlags)
	if err != nil {
		return pattern
	}
	return re.String()
}
