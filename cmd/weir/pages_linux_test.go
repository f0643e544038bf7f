package main

import (
	"testing"

	"github.com/weir-analytics/weir/internal/process"
)

func TestAProgramGoesOnWithoutThePagesOfItsFile(t *testing.T) {
	before := process.Resident("RssFile")
	for range 3 {
		if err := process.DropPages(); err != nil {
			t.Fatal(err)
		}
	}
	// What was written to, such as the tables of the linker, is still there: this calls
	// Go, C and SQLite.
	got := weirs(t, "serve", "--memory", "1MB", "--data", t.TempDir())
	if got.status == 0 {
		t.Errorf("%+v", got)
	}
	if after := process.Resident("RssFile"); before == 0 || after > before {
		t.Errorf("pages of files: %.0f bytes before, %.0f after", before, after)
	}
}
