package weir

import (
	"errors"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong with a question, as an API error lists it.
type Fault struct {
	Location string   `json:"location" doc:"where in the question: steps[1].filter[0].op"`
	Message  string   `json:"message"`
	Allowed  []string `json:"allowed,omitempty" doc:"what may stand there"`
}

// Within puts a place in front of where an error is: a member's name, or [n]. Errors other
// than EINVALID, and nil, stay as they are.
func Within(at string, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != EINVALID {
		return err
	}
	out := *e
	fault := Fault{Message: e.Message}
	if faults, ok := e.Details.([]Fault); ok && len(faults) == 1 {
		fault = faults[0]
	}
	switch {
	case fault.Location == "":
		fault.Location = at
	case strings.HasPrefix(fault.Location, "["):
		fault.Location = at + fault.Location
	default:
		fault.Location = at + "." + fault.Location
	}
	out.Details = []Fault{fault}
	out.Message = fault.Location + ": " + fault.Message
	return &out
}

// Allowed says what may stand in the place of what is wrong.
func (e *Error) Allowed(words ...string) *Error {
	e.Details = []Fault{{Message: e.Message, Allowed: words}}
	return e
}

// place is the place of an element of a list.
func place(i int) string { return "[" + strconv.Itoa(i) + "]" }
