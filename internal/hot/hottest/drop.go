package hottest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func (s suite) testDropProject(t *testing.T) {
	f := s.new(t)
	random := rand.New(rand.NewPCG(7, 11))
	var events []weir.Event
	for i := range 300 {
		e := f.anyEvent(random, fmt.Sprint("e", i))
		if i%2 == 1 {
			// Another project, one whose id begins as p's, and one whose id p's begins.
			e.ProjectID = []string{"q", "pp", "p0"}[i/2%3]
		}
		events = append(events, e)
	}
	f.append(events...)
	buckets := bucketsOf(f.rows(nil))
	projects := []string{"p", "q", "pp", "p0"}
	// numbers returns what there is of each project, but 0.
	numbers := func() map[string]int64 {
		got := map[string]int64{}
		for _, p := range projects {
			for name, n := range f.numbersOf(p, buckets) {
				if n != 0 {
					got[p+" "+name] = n
				}
			}
		}
		return got
	}
	want := numbers()
	for _, p := range projects {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(k string) bool { return strings.HasPrefix(k, p+" ") }) {
			t.Fatalf("there is nothing of %s", p)
		}
	}
	maps.DeleteFunc(want, func(k string, _ int64) bool { return strings.HasPrefix(k, "p ") })
	for range 2 { // to drop it again changes nothing
		if err := f.DropProject(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, numbers()); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		f.reopen()
		if d := cmp.Diff(want, numbers()); d != "" {
			t.Errorf("after a reopen (-want +got)\n%s", d)
		}
	}
	if err := f.DropProject(t.Context(), "unknown"); err != nil {
		t.Error(err)
	}
}
