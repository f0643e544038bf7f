package weir_test

import (
	"encoding/json"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestTheErrorOfAConditionSaysOnceWhatIsWrong(t *testing.T) {
	var f weir.Filter
	if err := json.Unmarshal([]byte(`[{"column":"name","op":"=","value":1,"values":[2]}]`), &f); err != nil {
		t.Fatal(err)
	}
	err := weir.Selector{Filter: f}.Validate()
	if want := "filter[0]: give either value or values"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

// What is wrong with a filter is said with its place and with what may stand there.
func TestAWrongConditionIsNamedByItsPlace(t *testing.T) {
	for json, want := range map[string]string{
		`{"any":[{"column":"name","op":"=","value":"a"},{"column":"name","op":"~","value":"b"}]}`:   "filter[0].any[1].op: unknown op",
		`{"not":{"all":[{"column":"name","op":"in"}]}}`:                                             "filter[0].not[0]: name in: needs 1 to 100 values, has 0",
		`[{"column":"name","op":"=","value":"a"},{"any":[]}]`:                                       "filter[1]: a group needs a condition",
		`[{"any":[{"column":"name","op":"is set"}],"not":{"column":"name","op":"is set"}}]`:         "filter[0]: a condition is one of",
		`[{"column":"name","op":"is set","value":"a"}]`:                                             "filter[0]: name is set: takes no value, has 1",
		`[{"column":"name","op":"=","value":{"a":1}}]`:                                              "filter[0]: a value must be",
		`[{"colum":"name","op":"=","value":"a"}]`:                                                   "filter[0]: a condition is",
		`[{"column":"name","op":"matches","value":"("}]`:                                            "filter[0].value: \"(\" is no regular expression",
		`[{"column":"name","op":"matches","value":"(a{1,100}){1,10}(b{1,1000})((c{1,30}){1,30})"}]`: "too large",
		`"name = a"`: "filter[0]: a filter is a list",
		strings.Repeat(`{"not":`, 6) + `{"column":"name","op":"is set"}` + strings.Repeat(`}`, 6): "at most 5 groups",
	} {
		var f weir.Filter
		if err := f.UnmarshalJSON([]byte(json)); err != nil {
			t.Fatal(err)
		}
		err := weir.Selector{Filter: f}.Validate()
		if weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(weir.ErrorMessage(err), want) {
			t.Errorf("%s: %v, want %q", json, err, want)
		}
	}
}

// A text of thousands of levels is refused before it is decoded level by level, and the deepest filter is
// taken, whatever its texts contain.
func TestAFilterOfManyLevelsIsRefusedWithLittleWork(t *testing.T) {
	deep := []byte(strings.Repeat(`{"not":[`, 4000) + `{"column":"name","op":"is set"}` + strings.Repeat(`]}`, 4000))
	var f weir.Filter
	allocated := testing.AllocsPerRun(10, func() {
		if err := f.UnmarshalJSON(deep); err != nil {
			t.Fatal(err)
		}
	})
	if err := f.Validate(); weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(err.Error(), "at most 5 groups") || allocated > 20 {
		t.Errorf("%v after %v allocations", err, allocated)
	}
	deepest := strings.Repeat(`{"not":[`, 5) + `{"column":"name","op":"in","values":["[[[[[[[[[[[[[[[[","\\\"{{{{{{{{{{{{{{{{"]}` + strings.Repeat(`]}`, 5)
	if err := f.UnmarshalJSON([]byte(deepest)); err != nil || f.Validate() != nil {
		t.Errorf("%s: %v", deepest, f.Validate())
	}
}

// A filter reads what it writes, and all spellings of one filter have one canonical form.
func FuzzFilter(f *testing.F) {
	f.Add(`{"any":[{"column":"name","op":"not in","values":["b","a"]},{"not":[{"column":"status","op":">=","value":500}]}]}`)
	f.Add(`[{"all":[{"column":"properties.a","op":"matches","value":"^a.*$"}]},{"column":"bot","op":"=","value":true}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var a, b weir.Filter
		if !json.Valid([]byte(text)) || a.UnmarshalJSON([]byte(text)) != nil || a.Validate() != nil {
			return
		}
		written, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &b); err != nil || b.Validate() != nil || !a.Equal(b) {
			t.Fatalf("%s is read as %s: %v, %v", text, written, err, b.Validate())
		}
		once := weir.Selector{Filter: a}.Canonical()
		if twice := once.Canonical(); !once.Filter.Equal(twice.Filter) || once.Validate() != nil {
			t.Fatalf("%s: the canonical form %v is not final: %v", text, once, twice)
		}
	})
}
