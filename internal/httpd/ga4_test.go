package httpd_test

import (
	"strings"
	"testing"
)

var _ = func() bool {
	vendorCalls["POST /mp/collect"] = vendorCall{path: "?api_secret=NAME&measurement_id=NAME", body: `{"client_id":"1.2","events":[{"name":"paid"}]}`}
	vendorCalls["GET /g/collect"] = vendorCall{path: "?v=2&tid=NAME&cid=1.2&en=page_view"}
	vendorCalls["POST /g/collect"] = vendorCall{path: "?v=2&tid=NAME&cid=1.2&_p=1&_s=1", body: "en=page_view&dt=Home\r\n"}
	quietRoutes["POST /debug/mp/collect"] = true
	return true
}()

func TestGA4sEventsForValidationGoNowhere(t *testing.T) {
	f := start(t)
	a := f.do("POST", "/debug/mp/collect?api_secret="+f.key, `{"client_id":"1.2","events":[{"name":"_bad"}]}`)
	if a.status != 200 || !strings.Contains(a.body, `"validationCode":"NAME_INVALID"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := f.taken(); len(got) != 0 {
		t.Errorf("delivered %+v", got)
	}
}

func TestGA4HidesThatABodyIsWrongAndNotThatAKeyIs(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		query, body string
		status      int
	}{
		{"?api_secret=" + f.key, `{"client_id":`, 204},
		{"?api_secret=" + f.key, `{"client_id":"1.2","events":[{"name":"a"}]}`, 204},
		{"?api_secret=wk_made_up", `{"client_id":"1.2","events":[{"name":"a"}]}`, 401},
		{"?api_secret=not_ours&measurement_id=G-NOBODY", `{"client_id":"1.2","events":[{"name":"a"}]}`, 401},
		{"", `{"client_id":"1.2","events":[{"name":"a"}]}`, 401},
	} {
		if a := f.do("POST", "/mp/collect"+c.query, c.body); a.status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.query, c.body, a.status, a.body, c.status)
		}
	}
}
