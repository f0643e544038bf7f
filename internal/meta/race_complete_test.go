package meta_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parse returns the syntax of the package's files that match.
func parse(t *testing.T, match func(name string) bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !match(name) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// selected returns the fields and methods of a variable that a piece of code uses.
func selected(code ast.Node, variable string) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(code, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok {
			if v, ok := x.X.(*ast.Ident); ok && v.Name == variable {
				names[x.Sel.Name] = true
			}
		}
		return true
	})
	return names
}

// writers returns the exported methods of a store that write to its database: those that use
// inTx or the connection that writes, and those that call one that does.
func writers(t *testing.T) (names []string) {
	t.Helper()
	uses := map[string]map[string]bool{} // by method, what it uses of its store
	for _, file := range parse(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") }) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Body == nil || len(f.Recv.List[0].Names) == 0 {
				continue
			}
			if p, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				if of, ok := p.X.(*ast.Ident); ok && of.Name == "Store" {
					uses[f.Name.Name] = selected(f.Body, f.Recv.List[0].Names[0].Name)
				}
			}
		}
	}
	writes := map[string]bool{"inTx": true, "write": true}
	for grown := true; grown; {
		grown = false
		for name, used := range uses {
			for x := range used {
				if writes[x] && !writes[name] {
					writes[name], grown = true, true
				}
			}
		}
	}
	for name := range uses {
		if writes[name] && ast.IsExported(name) && name != "Close" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// In the entries of once and everybody, s is the store of one of ten nodes.
func TestEachOperationThatWritesIsDoneByTenNodesAtOnce(t *testing.T) {
	done := map[string]bool{}
	for _, file := range parse(t, func(name string) bool {
		return strings.HasPrefix(name, "race_") && name != "race_complete_test.go"
	}) {
		for name := range selected(file, "s") {
			done[name] = true
		}
	}
	all := writers(t)
	if len(all) < 60 {
		t.Errorf("%d operations that write: the test finds too few", len(all))
	}
	for _, name := range all {
		if !done[name] {
			t.Errorf("no entry of once (race_test.go) or everybody (race_all_test.go, race_people_test.go) does %s", name)
		}
	}
}
