package hot_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// The drain decodes each event once, into the row that it writes: one copy of the record's
// texts, one of the properties, and the call.
func TestRecordTakesThreeAllocationsToDecode(t *testing.T) {
	e := fullEvent()
	b := hot.AppendRecord(nil, &e)
	var row weir.EventRow
	n := testing.AllocsPerRun(100, func() {
		row = weir.EventRow{}
		if err := hot.DecodeRecord(b, &row.Event); err != nil {
			t.Fatal(err)
		}
	})
	if n > 3 {
		t.Errorf("%v allocations, at most 3 expected: texts, properties, call", n)
	}
	if n := testing.AllocsPerRun(100, func() { b = hot.AppendRecord(b[:0], &e) }); n > 0 {
		t.Errorf("%v allocations to encode, none expected", n)
	}
}
