package wire_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

func TestGA4Golden(t *testing.T) { holdDialogues(t, wire.GA4{}, "testdata/ga4") }

func TestGA4HidesOnlyWhatIsWrongWithTheBody(t *testing.T) {
	for status, want := range map[int]int{400: 204, 401: 401, 413: 413, 429: 429, 500: 500, 503: 503} {
		r := wire.GA4{}.Refuse(&wire.Request{}, status, weir.Errorf(weir.EINVALID, "why"))
		if r.Status != want || (len(r.Body) == 0) != (want == 204) {
			t.Errorf("%d: %d %s", status, r.Status, r.Body)
		}
	}
}

// FuzzGA4 checks what holds for any body: it is taken when it is one JSON object; each
// event is within the limits, or a rejection; what validation says is JSON.
func FuzzGA4(f *testing.F) {
	files, err := filepath.Glob("testdata/ga4/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, _, _, body := requestIn(f, a.Files[0].Data)
		f.Add(body)
	}
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
		r := &wire.Request{Route: wire.Route{Method: http.MethodPost, Path: "/debug/mp/collect"}, Query: url.Values{}, Header: http.Header{}, Body: body, Now: now, Limits: l}
		sent, err := wire.GA4{}.Decode(r)
		if err != nil || len(sent.Parts) > 0 {
			t.Fatalf("validation: %+v, %v", sent, err)
		}
		if answer := (wire.GA4{}).Answer(r, sent); answer.Status != 200 || !json.Valid(answer.Body) {
			t.Errorf("validation says %s", answer.Body)
		}
		r.Route.Path = "/mp/collect"
		sent, err = wire.GA4{}.Decode(r)
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
			checkEvent(t, &part.Events[i], kept)
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
