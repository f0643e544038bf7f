package insight

import (
	"fmt"
	"slices"

	weir "github.com/weir-analytics/weir"
)

// Unit says what a number is.
type Unit int

// The units.
const (
	Number       Unit = iota
	Share             // 0 to 1, which people read in percent
	Index             // 0 to 1, which they read as it is
	Milliseconds      // of time
)

// Measure is a number of the totals of an answer that alerts can measure.
type Measure struct {
	Name weir.AlertValue
	Unit Unit
	// Amount says that the value itself is how much there was: a small value has a small
	// volume.
	Amount bool
}

// totals are the numbers of a kind that alerts can measure.
type totals struct {
	measures []Measure
	question func(weir.Common) weir.Question
	read     func(Answer) (values map[weir.AlertValue]*float64, volume int64)
}

// withTotals returns the kind with totals. question asks for the totals and for as little
// else as it can. read returns the values of an answer, nil for those that it has not, and
// how many events or visits they are of.
func withTotals[A any](k kind, question func(weir.Common) weir.Question, read func(*A) (map[weir.AlertValue]*float64, int64), measures ...Measure) kind {
	k.totals = &totals{measures, question, func(a Answer) (map[weir.AlertValue]*float64, int64) { return read(any(a).(*A)) }}
	return k
}

// Measures returns the numbers that alerts can measure of a kind, in the order in which people
// read them; none if there are none.
func Measures(name weir.Kind) []Measure {
	if k, err := kindNamed(name); err == nil && k.totals != nil {
		return k.totals.measures
	}
	return nil
}

// MeasuredKinds returns the kinds that have Measures, in the order of their names.
func MeasuredKinds() (names []weir.Kind) {
	for _, k := range kinds {
		if k.totals != nil {
			names = append(names, k.name)
		}
	}
	slices.Sort(names)
	return names
}

// MeasureQuestion returns the question of a kind for its Measures. Error: EINVALID if it has none.
func MeasureQuestion(name weir.Kind, c weir.Common) (weir.Question, error) {
	k, err := kindNamed(name)
	if err != nil {
		return nil, err
	}
	if k.totals == nil {
		return nil, weir.Errorf(weir.EINVALID, "the insight %s has no values", name)
	}
	return k.totals.question(c), nil
}

// MeasureOf returns a number of an answer's totals, nil if it has no value, and how many events or
// visits it is of. Error: EINVALID for a value that the kind does not have.
func MeasureOf(a Answer, name weir.AlertValue) (value *float64, volume int64, err error) {
	k, err := kindNamed(a.about().Kind)
	if err != nil {
		return nil, 0, fmt.Errorf("insight: measure: %w", err)
	}
	if k.totals != nil {
		values, volume := k.totals.read(a)
		if v, ok := values[name]; ok {
			return v, volume, nil
		}
	}
	return nil, 0, weir.Errorf(weir.EINVALID, "the insight %s has no value %q", k.name, name)
}

func count(n int64) *float64 { return new(float64(n)) }
