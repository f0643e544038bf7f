package httpd_test

import (
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestOpenPanelTellsTheDeviceOfAKnownClientOnly(t *testing.T) {
	f := start(t)
	browser := []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)", "Openpanel-Client-Id"}
	replay := `{"type":"replay","payload":{"chunk_index":0,"payload":"[]"}}`
	for _, c := range []struct {
		method, path, body string
	}{
		{"GET", "/track/device-id", ""},
		{"GET", "/track/device-id/", ""},
		{"POST", "/track", replay},
	} {
		a := f.do(c.method, c.path, c.body, append(browser, f.key)...)
		if a.status != 200 || !strings.Contains(a.body, `"deviceId":"device of `+f.shop.ID+` at `) || strings.Contains(a.body, `"sessionId":""`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
		for _, client := range []string{"wk_made_up", "", f.admin} {
			if a := f.do(c.method, c.path, c.body, append(browser, client)...); a.status != 401 || strings.Contains(a.body, "device of") {
				t.Errorf("%s %s as %q: %d %s", c.method, c.path, client, a.status, a.body)
			}
		}
		f.backend.mu.Lock()
		f.backend.err = weir.Errorf(weir.EUNAVAILABLE, "full")
		f.backend.mu.Unlock()
		if a := f.do(c.method, c.path, c.body, append(browser, f.key)...); a.status != 503 {
			t.Errorf("%s %s without a store: %d %s", c.method, c.path, a.status, a.body)
		}
		f.backend.mu.Lock()
		f.backend.err = nil
		f.backend.mu.Unlock()
	}
	for _, d := range f.taken() {
		if len(d.events) > 0 {
			t.Errorf("events were made: %+v", d)
		}
	}
}
