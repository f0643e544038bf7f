package enrich_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestLanguageIsTheFirstPreference(t *testing.T) {
	for _, c := range []struct{ s, want string }{
		{"de-DE", "de-DE"},
		{"de", "de"},
		{"de-DE,de;q=0.9,en;q=0.8", "de-DE"},
		{"en;q=0.5, fr;q=0.9", "fr"},
		{"en;q=0, fr;q=0.1", "fr"},
		{"*, en;q=0.5", "en"},
		{"en;q=2, fr;q=0.1", "fr"},
		{"en;q=0.12345, fr;q=0.1", "fr"},
		{"en;q=0.x, fr;q=0.1", "fr"},
		{"EN-us", "en-US"},
		{"de_DE.UTF-8", "de-DE"},
		{"sr_RS@latin", "sr-RS"},
		{"zh-hant-tw", "zh-Hant-TW"},
		{"es-419", "es-419"},
		{"fil-PH", "fil-PH"},
		{"de-DE-x-averylongsubtag", "de-DE-x"},
		{"de-abcdefgh-abcdefgh-abcdefgh-abcdefgh", "de-abcdefgh-abcdefgh-abcdefgh"},
		{"C", ""},
		{"POSIX", ""},
		{"*", ""},
		{"latn", ""},
		{"12", ""},
		{"de-\xff", "de"},
		{"\x00", ""},
		{"", ""},
	} {
		if got := enrich.Language(c.s); got != c.want {
			t.Errorf("%q: %q, want %q", c.s, got, c.want)
		}
	}
}

func TestLanguageOfAnEventIsSpelledAsUsual(t *testing.T) {
	e := open(t, enrich.Options{})
	in := weir.Incoming{Event: weir.Event{Language: "pt_br, en;q=0.5"}}
	e.Apply(&in, nil)
	if in.Event.Language != "pt-BR" {
		t.Errorf("%q, want pt-BR", in.Event.Language)
	}
}
