package weir

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Action is a saved name for events that mean one thing, such as a purchase. An action is a goal
// if a question asks how many visits reach it.
type Action struct {
	ID        string
	ProjectID string
	ActionSpec
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ActionSpec says which events an action is: those that one of Any selects.
type ActionSpec struct {
	Name string        `json:"name"`
	Any  []ActionEvent `json:"any"`
	// Revenue says what a conversion is worth; nil: it has no worth.
	Revenue *ActionRevenue `json:"revenue,omitempty"`
}

// ActionEvent selects events by name, by path and by a filter. All that is given must hold. With
// Path alone it selects screen views.
type ActionEvent struct {
	Event string `json:"event,omitempty" maxLength:"8192" doc:"an event's name"`
	// Path is a pattern: * is any text without a slash, ** any text.
	Path   string `json:"path,omitempty" maxLength:"1000" doc:"a path, in which * is any text without a slash and ** any text: /blog/*. Without event: of screen views"`
	Filter Filter `json:"filter,omitempty" maxItems:"20" doc:"all must hold"`
}

// ActionRevenue is what a conversion is worth: Value, or the revenue of the event itself.
type ActionRevenue struct {
	Value    *float64 `json:"value,omitempty" nullable:"false" doc:"of each conversion; the event's own revenue when missing"`
	Currency string   `json:"currency,omitempty" doc:"of value: three capital letters"`
}

// Limits of actions.
const (
	maxActionEvents = 10
	maxActionPath   = 1000
	maxActionName   = 100
	maxActionWorth  = 1e12
	// ActionColumn is the column of a filter that names actions by their ids.
	ActionColumn = "action"
)

// Normal returns the spec with a tidy name, or what is wrong with it. It does not check the
// names of columns. Error: EINVALID.
func (s ActionSpec) Normal() (ActionSpec, error) {
	s.Name = strings.TrimSpace(s.Name)
	if n := utf8.RuneCountInString(s.Name); n < 1 || n > maxActionName || !utf8.ValidString(s.Name) {
		return s, Errorf(EINVALID, "name: an action's name has 1 to %d characters", maxActionName)
	}
	if n := len(s.Any); n < 1 || n > maxActionEvents {
		return s, Errorf(EINVALID, "any: an action is 1 to %d kinds of events, there are %d", maxActionEvents, n)
	}
	for i, e := range s.Any {
		if err := e.validate(); err != nil {
			return s, Within("any"+place(i), err)
		}
	}
	return s, s.Revenue.validate()
}

func (e ActionEvent) validate() error {
	if e.Event == "" && e.Path == "" && len(e.Filter) == 0 {
		return Errorf(EINVALID, "give event, path or filter")
	}
	if err := CheckText("event", e.Event); err != nil {
		return err
	}
	if len(e.Path) > maxActionPath || !utf8.ValidString(e.Path) || e.Path != "" && !strings.HasPrefix(e.Path, "/") && !strings.HasPrefix(e.Path, "*") {
		return Errorf(EINVALID, "path: begins with / or *, and has at most %d bytes of UTF-8", maxActionPath)
	}
	for _, c := range e.Filter.Tests() {
		if c.Column == ActionColumn {
			return Errorf(EINVALID, "filter: an action is not made of actions")
		}
	}
	return Within("filter", e.Filter.Validate())
}

func (r *ActionRevenue) validate() error {
	switch {
	case r == nil || r.Value == nil && r.Currency == "":
		return nil
	case r.Value == nil:
		return Errorf(EINVALID, "revenue: a currency is that of value")
	case !(*r.Value >= 0 && *r.Value <= maxActionWorth):
		return Errorf(EINVALID, "revenue: value is 0 to %g", maxActionWorth)
	case !currencyCode.MatchString(r.Currency):
		return Errorf(EINVALID, "revenue: currency is three capital letters such as EUR")
	}
	return nil
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// Name returns the name of the events, "" if any.
func (e ActionEvent) Name() string {
	if e.Event == "" && e.Path != "" {
		return NameScreenView
	}
	return e.Event
}

// PathPattern returns Path as a regular expression (RE2). It returns false if Path has no
// wildcard: then Path is the path itself.
func (e ActionEvent) PathPattern() (pattern string, ok bool) {
	if !strings.Contains(e.Path, "*") {
		return "", false
	}
	parts := strings.Split(e.Path, "**")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(regexp.QuoteMeta(part), `\*`, "[^/]*")
	}
	return "(?s)^" + strings.Join(parts, ".*") + "$", true
}

// Actions returns the ids of the actions that the conditions name, each once.
func (f Filter) Actions() []string {
	var ids []string
	for _, c := range f.Tests() {
		if c.Column == ActionColumn {
			ids = append(ids, c.Values...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
