package weir_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The Makefile names tests (ALONE) that run without the race detector, in the packages
// ALONE_IN. A name that no test has would let a renamed test run with the detector, for
// minutes; a test of that name in another package would not run at all.
func TestTheMakefileNamesTestsThatExist(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	words := func(variable string) []string {
		m := regexp.MustCompile(`(?m)^` + variable + ` := ((?:.*\\\n)*.*)$`).FindSubmatch(makefile)
		if m == nil {
			t.Fatalf("the Makefile has no %s", variable)
		}
		return strings.Fields(strings.NewReplacer("$$", "$", "\\\n", " ").Replace(string(m[1])))
	}
	in := words("ALONE_IN")
	raced := testsByFolder(t)
	delete(raced, "./e2e")
	for _, folder := range words("PLAIN") {
		delete(raced, folder)
		if below, ok := strings.CutSuffix(folder, "/..."); ok {
			for other := range raced {
				if strings.HasPrefix(other, below) {
					delete(raced, other)
				}
			}
		}
	}
	for _, name := range words("ALONE") {
		found := false
		for folder, tests := range raced {
			if slices.ContainsFunc(tests, regexp.MustCompile(name).MatchString) {
				found = true
				if !slices.Contains(in, folder) {
					t.Errorf("%s has a test %s, which the Makefile does not run: ALONE_IN lacks the package", folder, name)
				}
			}
		}
		if !found {
			t.Errorf("no test has the name %s", name)
		}
	}
}

// A name of RACED_STORIES that no test of the whole binary has would run nothing with the race detector.
func TestTheMakefileNamesStoriesThatExist(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^RACED_STORIES := (.*)$`).FindSubmatch(makefile)
	if m == nil {
		t.Fatal("the Makefile has no RACED_STORIES")
	}
	stories := testsByFolder(t)["./e2e"]
	for name := range strings.SplitSeq(strings.ReplaceAll(string(m[1]), "$$", "$"), "|") {
		if !slices.ContainsFunc(stories, regexp.MustCompile(name).MatchString) {
			t.Errorf("no test of the whole binary has the name %s", name)
		}
	}
}

// testsByFolder returns the names of all tests, by folder ("./internal/hot").
func testsByFolder(t *testing.T) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	name := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, root := range []string{"bench", "client", "cmd", "e2e", "internal"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range name.FindAllSubmatch(source, -1) {
				folder := "./" + filepath.ToSlash(filepath.Dir(path))
				tests[folder] = append(tests[folder], string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}
