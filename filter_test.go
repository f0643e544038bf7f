package weir_test

import (
	"encoding/json"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestTheErrorOfAConditionSaysOnceWhatIsWrong(t *testing.T) {
	var f weir.Filter
	err := json.Unmarshal([]byte(`[{"column":"name","op":"="}]`), &f)
	if want := "filter[0]: give either value or values"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}
