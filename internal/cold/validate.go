package cold

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

// Validate finds the first row that no retry could write, or that would break
// every query which reads it: a *RowError. The same for all engines, so that they
// hold the same rows.
func Validate(rows []weir.EventRow) error {
	for i := range rows {
		if reason := refuse(&rows[i]); reason != "" {
			return &RowError{Index: i, Reason: reason}
		}
	}
	return nil
}

// refuse says why a row cannot be stored, "" when it can.
func refuse(r *weir.EventRow) string {
	if !utf8.ValidString(r.ProjectID) || !utf8.ValidString(r.Name) || !utf8.ValidString(r.ID) ||
		!utf8.ValidString(r.ProfileID) || !utf8.ValidString(r.DeviceID) || !utf8.ValidString(r.SessionID) ||
		!utf8.ValidString(r.Path) || !utf8.ValidString(r.Origin) || !utf8.ValidString(r.Title) ||
		!utf8.ValidString(r.Referrer) || !utf8.ValidString(r.Channel) ||
		!utf8.ValidString(r.UTMSource) || !utf8.ValidString(r.UTMMedium) || !utf8.ValidString(r.UTMCampaign) ||
		!utf8.ValidString(r.UTMTerm) || !utf8.ValidString(r.UTMContent) ||
		!utf8.ValidString(r.Country) || !utf8.ValidString(r.Region) || !utf8.ValidString(r.City) ||
		!utf8.ValidString(r.Browser) || !utf8.ValidString(r.BrowserVersion) ||
		!utf8.ValidString(r.OS) || !utf8.ValidString(r.OSVersion) || !utf8.ValidString(r.DeviceType) ||
		!utf8.ValidString(r.Language) || !utf8.ValidString(r.Library) || !utf8.ValidString(r.Currency) ||
		!utf8.ValidString(r.InheritedFrom) || !utf8.ValidString(r.ClosesEventID) || !utf8.ValidString(r.ClosesPath) {
		return "text is not valid UTF-8"
	}
	if reason := refuseTime("ts", r.Time); reason != "" {
		return reason
	}
	if reason := refuseTime("received_at", r.ReceivedAt); reason != "" {
		return reason
	}
	if !finite(r.Revenue) {
		return "revenue is not a finite number"
	}
	if r.Call != nil {
		if reason := refuseCall(r.Call); reason != "" {
			return reason
		}
	}
	return refuseProperties(r.Properties)
}

// Earliest is the first time that a row may have, and Latest the first that it
// may not: what all engines' timestamps hold at microseconds, and all clients'.
var (
	Earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	Latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func refuseTime(name string, t time.Time) string {
	if t.Before(Earliest) || !t.Before(Latest) {
		return fmt.Sprintf("%s is out of range: year %d", name, t.UTC().Year())
	}
	return ""
}

func refuseCall(c *weir.Call) string {
	if !utf8.ValidString(c.Method) || !utf8.ValidString(c.Route) || !utf8.ValidString(c.Consumer) {
		return "text is not valid UTF-8"
	}
	if c.Status < math.MinInt32 || c.Status > math.MaxInt32 {
		return "status is out of range"
	}
	if !finite(c.LatencyMS) {
		return "latency_ms is not a finite number"
	}
	return ""
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// refuseProperties accepts only what DuckDB's JSON functions read: one row of
// anything else would fail every query on a property.
func refuseProperties(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	if p[0] != '{' || !json.Valid(p) {
		return "properties are not a JSON object"
	}
	if !utf8.Valid(p) {
		return "properties are not valid UTF-8"
	}
	if bytes.Contains(p, []byte(`\u`)) && loneSurrogate(p) {
		return "properties hold half of a surrogate pair"
	}
	return ""
}
