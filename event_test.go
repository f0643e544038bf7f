package weir_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestWhatSDKsAnnounceIsNotTheVisitorsDoing(t *testing.T) {
	for name, want := range map[string]bool{
		"screen_view": false, "screen_leave": false, "session_start": false, "session_end": false, "first_visit": false, "first_open": false,
		"api_call": false, "identify": false, "group": false, "purchase": true, "first_purchase": true,
	} {
		if e := (weir.Event{Name: name}); e.IsInteractive() != want {
			t.Errorf("%s: interactive is %v, want %v", name, e.IsInteractive(), want)
		}
	}
}
