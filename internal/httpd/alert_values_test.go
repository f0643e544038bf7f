package httpd_test

import (
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAnAlertOnAValueOfAnInsightIsShownAsItWasMade(t *testing.T) {
	f := start(t)
	made := f.newAlert(`{"name":"Apdex","measure":{"kind":"insight","insight":"calls","value":"apdex","filter":[{"column":"route","op":"=","value":"/cart"}]},
		"condition":{"op":"below","value":0.7,"clear":0.8},"min_volume":50}`)
	path := f.path("/alerts/" + made.ID)
	measure := func(want string) {
		t.Helper()
		if a := f.as(f.admin, "GET", path, ""); !strings.Contains(a.body, want) {
			t.Errorf("%s, want %s", a.body, want)
		}
	}
	measure(`"measure":{"kind":"insight","insight":"calls","value":"apdex","filter":[{"column":"route","op":"=","values":["/cart"]}]}`)
	wantStatus(t, f.as(f.admin, "PATCH", path, `{"measure":{"kind":"insight","insight":"pages","value":"bounce_rate"}}`), 200)
	measure(`"measure":{"kind":"insight","insight":"pages","value":"bounce_rate"}`)
	wantStatus(t, f.as(f.admin, "PATCH", path, `{"measure":{"kind":"insight","insight":"trend","math":"total"}}`), 200)
	measure(`"measure":{"kind":"insight","math":"total"}`)
}

func TestAnAlertOnAnInsightIsToldWhatThatTakes(t *testing.T) {
	f := start(t)
	for measure, says := range map[string]string{
		`{"kind":"insight","insight":"growth","value":"new"}`:               "growth is counted by days",
		`{"kind":"insight","insight":"calls"}`:                              "takes filter, and value: apdex,",
		`{"kind":"insight","insight":"pages","value":"apdex"}`:              "takes filter, and value: views,",
		`{"kind":"insight","insight":"calls","value":"apdex","math":"p95"}`: "math and property are not of it",
		`{"kind":"insight","math":"total","value":"apdex"}`:                 "a trend takes event",
		`{"kind":"calls","value":"rate"}`:                                   "only the kind insight takes",
	} {
		a := f.as(f.admin, "POST", f.path("/alerts"), `{"name":"x","measure":`+measure+`,"condition":{"op":"above","value":1}}`)
		wantError(t, a, 400, weir.EINVALID)
		if !strings.Contains(a.body, says) {
			t.Errorf("%s: %s, want %s", measure, a.body, says)
		}
	}
}
