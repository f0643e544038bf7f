package ingest_test

import "testing"

func TestReferrerFromAnotherSiteOfTheProjectIsNone(t *testing.T) {
	r := newRig(t)
	r.project.Sites = []string{"help.example", "shop.example"}
	for referrer, want := range map[string]string{"https://www.help.example/x": "", "https://blog.help.example/": "blog.help.example"} {
		e := r.sent(`{"name":"screen_view","url":"https://shop.example/","referrer":"`+referrer+`"}`, browser)
		if e.Referrer != want {
			t.Errorf("%s: referrer %q, want %q", referrer, e.Referrer, want)
		}
	}
}
