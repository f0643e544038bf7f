package weir

import (
	"bytes"
	"encoding/json"
)

// conditionJSON is the form of a condition in a question.
type conditionJSON struct {
	Column string   `json:"column,omitempty"`
	Op     string   `json:"op,omitempty"`
	Value  *scalar  `json:"value,omitempty"`
	Values []scalar `json:"values,omitempty"`
	All    *Filter  `json:"all,omitempty"`
	Any    *Filter  `json:"any,omitempty"`
	Not    *Filter  `json:"not,omitempty"`
}

// scalar is a string, a number or a boolean, as text.
type scalar string

// UnmarshalJSON reads numbers and booleans as they are written. Error: EINVALID.
func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(s))
	case '{', '[':
		return Errorf(EINVALID, "a value must be a string, a number or a boolean")
	}
	*s = scalar(b)
	return nil
}

// MarshalJSON writes the conditions as a question has them.
func (f Filter) MarshalJSON() ([]byte, error) {
	out := make([]conditionJSON, len(f))
	for i, c := range f {
		out[i] = conditionJSON{Column: c.Column, Op: c.Op}
		for _, v := range c.Values {
			out[i].Values = append(out[i].Values, scalar(v))
		}
		for _, group := range []struct {
			of Filter
			to **Filter
		}{{c.All, &out[i].All}, {c.Any, &out[i].Any}, {c.Not, &out[i].Not}} {
			if group.of != nil {
				*group.to = &group.of
			}
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the conditions of a question: a list, or one condition or group in its
// place. It never fails. Validate returns the error, because the error names the place of the
// filter in the question (steps[1].filter[0]), and a JSON decoder does not know that place.
func (f *Filter) UnmarshalJSON(b []byte) error {
	*f = nil
	switch b = bytes.TrimSpace(b); {
	case bytes.Equal(b, []byte("null")):
	case tooDeep(b):
		*f = Filter{{Wrong: Errorf(EINVALID, "at most %d groups in each other", maxDepth)}}
	case b[0] == '{':
		c := decodeCondition(b)
		if *f = (Filter{c}); c.All != nil {
			*f = c.All
		}
	default:
		var in []json.RawMessage
		if json.Unmarshal(b, &in) != nil {
			*f = Filter{{Wrong: Errorf(EINVALID, "a filter is a list of conditions, or one condition: %s", conditionForm)}}
			return nil
		}
		for _, part := range in {
			*f = append(*f, decodeCondition(part))
		}
	}
	return nil
}

const conditionForm = `{"column", "op", "value" or "values"}, {"all": […]}, {"any": […]} or {"not": …}`

// tooDeep says whether JSON has more levels than the deepest filter: a group has two, its object
// and its list. Each level of a filter is decoded on its own, so a text of 10,000 levels would
// be read 10,000 times.
func tooDeep(b []byte) bool {
	const most = 2*(maxDepth+1) + 2 // and those of a value that is wrong
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > most {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func decodeCondition(b []byte) Condition {
	var in conditionJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	var c Condition
	if err == nil {
		c, err = in.condition()
	} else if ErrorCode(err) != EINVALID {
		err = Wrap(err, EINVALID, "a condition is %s", conditionForm)
	}
	if err != nil {
		return Condition{Wrong: err}
	}
	return c
}

func (c conditionJSON) condition() (Condition, error) {
	out := Condition{Column: c.Column, Op: c.Op}
	groups := 0
	for _, group := range []struct {
		of *Filter
		to *Filter
	}{{c.All, &out.All}, {c.Any, &out.Any}, {c.Not, &out.Not}} {
		if group.of != nil {
			groups++
			if *group.to = *group.of; len(*group.of) == 0 {
				return out, Errorf(EINVALID, "a group needs a condition")
			}
		}
	}
	if groups > 0 {
		if groups > 1 || c.Column != "" || c.Op != "" || c.Value != nil || c.Values != nil {
			return out, Errorf(EINVALID, "a condition is one of %s", conditionForm)
		}
		return out, nil
	}
	switch {
	case c.Value != nil && c.Values != nil:
		return out, Errorf(EINVALID, "give either value or values")
	case c.Value != nil:
		out.Values = []string{string(*c.Value)}
	default:
		for _, v := range c.Values {
			out.Values = append(out.Values, string(v))
		}
	}
	return out, nil
}
