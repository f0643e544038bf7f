package hot

import (
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// ViewText is how many bytes of a screen view's path and of its origin presence
// remembers: write keys are public, and views are kept in memory.
const ViewText = 256

// ViewOf is what presence remembers of a screen view; longer texts are cut.
func ViewOf(e *weir.Event, at time.Time) ScreenView {
	return ScreenView{EventID: cut(e.ID), Path: cut(e.Path), Origin: cut(e.Origin), At: at}
}

func cut(s string) string {
	if len(s) <= ViewText {
		return s
	}
	n := ViewText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
