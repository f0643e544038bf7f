package stats

import (
	"slices"
	"sync"

	weir "github.com/weir-analytics/weir"
)

// maxNamedBytes is the most memory of the names that are remembered, of all projects. Beyond it
// all are forgotten.
const maxNamedBytes = 8 << 20

// pageNames remembers the pages of routes by the URL rules of their projects. Dashboards ask every
// few seconds about the same routes, and each may have to be tested against a hundred rules.
type pageNames struct {
	mu    sync.Mutex
	of    map[string]*projectNames // by project
	bytes int
}

type projectNames struct {
	rules weir.URLRules
	name  func(route string) string
	pages map[string]string // by route
	bytes int
}

// project returns the function that names a project's routes, nil if its rules change none.
func (n *pageNames) project(p *weir.Project) func(route string) string {
	if p.URLRules.Empty() {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.of[p.ID]
	if known == nil || !same(known.rules, p.URLRules) {
		if known != nil {
			n.bytes -= known.bytes
		}
		known = &projectNames{rules: p.URLRules, name: p.URLRules.Namer(), pages: map[string]string{}}
		n.add(known, weir.MaxURLRuleBytes) // with the expressions of the rules
		n.of[p.ID] = known
	}
	return func(route string) string {
		n.mu.Lock()
		defer n.mu.Unlock()
		page, ok := known.pages[route]
		if !ok {
			page = known.name(route)
			n.add(known, 64+len(route)+len(page))
			known.pages[route] = page
		}
		return page
	}
}

// add makes room for what a project has in addition.
func (n *pageNames) add(known *projectNames, bytes int) {
	if n.bytes+bytes > maxNamedBytes {
		clear(n.of)
		clear(known.pages) // a question that goes on may still use it
		n.bytes, known.bytes = 0, 0
	}
	n.bytes += bytes
	known.bytes += bytes
}

func same(a, b weir.URLRules) bool {
	return a.StripSlash == b.StripSlash && a.LowerCase == b.LowerCase && slices.Equal(a.Rules, b.Rules)
}
