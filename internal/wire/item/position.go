package item

import (
	"bytes"

	weir "github.com/weir-analytics/weir"
)

// Position is where a body is wrong. Errors have it as their Details.
type Position struct {
	Line   int `json:"line"`   // from 1
	Offset int `json:"offset"` // bytes from the body's first
}

// Malformed returns the error of a body that is wrong at an offset, with its Position.
func Malformed(body []byte, offset int, fault string) error {
	at := Position{Line: 1 + bytes.Count(body[:offset], []byte("\n")), Offset: offset}
	err := weir.Errorf(weir.EINVALID, "body is not valid: line %d, byte %d: %s", at.Line, at.Offset, fault)
	err.Details = at
	return err
}
