package insight

import (
	"fmt"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

// foldOf folds the events of one person and describes the attempt that counts: when each step was
// taken, - for one that was not. Events are words such as "3:AB", at second 3, an event that fits
// the steps A and B. x, y … are what the exclusions mean, and - fits nothing.
func foldOf(t *testing.T, rules funnelRules, steps int, events string) string {
	t.Helper()
	if rules.optional == nil {
		rules.optional = make([]bool, steps)
	}
	if rules.window == 0 {
		rules.window = 100
	}
	if rules.entry == (span{}) {
		rules.entry = span{0, 1000}
	}
	f := newFunnelFold(rules)
	first := describeAttempt(foldEvents(t, f, events))
	if again := describeAttempt(foldEvents(t, f, events)); again != first {
		t.Errorf("the next person with the same events: %s, want %s", again, first)
	}
	return first
}

func foldEvents(t *testing.T, f *funnelFold, events string) *attempt {
	t.Helper()
	for word := range strings.FieldsSeq(events) {
		var e funnelEvent
		var fits string
		if _, err := fmt.Sscanf(word, "%d:%s", &e.at, &fits); err != nil {
			t.Fatalf("%s: %v", word, err)
		}
		for _, letter := range fits {
			switch {
			case letter >= 'x':
				e.excluded |= 1 << (letter - 'x')
			case letter >= 'A':
				e.steps |= 1 << (letter - 'A')
			}
		}
		e.group = Group{Value: word}
		f.add(&e)
	}
	return f.finish()
}

func describeAttempt(a *attempt) string {
	if a == nil {
		return "out"
	}
	steps := make([]string, len(a.at))
	for i, at := range a.at {
		if steps[i] = "-"; a.taken>>i&1 == 1 {
			steps[i] = fmt.Sprint(at)
		}
	}
	return strings.Join(steps, " ")
}

func TestTheGroupOfAPersonIsThatOfTheNamedStep(t *testing.T) {
	for of, want := range map[int]Group{0: {Value: "2:B"}, 1: {Value: "1:A"}, 2: {Value: "2:B"}, 3: {None: true}} {
		rules := funnelRules{order: weir.OrderOrdered, optional: make([]bool, 3), window: 100, entry: span{0, 100}, of: of}
		if got := foldEvents(t, newFunnelFold(rules), "1:A 2:B 3:A").group; got != want {
			t.Errorf("step %d: %+v, want %+v", of, got, want)
		}
	}
}

// A person with very many events costs a bounded amount of memory, and whether the person
// converts stays exact.
func TestOneHoldsABoundedNumberOfAttempts(t *testing.T) {
	for _, order := range []weir.FunnelOrder{weir.OrderOrdered, weir.OrderAny} {
		f := newFunnelFold(funnelRules{order: order, optional: make([]bool, 3), window: 50_000, entry: span{0, 1 << 40}})
		for i := range int64(100_000) {
			f.add(&funnelEvent{at: i, steps: 1})
			if i == 30_000 {
				f.add(&funnelEvent{at: i, steps: 2})
			}
		}
		for _, all := range f.open {
			if len(all) > maxOpen {
				t.Errorf("%s: %d attempts wait for a step", order, len(all))
			}
		}
		f.add(&funnelEvent{at: 100_000, steps: 2})
		f.add(&funnelEvent{at: 149_000, steps: 4})
		if a := f.finish(); a == nil || a.furthest != 3 {
			t.Errorf("%s: %+v, want all three steps", order, a)
		}
	}
}

func TestTheAttemptThatCounts(t *testing.T) {
	strict, anyOrder := funnelRules{order: weir.OrderStrict}, funnelRules{order: weir.OrderAny}
	without := func(r funnelRules, of ...stretchOfSteps) funnelRules { r.exclude = of; return r }
	for _, tt := range []struct {
		name   string
		rules  funnelRules
		steps  int
		events string
		want   string
	}{
		{"other events lie between", funnelRules{}, 3, "1:A 2:- 3:B 4:- 5:C", "1 3 5"},
		{"a step that comes too early is none", funnelRules{}, 3, "1:B 2:A 3:C", "2 - -"},
		{"nobody enters without step 1", funnelRules{}, 2, "1:B 2:B", "out"},
		{"the earliest of two that got equally far", funnelRules{}, 3, "1:A 2:A 3:B", "1 3 -"},
		{"who loops counts with the attempt that got furthest", funnelRules{window: 10}, 3, "1:A 2:B 20:A 21:B 22:C", "20 21 22"},
		{"a loop whose first attempt is over in time", funnelRules{window: 10}, 3, "1:A 9:B 10:A 12:B 13:C", "10 12 13"},
		{"one event serves one step", funnelRules{}, 2, "1:AB", "1 -"},
		{"two events that fit both", funnelRules{}, 2, "1:AB 2:AB", "1 2"},
		{"three steps of one event", funnelRules{}, 3, "1:ABC 2:ABC 3:ABC", "1 2 3"},
		{"two steps in the same instant convert", funnelRules{}, 3, "1:A 1:B 1:C", "1 1 1"},
		{"the order decides in the same instant", funnelRules{}, 2, "1:B 1:A", "1 -"},
		{"the end of the window is inside", funnelRules{window: 10}, 3, "1:A 5:B 11:C", "1 5 11"},
		{"after it is outside", funnelRules{window: 10}, 3, "1:A 5:B 12:C", "1 5 -"},
		{"the window runs from step 1", funnelRules{window: 10}, 3, "1:A 10:B 15:C", "1 10 -"},
		{"step 1 lies in the range, later steps may not", funnelRules{entry: span{5, 10}}, 2, "4:A 9:A 12:B", "9 12"},
		{"step 1 after the range is none", funnelRules{entry: span{5, 10}}, 2, "10:A 12:B", "out"},

		{"an exclusion voids the attempt", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:A 2:x 3:B", "out"},
		{"also when the next step never comes", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:A 2:x", "out"},
		{"it voids one attempt of two", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:A 2:x 3:A 4:B", "3 4"},
		{"outside its steps it does nothing", without(funnelRules{}, stretchOfSteps{1, 2}), 3, "1:A 2:B 3:x 4:C", "1 2 4"},
		{"between its steps", without(funnelRules{}, stretchOfSteps{2, 3}), 3, "1:A 2:x 3:B 4:x 5:C", "out"},
		{"over several steps", without(funnelRules{}, stretchOfSteps{1, 3}), 3, "1:A 2:B 3:x 4:C", "out"},
		{"after the last step it does nothing", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:A 2:B 3:x", "1 2"},
		{"before step 1 too", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:x 2:A 3:B", "2 3"},
		{"outside the window too", without(funnelRules{window: 10}, stretchOfSteps{1, 2}), 2, "1:A 12:x", "1 -"},
		{"a step is not between itself and another", without(funnelRules{}, stretchOfSteps{1, 2}), 2, "1:Ax 2:Bx", "1 2"},
		{"a step between others is", without(funnelRules{}, stretchOfSteps{1, 3}), 3, "1:A 2:Bx 3:C", "out"},
		{"one of two exclusions", without(funnelRules{}, stretchOfSteps{1, 2}, stretchOfSteps{2, 3}), 3, "1:A 2:y 3:B 4:x 5:C", "1 3 5"},

		{"an optional step is taken", funnelRules{optional: []bool{false, true, false}}, 3, "1:A 2:B 3:C", "1 2 3"},
		{"an optional step is skipped", funnelRules{optional: []bool{false, true, false}}, 3, "1:A 3:C", "1 - 3"},
		{"an optional step comes too late", funnelRules{optional: []bool{false, true, false}}, 3, "1:A 2:C 3:B", "1 - 2"},
		{"two optional steps in a row", funnelRules{optional: []bool{false, true, true, false}}, 4, "1:A 2:C 3:B 4:D", "1 - 2 4"},
		{"an event that fits both takes the furthest", funnelRules{optional: []bool{false, true, false}}, 3, "1:A 2:BC", "1 - 2"},
		{"an optional last step", funnelRules{optional: []bool{false, false, true}}, 3, "1:A 2:B 3:C", "1 2 3"},
		{"an exclusion while an optional step is skipped", funnelRules{optional: []bool{false, true, false}, exclude: []stretchOfSteps{{1, 2}}}, 3, "1:A 2:x 3:C", "out"},

		{"strict", strict, 3, "1:A 2:B 3:C", "1 2 3"},
		{"any event breaks a strict attempt", strict, 3, "1:A 2:B 3:- 4:C", "1 2 -"},
		{"and the next one begins anew", strict, 3, "1:A 2:- 3:A 4:B 5:C", "3 4 5"},
		{"a step again breaks it too", strict, 2, "1:A 2:A 3:B", "2 3"},
		{"strict, with a step skipped", funnelRules{order: weir.OrderStrict, optional: []bool{false, true, false}}, 3, "1:A 2:C", "1 - 2"},
		{"what breaks it may be excluded", without(strict, stretchOfSteps{1, 2}), 2, "1:A 2:x", "out"},
		{"after it broke nothing is excluded", without(strict, stretchOfSteps{1, 2}), 2, "1:A 2:- 3:x", "1 -"},
		{"strict ends with the window", funnelRules{order: weir.OrderStrict, window: 10}, 2, "1:A 12:B", "1 -"},

		{"any order", anyOrder, 3, "1:C 2:A 3:B", "1 2 3"},
		{"the same step again is no other", anyOrder, 3, "1:C 2:C 3:A", "1 3 -"},
		{"any order, an event gives way", anyOrder, 2, "1:AB 2:A", "1 2"},
		{"any order, one event serves one step", anyOrder, 3, "1:ABC 2:A 3:A", "1 2 -"},
		{"any order, three give way", anyOrder, 3, "1:AB 2:BC 3:B", "1 2 3"},
		{"any order, the earliest of equals", anyOrder, 3, "1:A 2:B 3:A", "1 2 -"},
		{"any order within the window", funnelRules{order: weir.OrderAny, window: 10}, 3, "1:A 8:B 12:C", "1 8 -"},
		{"any order, the later attempt gets further", funnelRules{order: weir.OrderAny, window: 10}, 3, "1:A 8:B 12:C 13:A", "8 12 13"},
		{"any order, an exclusion between", without(anyOrder, stretchOfSteps{1, 3}), 3, "1:B 2:x 3:A", "3 - -"},
		{"any order, an exclusion after the last taken", without(anyOrder, stretchOfSteps{1, 3}), 3, "1:B 2:A 3:x", "1 2 -"},
		{"any order, an exclusion that voids one of two", without(anyOrder, stretchOfSteps{1, 3}), 3, "1:B 2:x 3:A 4:C 5:B", "3 4 5"},
		{"any order, an excluded event that begins", without(anyOrder, stretchOfSteps{1, 3}), 2, "1:Ax 2:B", "1 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rules.order == "" {
				tt.rules.order = weir.OrderOrdered
			}
			if got := foldOf(t, tt.rules, tt.steps, tt.events); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.events, got, tt.want)
			}
		})
	}
}
