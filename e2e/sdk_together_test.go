package e2e_test

import "testing"

// TestFiveSDKsOneReport has one site send through five SDKs at once.
func TestFiveSDKsOneReport(t *testing.T) {
	t.Parallel()
	needSDKs(t, true)
	s := start(t, binary(t, ""), "--listen", freeAddr(t), "--data", t.TempDir())
	p := s.project("UTC")
	all := sdks()
	// Those that tell of the same two people by the same ids, and one that knows nobody.
	together := []string{"posthog-js", "openpanel-web", "segment-next", "plausible", "umami-node"}
	var tellers []*teller
	for _, name := range together {
		tellers = append(tellers, begin(t, all[name].scenario, s.url, p.Key, 10))
	}
	want := map[string]int{}
	for i, name := range together {
		told := tellers[i].line()
		byName, _ := all[name].counts(told.Sent)
		for _, e := range append(told.Errors, tellers[i].end()...) {
			t.Errorf("%s says: %s", name, e)
		}
		want["screen_view"] += byName["screen_view"]
		want["tick"] += byName["tick"]
	}
	if t.Failed() {
		return
	}
	// Each has the two pages; three of them have a second device, and one a screen.
	if want["screen_view"] != 5*2+3+1 || want["tick"] != 5*10 {
		t.Fatalf("the SDKs say that they sent %v", want)
	}
	for name, n := range want {
		var got trend
		s.query(p, map[string]any{"kind": "trend", "from": "-1d", "series": []any{map[string]any{"event": name, "math": "total"}}}, &got)
		if int(got.Series[0].Total) != n {
			t.Errorf("the report counts %v events %s, want %d", got.Series[0].Total, name, n)
		}
	}
	// PostHog, Umami: ada ordered with both, but Umami's order names nobody: it is its device's, which was linked to her.
	var ordered trend
	s.query(p, map[string]any{"kind": "trend", "from": "-1d", "series": []any{map[string]any{"event": "order_completed", "math": "unique"}}}, &ordered)
	if n := ordered.Series[0].Total; n != 1 {
		t.Errorf("%v people ordered, want ada alone", n)
	}
	profiles := s.profiles(p)
	if len(profiles) != 2 || profiles["ada"] == nil || profiles["ben"] == nil {
		t.Errorf("the profiles are %v, want ada and ben", profiles)
	}
	if ada, _ := profiles["ada"].(object); ada["email"] != "ada@example.org" || ada["visits"] != 2.0 || ada["team"] != "red" || ada["firstName"] != "Ada" {
		t.Errorf("ada's traits are %v, want those that each SDK gave her", ada)
	}
}
