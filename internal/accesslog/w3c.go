package accesslog

import (
	"fmt"
	"strings"
)

const fieldsDirective = "#Fields:"

// w3cWords are the fields of a log in W3C's extended format, as IIS and CloudFront name them. Others are
// skipped. https://www.w3.org/TR/WD-logfile.html
var w3cWords = map[string]field{
	"date": fieldDate, "time": fieldClock, "c-ip": fieldIP, "cs-username": fieldUser, "cs-method": fieldMethod, "cs-uri": fieldURI,
	"cs-uri-stem": fieldPath, "cs-uri-query": fieldQuery, "sc-status": fieldStatus, "sc-bytes": fieldWholeResponse, "cs-bytes": fieldWholeRequest, "cs(referer)": fieldReferrer,
	"cs(user-agent)": fieldUserAgent, "cs-host": fieldHost, "cs(host)": fieldHost, "x-host-header": fieldHost, "cs-version": fieldProto,
	"cs-protocol-version": fieldProto, "x-forwarded-for": fieldForwarded, "cs(x-forwarded-for)": fieldForwarded, "time-taken": fieldLatencyMS,
}

// w3c parses logs whose line "#Fields:" names the fields of the lines that follow, between
// spaces or tabs. Times are UTC.
type w3c struct {
	fields []field
	edge   bool // CloudFront's
	values
}

func newW3C(directive string, o Options) (Parser, error) {
	o.Zone = nil
	p := &w3c{values: newValues(o)}
	p.edge = strings.Contains(directive, "x-edge-")
	if !p.directive(directive) {
		return nil, fmt.Errorf("accesslog: format %q names no date, time and cs-uri-stem", directive)
	}
	return p, nil
}

// directive reads a line that names the fields. It returns false when a call needs more of them.
func (p *w3c) directive(line string) bool {
	names := strings.Fields(strings.TrimPrefix(line, fieldsDirective))
	fields := make([]field, len(names))
	seen := map[field]bool{}
	for i, name := range names {
		f := w3cWords[strings.ToLower(name)]
		switch {
		case f == fieldLatencyMS && p.edge:
			f = fieldLatencyS
		case f == fieldUserAgent && p.edge:
			f = fieldEscaped
		case f == fieldUserAgent:
			f = fieldAgentPlus
		}
		fields[i], seen[f] = f, true
	}
	if strings.Contains(line, "x-edge-") != p.edge || !seen[fieldDate] || !seen[fieldClock] || !seen[fieldPath] && !seen[fieldURI] {
		return false
	}
	p.fields = fields
	return true
}

func (p *w3c) Parse(line []byte, e *Entry) error {
	p.begin(e)
	s := clean(string(line))
	if strings.HasPrefix(s, "#") {
		if strings.HasPrefix(s, fieldsDirective) && !p.directive(s) {
			return syntaxError(1, "%s names no date, time and cs-uri-stem of this format", fieldsDirective)
		}
		return leftOut("a directive of the log, such as " + fieldsDirective)
	}
	separator := " "
	if strings.Contains(s, "\t") {
		separator = "\t"
	}
	if n := strings.Count(s, separator) + 1; n != len(p.fields) {
		return syntaxError(0, "%d fields, where %s named %d: this is another format", n, fieldsDirective, len(p.fields))
	}
	column := 1
	i := 0
	for text := range strings.SplitSeq(s, separator) {
		if reason := p.setText(p.fields[i], text, true, e); reason != "" {
			return syntaxError(column, "%s", reason)
		}
		column += len(text) + 1
		i++
	}
	if e.Method == "" {
		return syntaxError(0, "no method in the line")
	}
	return p.finish(e)
}
