package httpd_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/httpd"
)

// docs/features.md says which route does what and which test shows it. This test
// cannot tell whether that is so, but that both exist.
func TestTheListOfFeaturesNamesRoutesAndTestsThatExist(t *testing.T) {
	const root = "../.."
	page, err := os.ReadFile(filepath.Join(root, "docs/features.md"))
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, r := range httpd.Rules() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	tests := testsIn(t, root)
	named := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		for _, m := range regexp.MustCompile("`((?:GET|POST|PATCH|PUT|DELETE) [^`?]*)").FindAllStringSubmatch(cells[2], -1) {
			if named++; !slices.Contains(routes, m[1]) {
				t.Errorf("there is no route %s", m[1])
			}
		}
		for _, m := range regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`").FindAllStringSubmatch(cells[3], -1) {
			if named++; !strings.Contains(tests, "\nfunc "+m[1]+"(") {
				t.Errorf("there is no test %s", m[1])
			}
		}
		for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(cells[3], -1) {
			if named++; !strings.Contains(tests, `t.Run("`+m[1]) {
				t.Errorf("there is no part of a suite that is called %q", m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\]\(([a-z./A-Z]+\.md)\)`).FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join(root, "docs", m[1])); err != nil {
				t.Errorf("%v", err)
			}
		}
	}
	if named < 50 {
		t.Errorf("%d routes and tests are named: the page is not read as it is written", named)
	}
}

// testsIn is the source of all tests and of the suites that prove a backend.
func testsIn(t *testing.T, root string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "node_modules" || d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		suite := strings.HasSuffix(filepath.Base(filepath.Dir(path)), "test") && strings.HasSuffix(path, ".go")
		if !suite && !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		all.WriteByte('\n')
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
