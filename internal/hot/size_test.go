package hot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func TestARecordIsNotLargerThanItsSize(t *testing.T) {
	large := fullEvent()
	large.Title, large.Properties = strings.Repeat("x", 1<<21), json.RawMessage(strings.Repeat("1", 1<<15))
	far := fullEvent()
	far.Time, far.ReceivedAt, far.Call.Status = time.Unix(1<<40, 0), time.Unix(-1<<40, 0), -1<<60
	for _, e := range []weir.Event{{}, fullEvent(), large, far} {
		size, length := hot.RecordSize(&e), len(hot.AppendRecord(nil, &e))
		if length > size || size > length+300 {
			t.Errorf("a record of %d bytes, said to have %d", length, size)
		}
	}
}

func FuzzRecordSize(f *testing.F) {
	e := fullEvent()
	f.Add(hot.AppendRecord(nil, &e))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(b)
		if err != nil {
			return
		}
		if size, length := hot.RecordSize(&e), len(hot.AppendRecord(nil, &e)); length > size || size > length+300 {
			t.Fatalf("a record of %d bytes, said to have %d", length, size)
		}
	})
}
