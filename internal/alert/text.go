package alert

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/insight"
)

// Texts are the texts of all messages, as whole sentences. Words in braces are filled in:
// {alert} {project} {measure} {value} {threshold} {window} {change} {base}.
type Texts struct {
	Fired, Recovered, Test string // subjects

	Above, Below             string // of a value
	ChangeAbove, ChangeBelow string // of a change
	NoData                   string

	Against map[weir.Against]string // {base} is given in words
	Measure map[weir.MeasureKind]string
	Value   map[weir.AlertValue]string
	Of      string // {measure} of {what}
	Insight string // {math} of {what}

	Minutes, Minute string // {n}
	Millis          string // {n}
	Infinite        string // a change from 0

	Signed string // under a mail
	Rows   struct{ Project, Measured, Window, State string }
	States map[weir.AlertState]string
}

// English are the texts in English.
func English() Texts {
	t := Texts{
		Fired:     "Firing: {alert} ({project})",
		Recovered: "Recovered: {alert} ({project})",
		Test:      "Test: {alert} ({project})",

		Above:       "{measure} in the last {window}: {value}. The alert fires above {threshold}.",
		Below:       "{measure} in the last {window}: {value}. The alert fires below {threshold}.",
		ChangeAbove: "{measure} in the last {window}: {value}, a change of {change} against {base}. The alert fires above {threshold}.",
		ChangeBelow: "{measure} in the last {window}: {value}, a change of {change} against {base}. The alert fires below {threshold}.",
		NoData:      "no data",

		Against: map[weir.Against]string{
			weir.AgainstPrevious: "{value} just before",
			weir.AgainstDay:      "{value} a day before",
			weir.AgainstWeek:     "{value} a week before",
		},
		Measure: map[weir.MeasureKind]string{
			weir.MeasureEvents:       "Events",
			weir.MeasureCalls:        "Calls",
			weir.MeasureErrorRate:    "Error rate",
			weir.MeasureSuccessRate:  "Success rate",
			weir.MeasureVisitors:     "Visitors",
			weir.MeasureLiveVisitors: "Live visitors",
			weir.MeasureInsight:      "Events",
		},
		Value: map[weir.AlertValue]string{
			weir.ValueApdex:         "Apdex",
			weir.ValueSuccessRate:   "Success rate",
			weir.ValueErrorRate4xx:  "Rate of 4xx errors",
			weir.ValueErrorRate5xx:  "Rate of 5xx errors",
			weir.ValueRate:          "Calls per second",
			weir.ValueLatencyMean:   "Mean latency",
			weir.ValueLatencyP50:    "Median latency",
			weir.ValueLatencyP90:    "p90 of latency",
			weir.ValueLatencyP95:    "p95 of latency",
			weir.ValueLatencyP99:    "p99 of latency",
			weir.ValueNewConsumers:  "New consumers",
			weir.ValueViews:         "Screen views",
			weir.ValueVisitors:      "Visitors",
			weir.ValueVisits:        "Visits",
			weir.ValueBounceRate:    "Bounce rate",
			weir.ValueVisitDuration: "Mean visit duration",
		},
		Of:      "{measure} of {what}",
		Insight: "{math} of {what}",

		Minutes: "{n} minutes", Minute: "minute",
		Millis:   "{n} ms",
		Infinite: "more than any percentage",

		Signed: "Sent by Weir. Whoever may change the alert can silence it or take you off its channels.",
		States: map[weir.AlertState]string{
			weir.AlertOK: "ok", weir.AlertPending: "pending", weir.AlertFiring: "firing", weir.AlertClearing: "clearing",
		},
	}
	t.Rows.Project, t.Rows.Measured, t.Rows.Window, t.Rows.State = "Project", "Measured", "Window", "State"
	return t
}

// fill puts words into a text. A word that has braces itself stays as it is.
func fill(text string, words ...string) string {
	for i := 0; i < len(words); i += 2 {
		words[i] = "{" + words[i] + "}"
	}
	return strings.NewReplacer(words...).Replace(text)
}

// measure is what is measured, in words.
func (t *Texts) measure(m *weir.AlertMeasure) string {
	if m.Insight != "" {
		return t.Value[m.Value]
	}
	name, what := t.Measure[m.Kind], m.Route
	if m.Event != "" {
		what = m.Event
	}
	if m.Kind == weir.MeasureInsight && m.Math != weir.MathTotal {
		of := m.Property
		if of == "" {
			of = t.Measure[weir.MeasureEvents]
		}
		name = fill(t.Insight, "math", string(m.Math), "what", of)
	}
	if what != "" {
		name = fill(t.Of, "measure", name, "what", what)
	}
	return name
}

func (t *Texts) window(minutes int) string {
	if minutes == 1 {
		return t.Minute
	}
	return fill(t.Minutes, "n", strconv.Itoa(minutes))
}

// value returns a measured value as people read it: rates in percent, durations in ms.
func (t *Texts) value(m *weir.AlertMeasure, v *float64) string {
	if v == nil {
		return t.NoData
	}
	switch unitOf(m) {
	case insight.Share:
		return digits(*v*100) + " %"
	case insight.Index:
		return rounded(*v, 10_000) // 0.6996 is not 0.7, the threshold
	case insight.Milliseconds:
		return fill(t.Millis, "n", digits(*v))
	}
	return digits(*v)
}

// digits is a number with two decimals at most, or in short when it is huge.
func digits(v float64) string { return rounded(v, 100) }

// rounded is a number to the nth part of one, or in short when it is huge or tiny.
func rounded(v, n float64) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	r := math.Round(v*n) / n
	if r == 0 && v != 0 {
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(r, 'f', -1, 64)
}

// summary is what was measured and when that fires, in a sentence or two.
func (t *Texts) summary(s *weir.AlertSpec, r weir.AlertReading) string {
	text, threshold := t.Above, t.value(&s.Measure, &s.Condition.Value)
	words := []string{"measure", t.measure(&s.Measure), "window", t.window(s.Window), "value", t.value(&s.Measure, r.Value)}
	if s.Condition.Op == OpBelow {
		text = t.Below
	}
	if s.Condition.Against != weir.AgainstNone {
		text, threshold = t.ChangeAbove, digits(s.Condition.Value)+" %"
		if s.Condition.Op == OpBelow {
			text = t.ChangeBelow
		}
		change := t.NoData
		if r.Change != nil {
			change = digits(*r.Change) + " %"
		} else if r.Value != nil && r.Base != nil {
			change = t.Infinite
		}
		words = append(words, "change", change, "base", fill(t.Against[s.Condition.Against], "value", t.value(&s.Measure, r.Base)))
	}
	return fill(text, append(words, "threshold", threshold)...)
}

// suffixes of messages' ids.
var suffixes = map[string]string{weir.AlertFiredMessage: "fired", weir.AlertRecoveredMessage: "recovered", weir.AlertTestMessage: "test"}

// message returns a message about an incident. Its id follows from the incident, so that a
// repeated message has the same id.
func (t *Texts) message(kind string, p *weir.Project, a *weir.Alert, s *weir.AlertStatus, incident int64, now time.Time) weir.AlertMessage {
	m := weir.AlertMessage{
		ID: fmt.Sprintf("%s.%d.%s", a.ID, incident, suffixes[kind]), Type: kind, At: now, Incident: incident,
		Project: weir.NamedID{ID: p.ID, Name: p.Name}, Alert: weir.NamedID{ID: a.ID, Name: a.Name},
		State: s.State, Summary: t.summary(&a.AlertSpec, s.Reading), Measure: t.measure(&a.Measure), AlertReading: s.Reading,
	}
	if kind == weir.AlertRecoveredMessage {
		m.State = weir.AlertOK // of this incident; the next one may have begun
	}
	m.Condition.Op, m.Condition.Value, m.Condition.Against = a.Condition.Op, a.Condition.Value, a.Condition.Against
	m.Window.To = s.CheckedTo.In(p.Location())
	m.Window.From = m.Window.To.Add(-time.Duration(a.Window) * time.Minute)
	return m
}

var letterHTML = template.Must(template.New("letter").Parse(`<!doctype html>
<html><body style="font-family:sans-serif;color:#222">
<h2 style="font-size:18px">{{.Subject}}</h2>
<p>{{.Message.Summary}}</p>
<table cellpadding="4">{{range .Rows}}<tr><td style="color:#666">{{index . 0}}</td><td>{{index . 1}}</td></tr>{{end}}</table>
{{with .Message.URL}}<p><a href="{{.}}">{{.}}</a></p>
{{end}}<p style="color:#666;font-size:12px">{{.Signed}}</p>
</body></html>
`))

// letter is a message as a mail.
func (t *Texts) letter(m *weir.AlertMessage, key, to string) (deliver.Letter, error) {
	subject := map[string]string{weir.AlertFiredMessage: t.Fired, weir.AlertRecoveredMessage: t.Recovered, weir.AlertTestMessage: t.Test}[m.Type]
	l := deliver.Letter{Key: key, To: to, At: m.At, Subject: fill(subject, "alert", m.Alert.Name, "project", m.Project.Name)}
	const layout = "2006-01-02 15:04 MST"
	rows := [][2]string{
		{t.Rows.Project, m.Project.Name},
		{t.Rows.Measured, m.Measure},
		{t.Rows.Window, m.Window.From.Format(layout) + " – " + m.Window.To.Format(layout)},
		{t.Rows.State, t.States[m.State]},
	}
	var text strings.Builder
	text.WriteString(l.Subject + "\n\n" + m.Summary + "\n\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "%s: %s\n", r[0], r[1])
	}
	if m.URL != "" {
		text.WriteString("\n" + m.URL + "\n")
	}
	text.WriteString("\n-- \n" + t.Signed + "\n")
	l.Text = text.String()
	var html bytes.Buffer
	err := letterHTML.Execute(&html, struct {
		Subject, Signed string
		Message         *weir.AlertMessage
		Rows            [][2]string
	}{l.Subject, t.Signed, m, rows})
	l.HTML = html.String()
	return l, err
}
