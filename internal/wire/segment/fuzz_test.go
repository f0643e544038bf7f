package segment_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// FuzzSegment checks what holds for any body: it is taken when it is one JSON object,
// and for a batch has an array of calls; each call is an event within the limits, or a
// rejection.
func FuzzSegment(f *testing.F) {
	n := uint8(0)
	wiretest.EachGolden(f, segment.Protocol{}, func(_ string, r *wire.Request) { f.Add(r.Body, n); n++ })
	for _, seed := range []string{
		`{"batch":[{"type":"track","event":"api_call"}],"context":{}}`, `{"batch":[],"batch":[1],"context":{},"context":1}`,
		`{"properties":{"revenue":1},"properties":{"revenue":"2"},"type":1,"type":"page"}`, `{"context":{"traits":{"a":1},"traits":[]},"traits":{}}`,
		`{"event":"Order Refunded","properties":{"total":"$"}}`, `{"integrations":{"a":{"session_id":-1}},"groupId":"","name":{}}`,
	} {
		f.Add([]byte(seed), uint8(0))
		f.Add([]byte(seed), uint8(6))
	}
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 400, 14, 12, 20, 30, 5, 4
	routes := segment.Protocol{}.Routes()
	kept := l // what is kept of the context comes on top
	kept.Properties += 6
	f.Fuzz(func(t *testing.T, body []byte, n uint8) {
		defer wiretest.Bounded(t)()
		route := routes[int(n)%len(routes)]
		r := &wire.Request{Route: route, Path: route.Path, Header: http.Header{}, Body: body, Now: wiretest.Now, Limits: l}
		if n > 128 {
			r.Header.Set("Origin", "https://shop.example")
		}
		sent, err := segment.Protocol{}.Decode(r)
		text := bytes.TrimPrefix(body, []byte("\ufeff"))
		object := json.Valid(text) && bytes.TrimLeft(text, " \t\r\n")[0] == '{'
		if err != nil {
			switch code := weir.ErrorCode(err); {
			case code == weir.ETOOLARGE:
			case code != weir.EINVALID:
				t.Errorf("code %q", code)
			case object && !bytes.Contains(text, []byte(`batch`)) && !batches(route):
				t.Errorf("an object is refused: %v", err)
			}
			return
		}
		if len(sent.Parts) == 0 {
			return
		}
		if !object {
			t.Error("what is no object is taken")
		}
		part := sent.Parts[0]
		var indexes []int
		for i := range part.Events {
			indexes = append(indexes, part.Events[i].Index)
			wiretest.CheckEvent(t, &part.Events[i], kept)
		}
		for _, j := range part.Rejected {
			indexes = append(indexes, j.Index)
			if !slices.Contains(append(wire.Reasons(), wire.VendorReasons()...), j.Reason) {
				t.Errorf("reason %q is not listed", j.Reason)
			}
		}
		slices.Sort(indexes)
		for i, index := range indexes {
			if i != index {
				t.Fatalf("indexes %v", indexes)
			}
		}
		if len(indexes) > l.Events {
			t.Errorf("%d items", len(indexes))
		}
	})
}

func batches(r wire.Route) bool {
	return slices.Contains([]string{"batch", "b", "import"}, filepath.Base(r.Path))
}
