package ga4_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestGA4Golden(t *testing.T) { wiretest.Golden(t, ga4.Protocol{}) }

func TestGA4HidesOnlyWhatIsWrongWithTheBody(t *testing.T) {
	for status, want := range map[int]int{400: 204, 401: 401, 413: 413, 429: 429, 500: 500, 503: 503} {
		r := ga4.Protocol{}.Refuse(&wire.Request{}, status, weir.Errorf(weir.EINVALID, "why"))
		if r.Status != want || (len(r.Body) == 0) != (want == 204) {
			t.Errorf("%d: %d %s", status, r.Status, r.Body)
		}
	}
}

// FuzzGA4 checks what holds for any body: it is taken when it is one JSON object; each
// event is within the limits, or a rejection; what validation says is JSON.
func FuzzGA4(f *testing.F) {
	wiretest.EachGolden(f, ga4.Protocol{}, func(_ string, r *wire.Request) { f.Add(r.Body) })
	for _, seed := range []string{
		`{"events":[{"name":"purchase","params":{"value":"$"}}],"events":[]}`, `{"user_id":"u","user_properties":{"a":{"value":1},"a":{"value":2}},"events":null}`,
		`{"user_location":{"region_id":"US-"},"device":{"category":1},"client_id":{}}`,
	} {
		f.Add([]byte(seed))
	}
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 400, 14, 12, 20, 30, 5, 4
	kept := l
	kept.Properties += 4
	f.Fuzz(func(t *testing.T, body []byte) {
		defer wiretest.Bounded(t)()
		r := &wire.Request{Route: wire.Route{Method: http.MethodPost, Path: "/debug/mp/collect"}, Header: http.Header{}, Body: body, Now: wiretest.Now, Limits: l}
		sent, err := ga4.Protocol{}.Decode(r)
		if err != nil || len(sent.Parts) > 0 {
			t.Fatalf("validation: %+v, %v", sent, err)
		}
		if answer := (ga4.Protocol{}).Answer(r, sent); answer.Status != 200 || !json.Valid(answer.Body) {
			t.Errorf("validation says %s", answer.Body)
		}
		r.Route.Path = "/mp/collect"
		sent, err = ga4.Protocol{}.Decode(r)
		if code := weir.ErrorCode(err); err != nil && code != weir.EINVALID && code != weir.ETOOLARGE {
			t.Errorf("code %q", code)
		}
		if err != nil {
			return
		}
		part := sent.Parts[0]
		var indexes []int
		for i := range part.Events {
			indexes = append(indexes, part.Events[i].Index)
			wiretest.CheckEvent(t, &part.Events[i], kept)
		}
		for _, j := range part.Rejected {
			indexes = append(indexes, j.Index)
		}
		slices.Sort(indexes)
		for i, index := range indexes {
			if i != index {
				t.Fatalf("indexes %v", indexes)
			}
		}
	})
}
