package alert

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/insight"
)

// Ops of a condition.
const (
	OpAbove = "above"
	OpBelow = "below"
)

// Limits of alerts.
const (
	MaxAlerts     = 100  // of a project
	MaxWindow     = 1440 // minutes
	MaxChecks     = 60   // that a condition has to hold, or to be clear
	MaxChannels   = 10   // of an alert
	maxVisitors   = 60   // minutes of a window that distinct devices are counted in
	maxName       = 100
	maxText       = 200 // of an event's name, a route, a property
	maxFilter     = 20
	maxValues     = 100      // of one condition
	maxFilterText = 16 << 10 // bytes of a whole filter: all alerts are read every minute
)

// Defaults fills in what a spec leaves out: a window of 5 minutes, one check, and
// nothing changes without data. The clear threshold is the caller's.
func Defaults(s *weir.AlertSpec) {
	if s.Window == 0 {
		s.Window = 5
	}
	if s.For == 0 {
		s.For = 1
	}
	if s.ClearFor == 0 {
		s.ClearFor = 1
	}
	if s.NoData == "" {
		s.NoData = weir.NoDataKeep
	}
}

// Check says what is wrong with a spec, as far as it shows; allow are private
// networks with webhooks. It trims the name, and leaves out the insight trend, which
// is the default. Errors: EINVALID.
func Check(s *weir.AlertSpec, allow []netip.Prefix) error {
	s.Name = strings.TrimSpace(s.Name)
	switch {
	case !plain(s.Name, 1, maxName):
		return invalid("name: 1 to %d characters, none of them a control character", maxName)
	case s.Window < 1 || s.Window > MaxWindow:
		return invalid("window: 1 to %d minutes", MaxWindow)
	case s.For < 1 || s.For > MaxChecks || s.ClearFor < 1 || s.ClearFor > MaxChecks:
		return invalid("for and clear_for: 1 to %d checks", MaxChecks)
	case s.MinVolume < 0 || s.MinVolume > 1<<53:
		return invalid("min_volume: 0 or more")
	case !slices.Contains([]weir.NoData{weir.NoDataKeep, weir.NoDataOK, weir.NoDataFire}, s.NoData):
		return invalid("no_data: keep, ok or fire")
	case len(s.Channels) > MaxChannels:
		return invalid("channels: %d at most", MaxChannels)
	}
	if err := checkMeasure(s); err != nil {
		return err
	}
	if err := checkCondition(s); err != nil {
		return err
	}
	for i := range s.Channels {
		if err := checkChannel(&s.Channels[i], allow); err != nil {
			return weir.Wrap(err, weir.EINVALID, "channels[%d]: %s", i, weir.ErrorMessage(err))
		}
	}
	return nil
}

func invalid(format string, args ...any) error { return weir.Errorf(weir.EINVALID, format, args...) }

func plain(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkMeasure(s *weir.AlertSpec) error {
	m := &s.Measure
	for _, t := range []string{m.Event, m.Route, m.Property} {
		if !plain(t, 0, maxText) {
			return invalid("measure: event, route and property have %d characters at most, none of them a control character", maxText)
		}
	}
	tests := weir.Filter(m.Filter).Tests()
	if len(tests) > maxFilter {
		return invalid("measure: %d conditions in a filter at most", maxFilter)
	}
	size := 0
	for _, c := range tests {
		if len(c.Values) > maxValues {
			return invalid("measure: %d values in a condition at most", maxValues)
		}
		size += len(c.Column) + len(c.Op)
		for _, v := range c.Values {
			size += len(v)
		}
	}
	if size > maxFilterText {
		return invalid("measure: a filter has %d bytes of text at most", maxFilterText)
	}
	takes := map[weir.MeasureKind]struct{ event, route, filter, math bool }{
		weir.MeasureEvents:       {event: true, filter: true},
		weir.MeasureCalls:        {route: true, filter: true},
		weir.MeasureErrorRate:    {route: true, filter: true},
		weir.MeasureSuccessRate:  {route: true, filter: true},
		weir.MeasureVisitors:     {},
		weir.MeasureLiveVisitors: {},
		weir.MeasureInsight:      {event: true, filter: true, math: true},
	}
	if err := checkInsight(m); err != nil {
		return err
	}
	t, ok := takes[m.Kind]
	switch {
	case !ok:
		return invalid("measure: kind is events, calls, error_rate, success_rate, visitors, live_visitors or insight")
	case m.Event != "" && !t.event, m.Route != "" && !t.route, len(m.Filter) > 0 && !t.filter, (m.Math != "" || m.Property != "") && !t.math:
		return invalid("measure: %s does not take all of event, route, filter, math and property that are given", m.Kind)
	case t.math && m.Math == "" && m.Insight == "":
		return invalid("measure: an insight of a trend needs math")
	case m.Kind == weir.MeasureVisitors && s.Window > maxVisitors:
		return invalid("window: visitors are counted in %d minutes at most; an insight with math unique takes more", maxVisitors)
	}
	return nil
}

func checkCondition(s *weir.AlertSpec) error {
	c, kind, u := s.Condition, s.Measure.Kind, unitOf(&s.Measure)
	share := u == insight.Share || u == insight.Index
	switch {
	case c.Op != OpAbove && c.Op != OpBelow:
		return invalid("condition: op is above or below")
	case !finite(c.Value) || !finite(c.Clear):
		return invalid("condition: value and clear are numbers")
	case c.Op == OpAbove && c.Clear > c.Value, c.Op == OpBelow && c.Clear < c.Value:
		return invalid("condition: clear lies on the side where the alert is clear: at most value for above, at least value for below")
	case !slices.Contains([]weir.Against{weir.AgainstNone, weir.AgainstPrevious, weir.AgainstDay, weir.AgainstWeek}, c.Against):
		return invalid("condition: against is previous, day or week")
	case c.Against != "" && kind == weir.MeasureLiveVisitors:
		return invalid("condition: live visitors are compared with nothing; use visitors")
	case c.Against == weir.AgainstWeek && kind == weir.MeasureVisitors:
		return invalid("condition: visitors are known for less than a week; use an insight with math unique")
	case c.Against == "" && share && (c.Value < 0 || c.Value > 1 || c.Clear < 0 || c.Clear > 1):
		return invalid("condition: rates and Apdex are 0 to 1")
	case c.Against == "" && c.Op == OpBelow && s.MinVolume > 0 && isAmount(&s.Measure):
		return invalid("min_volume: a number that is below its threshold is a small one; leave it out")
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func checkChannel(c *weir.AlertChannel, allow []netip.Prefix) (err error) {
	switch {
	case c.Kind == weir.AlertByWebhook && c.To == "":
		return deliver.CheckURL(c.URL, allow)
	case c.Kind == weir.AlertByEmail && c.URL == "":
		c.To, err = deliver.ParseAddress(c.To)
		return err
	}
	return invalid("a webhook with its url, or an email with its address in to")
}
