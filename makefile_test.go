package weir_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Makefile names tests that run without the race detector. One that was renamed
// would run with it, and take minutes.
func TestEachTestThatTheMakefileNamesExists(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	variable := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + ` := (.*)$`).FindSubmatch(makefile)
		if m == nil {
			t.Fatalf("the Makefile has no %s", name)
		}
		return string(m[1])
	}
	var tests []string
	for dir := range strings.FieldsSeq(variable("ALONE_IN")) {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
				tests = append(tests, string(m[1]))
			}
		}
	}
	for name := range strings.SplitSeq(variable("ALONE"), "|") {
		if !slices.ContainsFunc(tests, func(test string) bool { return strings.Contains(test, name) }) {
			t.Errorf("no test in %s has %q in its name", variable("ALONE_IN"), name)
		}
	}
}
