package httpd_test

import (
	"encoding/json"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestAnActionIsMadeShownChangedAndDeleted(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "POST", f.path("/actions"), `{"name":"purchase","any":[{"event":"buy","filter":[{"column":"country","op":"=","value":"DE"}]},{"path":"/thanks/*"}],"revenue":{}}`)
	wantStatus(t, a, 201)
	var made httpd.ActionBody
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || made.ID == "" || made.Revenue == nil || len(made.Any) != 2 {
		t.Fatalf("%s: %v", a.body, err)
	}
	if !strings.Contains(a.body, `{"event":"buy","filter":[{"column":"country","op":"=","values":["DE"]}]},{"path":"/thanks/*"}`) {
		t.Errorf("made: %s", a.body)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/actions/"+made.ID), ""), 200)
	a = f.as(f.admin, "PATCH", f.path("/actions/"+made.ID), `{"name":"order","no_revenue":true}`)
	wantStatus(t, a, 200)
	if !strings.Contains(a.body, `"name":"order"`) || strings.Contains(a.body, "revenue") {
		t.Errorf("changed: %s", a.body)
	}
	if a = f.as(f.admin, "GET", f.path("/actions"), ""); !strings.Contains(a.body, made.ID) {
		t.Errorf("list: %s", a.body)
	}
	for _, body := range []string{
		`{}`, `{"name":"x"}`, `{"name":"x","any":[]}`, `{"name":"x","any":[{}]}`, `{"name":"","any":[{"event":"x"}]}`, `{"name":"x","any":[{"event":"x"}],"revenue":{"value":1}}`,
		`{"name":"x","any":[{"filter":[{"column":"nothing","op":"=","value":"x"}]}]}`, `{"name":"x","any":[{"path":"x"}]}`,
	} {
		if a := f.as(f.admin, "POST", f.path("/actions"), body); a.status/100 != 4 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
	wantError(t, f.as(f.admin, "POST", f.path("/actions"), `{"name":"order","any":[{"event":"x"}]}`), 409, weir.ECONFLICT)
	wantError(t, f.as(f.admin, "PATCH", f.path("/actions/"+made.ID), `{}`), 400, weir.EINVALID)
	wantError(t, f.as(f.admin, "PATCH", f.path("/actions/"+made.ID), `{"any":[{"filter":[{"column":"nothing","op":"=","value":"x"}]}]}`), 400, weir.EINVALID)

	alert := f.as(f.admin, "POST", f.path("/alerts"), `{"name":"few orders","measure":{"kind":"events","filter":[{"column":"action","op":"=","value":"`+made.ID+`"}]},"condition":{"op":"below","value":1}}`)
	wantStatus(t, alert, 201)
	a = f.as(f.admin, "DELETE", f.path("/actions/"+made.ID), "")
	wantError(t, a, 409, weir.ECONFLICT)
	if !strings.Contains(a.body, "few orders") {
		t.Errorf("the refusal does not say where the action is used: %s", a.body)
	}
	var one struct{ ID string }
	if err := json.Unmarshal([]byte(alert.body), &one); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/alerts/"+one.ID), ""), 204)
	wantStatus(t, f.as(f.admin, "DELETE", f.path("/actions/"+made.ID), ""), 204)
	wantError(t, f.as(f.admin, "GET", f.path("/actions/"+made.ID), ""), 404, weir.ENOTFOUND)
}

func TestAQueryNamesActions(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"pages","from":"-7d","goal":"g"}`), 200)
	if q, ok := f.query.(weir.Pages); !ok || q.Goal != "g" {
		t.Errorf("asked for %+v", f.query)
	}
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d","series":[{"action":"a","math":"unique"}]}`), 200)
	if q, ok := f.query.(weir.Trend); !ok || q.Series[0].Action != "a" {
		t.Errorf("asked for %+v", f.query)
	}
}
