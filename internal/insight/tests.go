package insight

import weir "github.com/weir-analytics/weir"

// mostTests bounds the tests in the SQL of one question: some 4 MB of text. A condition is a
// test, and one on a path or route is a test more for each of the project's URL rules. A question
// repeats its filter in each series, and an action all that its events ask.
const mostTests = 5000

// checkTests refuses a question whose SQL would be too long. Error: EINVALID.
func checkTests(p *weir.Project, q weir.Question) error {
	base := q.Base()
	page := 1 + len(p.URLRules.Rules)
	ofFilter := func(f weir.Filter) (n int) {
		for _, c := range f.Tests() {
			if n++; isRuled(c.Column) {
				n += page - 1
			}
		}
		return n
	}
	ofAction := func(id string) (n int) {
		for _, of := range base.Resolved[id].Any {
			if n += ofFilter(of.Filter) + 1; of.Path != "" {
				n += page
			}
		}
		return n
	}
	n := ofFilter(base.Filter)
	for _, c := range base.Filter.Tests() {
		if c.Column == weir.ActionColumn {
			for _, id := range c.Values {
				n += ofAction(id)
			}
		}
	}
	switch q := q.(type) {
	case weir.Trend:
		n *= max(1, len(q.Series))
		for _, s := range q.Series {
			n += ofAction(s.Action) + ofFilter(s.Filter)
		}
	case weir.Funnel:
		for _, s := range q.Steps {
			n += ofAction(s.Action) + ofFilter(s.Filter)
		}
		for _, x := range q.Exclude {
			n += ofAction(x.Action) + ofFilter(x.Filter)
		}
		n *= 2 // which events are read, and what they are
	case weir.Pages:
		n += ofAction(q.Goal)
	case weir.Lifecycle:
		n += ofAction(q.Action)
	case weir.Stickiness:
		n += ofAction(q.Action)
	case weir.Retention:
		n = 2*n + ofAction(q.Start.Action) + ofFilter(q.Start.Filter) + ofAction(q.Return.Action) + ofFilter(q.Return.Filter)
	}
	if n > mostTests {
		return weir.Errorf(weir.EINVALID, "the question needs %d tests for each event, and %d are the most: name fewer actions, paths or series, or give the project fewer URL rules", n, mostTests)
	}
	return nil
}
