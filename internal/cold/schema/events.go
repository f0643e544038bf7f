package schema

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

type event = weir.EventRow

// Events has a row for each event.
var Events = Table[event]{
	Name:    "events",
	Checked: true,
	Origin:  []Column[Origin]{originLog},
	Columns: []Column[event]{
		{Name: "project_id", Type: Word, Erase: Keep, Value: func(r *event) *string { return &r.ProjectID }},
		{Name: "ts", Type: Time, Erase: ToMinute, Value: func(r *event) *time.Time { return &r.Time }},
		{Name: "quarter", Type: Int32, Erase: Keep, Value: func(r *event) int32 { return weir.Quarter(r.Time) }},
		{Name: "name", Type: Word, Erase: Keep, Named: true, Value: func(r *event) *string { return &r.Name }},
		{Name: "id", Type: Text, Erase: ToHash, Value: func(r *event) *string { return &r.ID }},
		{Name: "received_at", Type: Time, Erase: ToMinute, Value: func(r *event) *time.Time { return &r.ReceivedAt }},
		{Name: "profile_id", Type: Text, Named: true, Value: func(r *event) *string { return &r.ProfileID }},
		{Name: "device_id", Type: Text, Named: true, Value: func(r *event) *string { return &r.DeviceID }},
		{Name: "session_id", Type: Text, Named: true, Value: func(r *event) *string { return &r.SessionID }},
		{Name: "person", Type: Text, Value: func(r *event) string { return weir.Person(r.ProfileID, r.DeviceID) }},
		{Name: "path", Type: Text, Named: true, Value: func(r *event) *string { return &r.Path }},
		{Name: "origin", Type: Word, Named: true, Value: func(r *event) *string { return &r.Origin }},
		{Name: "title", Type: Text, Value: func(r *event) *string { return &r.Title }},
		{Name: "referrer", Type: Word, Named: true, Value: func(r *event) *string { return &r.Referrer }},
		{Name: "channel", Type: Word, Named: true, Value: func(r *event) *string { return &r.Channel }},
		{Name: "utm_source", Type: Word, Named: true, Value: func(r *event) *string { return &r.UTMSource }},
		{Name: "utm_medium", Type: Word, Named: true, Value: func(r *event) *string { return &r.UTMMedium }},
		{Name: "utm_campaign", Type: Word, Named: true, Value: func(r *event) *string { return &r.UTMCampaign }},
		{Name: "utm_term", Type: Word, Value: func(r *event) *string { return &r.UTMTerm }},
		{Name: "utm_content", Type: Word, Value: func(r *event) *string { return &r.UTMContent }},
		{Name: "country", Type: Word, Named: true, Value: func(r *event) *string { return &r.Country }},
		{Name: "region", Type: Word, Named: true, Value: func(r *event) *string { return &r.Region }},
		{Name: "city", Type: Word, Named: true, Value: func(r *event) *string { return &r.City }},
		{Name: "browser", Type: Word, Named: true, Value: func(r *event) *string { return &r.Browser }},
		{Name: "browser_version", Type: Word, Value: func(r *event) *string { return &r.BrowserVersion }},
		{Name: "os", Type: Word, Named: true, Value: func(r *event) *string { return &r.OS }},
		{Name: "os_version", Type: Word, Value: func(r *event) *string { return &r.OSVersion }},
		{Name: "device_type", Type: Word, Named: true, Value: func(r *event) *string { return &r.DeviceType }},
		{Name: "bot", Type: Bool, Erase: Keep, Named: true, Value: func(r *event) *bool { return &r.Bot }},
		{Name: "language", Type: Word, Named: true, Value: func(r *event) *string { return &r.Language }},
		{Name: "library", Type: Word, Named: true, Value: func(r *event) *string { return &r.Library }},
		{Name: "method", Type: Word, Null: IfAbsent, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *string { return &c.Method })},
		{Name: "route", Type: Word, Null: IfAbsent, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *string { return &c.Route })},
		{Name: "status", Type: Int32, Null: IfZero, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *int { return &c.Status })},
		{Name: "latency_ms", Type: Float, Null: IfAbsent, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *weir.Number { return &c.LatencyMS })},
		{Name: "consumer", Type: Word, Null: IfAbsent, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *string { return &c.Consumer })},
		{Name: "revenue", Type: Float, Null: IfAbsent, Named: true, Value: func(r *event) *weir.Number { return &r.Revenue }},
		{Name: "currency", Type: Word, Named: true, Value: func(r *event) *string { return &r.Currency }},
		{Name: "properties", Type: JSON, Null: IfZero, Value: func(r *event) *[]byte { return (*[]byte)(&r.Properties) }},
		{Name: "inherited_from", Type: Text, Value: func(r *event) *string { return &r.InheritedFrom }},
		{Name: "closes_event_id", Type: Text, Value: func(r *event) *string { return &r.ClosesEventID }},
		{Name: "closes_path", Type: Text, Value: func(r *event) *string { return &r.ClosesPath }},
		{Name: "closes_ms", Type: Int64, Value: func(r *event) *int64 { return &r.ClosesMS }},
		{Name: "shard", Type: Int32, Erase: Keep, Value: func(r *event) *int { return &r.Shard }},
		{Name: "seq", Type: Uint64, Erase: Keep, Value: func(r *event) *uint64 { return &r.Seq }},
		{Name: "import_id", Type: Word, Null: IfZero, Erase: Keep, Named: true, Value: func(r *event) *string { return &r.ImportID }},
		{Name: "request_bytes", Type: Int64, Null: IfAbsent, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *weir.Number { return &c.RequestBytes })},
		{Name: "response_bytes", Type: Int64, Null: IfAbsent, Erase: Keep, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *weir.Number { return &c.ResponseBytes })},
		{Name: "error", Type: Text, Null: IfZero, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *string { return &c.Error })},
		{Name: "error_shape", Type: Word, Null: IfZero, Named: true, Value: errorShape},
		{Name: "trace_id", Type: Text, Null: IfZero, Named: true, Make: makeCall, Value: ofCall(func(c *weir.Call) *string { return &c.TraceID })},
		{Name: "replaces_ms", Type: Float, Null: IfAbsent, Value: func(r *event) *weir.Number { return &r.ReplacesMS }},
		{Name: "rest_ms", Type: Float, Null: IfAbsent, Value: func(r *event) *weir.Number { return &r.RestMS }},
	},
}

// ofCall is where a value of the event's call is: nowhere without a call.
func ofCall[V any](f func(*weir.Call) *V) func(*event) *V {
	return func(r *event) *V {
		if r.Call == nil {
			return nil
		}
		return f(r.Call)
	}
}

func errorShape(r *event) string {
	if r.Call == nil || r.Call.Error == "" {
		return ""
	}
	return weir.ErrorShape(r.Call.Error)
}

func makeCall(r *event) { r.Call = &weir.Call{} }
