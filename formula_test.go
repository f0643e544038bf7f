package weir_test

import (
	"math"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAFormulaIsComputedByTheRulesOfArithmetic(t *testing.T) {
	a, b := 12.0, 4.0
	for text, want := range map[string]float64{
		"A": 12, "A / B * 100": 300, "A - B - 1": 7, "A - (B - 1)": 9, "-A + 2*B": -4, "--A": 12, " ( A )\n/.5 ": 24, "2 + 3 * 4 - 6 / 3": 12, "A*-B": -48,
	} {
		f, err := weir.ParseFormula(text, 3)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v := f.Value([]*float64{&a, &b, nil}); v == nil || *v != want {
			t.Errorf("%s = %v, want %v", text, v, want)
		}
	}
}

func TestAFormulaHasNoValueWhereASeriesHasNoneOrItDividesByZero(t *testing.T) {
	a, zero, large := 12.0, 0.0, math.MaxFloat64
	for _, text := range []string{"A / B", "C", "A + C", "-C", "0 / B", "A / (B * 2)", "D * D", "D * 10 - D * 10"} {
		f, err := weir.ParseFormula(text, 4)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if v := f.Value([]*float64{&a, &zero, nil, &large}); v != nil {
			t.Errorf("%s = %v, want none", text, *v)
		}
	}
}

func TestAWrongFormulaSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"": "ends where", "A +": "ends where", "(A": "not closed", "A)": `")"`, "A B": `"B"`, "C": "no series C: the question has 2", "a": `"a"`, "1.2.3": "no number",
		"A ^ 2": `"^ 2"`, "A; DROP TABLE events": `"; DROP TABLE events"`, strings.Repeat("(", 60) + "A": "at most 50", strings.Repeat("A+", 300) + "A": "at most 500 bytes", "ä": "not expected",
	} {
		if _, err := weir.ParseFormula(text, 2); weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
}

func FuzzFormula(f *testing.F) {
	f.Add("A / B * 100")
	f.Add("-(A + .5) - --B")
	f.Fuzz(func(t *testing.T, text string) {
		formula, err := weir.ParseFormula(text, 2)
		if err != nil {
			if weir.ErrorCode(err) != weir.EINVALID {
				t.Fatal(err)
			}
			return
		}
		a, b := 3.0, 0.0
		if v := formula.Value([]*float64{&a, &b}); v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			t.Fatalf("%s = %v", text, *v)
		}
	})
}
