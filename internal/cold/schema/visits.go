package schema

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

type visit = weir.VisitRow

// Visits has the states of visits, see weir.VisitRow.
var Visits = Table[visit]{
	Name:   "visits",
	Origin: []Column[Origin]{originBatch},
	Columns: []Column[visit]{
		{Name: "project_id", Type: Word, Value: func(v *visit) *string { return &v.ProjectID }},
		{Name: "device_id", Type: Text, Value: func(v *visit) *string { return &v.DeviceID }},
		{Name: "session_id", Type: Text, Value: func(v *visit) *string { return &v.SessionID }},
		{Name: "sign", Type: Int8, Value: func(v *visit) *int8 { return &v.Sign }},
		{Name: "version", Type: Uint32, Value: func(v *visit) *uint32 { return &v.Version }},
		{Name: "profile_id", Type: Text, Value: func(v *visit) *string { return &v.ProfileID }},
		{Name: "start_at", Type: Time, Value: func(v *visit) *time.Time { return &v.Start }},
		{Name: "end_at", Type: Time, Value: func(v *visit) *time.Time { return &v.End }},
		{Name: "entry", Type: Text, Value: func(v *visit) *string { return &v.Entry }},
		{Name: "exit", Type: Text, Value: func(v *visit) *string { return &v.Exit }},
		{Name: "entry_at", Type: Time, Null: IfZero, Value: func(v *visit) *time.Time { return &v.EntryAt }},
		{Name: "exit_at", Type: Time, Null: IfZero, Value: func(v *visit) *time.Time { return &v.ExitAt }},
		{Name: "events", Type: Int64, Value: func(v *visit) *int64 { return &v.Events }},
		{Name: "screen_views", Type: Int64, Value: func(v *visit) *int64 { return &v.ScreenViews }},
		{Name: "interactive", Type: Int64, Value: func(v *visit) *int64 { return &v.Interactive }},
		{Name: "calls", Type: Int64, Value: func(v *visit) *int64 { return &v.Calls }},
		{Name: "revenue", Type: Float, Value: func(v *visit) *float64 { return &v.Revenue }},
		{Name: "ended", Type: Bool, Value: func(v *visit) *bool { return &v.Ended }},
		{Name: "bot", Type: Bool, Value: func(v *visit) *bool { return &v.Bot }},
		{Name: "referrer", Type: Word, Value: func(v *visit) *string { return &v.Referrer }},
		{Name: "channel", Type: Word, Value: func(v *visit) *string { return &v.Channel }},
		{Name: "utm_source", Type: Word, Value: func(v *visit) *string { return &v.UTMSource }},
		{Name: "utm_medium", Type: Word, Value: func(v *visit) *string { return &v.UTMMedium }},
		{Name: "utm_campaign", Type: Word, Value: func(v *visit) *string { return &v.UTMCampaign }},
		{Name: "country", Type: Word, Value: func(v *visit) *string { return &v.Country }},
		{Name: "region", Type: Word, Value: func(v *visit) *string { return &v.Region }},
		{Name: "city", Type: Word, Value: func(v *visit) *string { return &v.City }},
		{Name: "browser", Type: Word, Value: func(v *visit) *string { return &v.Browser }},
		{Name: "os", Type: Word, Value: func(v *visit) *string { return &v.OS }},
		{Name: "device_type", Type: Word, Value: func(v *visit) *string { return &v.DeviceType }},
		{Name: "language", Type: Word, Value: func(v *visit) *string { return &v.Language }},
		{Name: "received_at", Type: Time, Null: IfZero, Value: func(v *visit) *time.Time { return &v.ReceivedAt }},
		{Name: "beside", Type: Text, Value: func(v *visit) *string { return (*string)(&v.Beside) }},
		{Name: "formerly", Type: Text, Value: func(v *visit) *string { return &v.Formerly }},
	},
}
